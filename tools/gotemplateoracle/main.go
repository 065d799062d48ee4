// Command gotemplateoracle runs templates with Go's own text/template, as a judge for ours.
//
// Each line of standard input is a case in JSON; each line of standard output is its result.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"text/template"
	"time"
)

// Case is one run. Either Templates are parsed in order and Run is executed over Data, or, if Format is set, it is
// given to fmt.Sprintf with Args.
type Case struct {
	Templates  [][2]string     `json:"templates"`
	Run        string          `json:"run"`
	Data       json.RawMessage `json:"data"`
	MissingKey string          `json:"missing_key"`
	Format     *string         `json:"format"`
	Args       []Arg           `json:"args"`
}

// Arg is an operand of Sprintf with its Go type.
type Arg struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Result is what came out.
type Result struct {
	Output string `json:"output"`
	Error  string `json:"error"`
	// Exec tells Go's ExecError from other errors.
	Exec bool `json:"exec"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var c Case
			if err := json.Unmarshal(line, &c); err != nil {
				fmt.Fprintln(os.Stderr, "bad case:", err)
				os.Exit(1)
			}
			encoder.Encode(run(&c))
		}
		if err != nil {
			return
		}
	}
}

func run(c *Case) (result Result) {
	if c.Format != nil {
		args := make([]any, len(c.Args))
		for i, arg := range c.Args {
			args[i] = arg.decode()
		}
		return Result{Output: fmt.Sprintf(*c.Format, args...)}
	}
	var data any
	if len(c.Data) > 0 {
		if err := json.Unmarshal(c.Data, &data); err != nil {
			return Result{Error: "bad data: " + err.Error()}
		}
	}
	root := template.New("gotpl")
	if c.MissingKey != "" {
		root.Option("missingkey=" + c.MissingKey)
	}
	root.Funcs(functions(root))
	for _, t := range c.Templates {
		if _, err := root.New(t[0]).Parse(t[1]); err != nil {
			return Result{Error: err.Error()}
		}
	}
	var b limited
	err := root.ExecuteTemplate(&b, c.Run, data)
	if err != nil {
		var exec template.ExecError
		return Result{Error: err.Error(), Exec: errors.As(err, &exec)}
	}
	return Result{Output: b.String()}
}

// limited keeps a runaway case from filling the memory.
type limited struct{ strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len() > 1<<24 {
		return 0, errors.New("oracle: output too large")
	}
	return l.Builder.Write(p)
}

func (a *Arg) decode() any {
	get := func(p any) any {
		if err := json.Unmarshal(a.Value, p); err != nil {
			fmt.Fprintln(os.Stderr, "bad operand:", err)
			os.Exit(1)
		}
		return reflect.ValueOf(p).Elem().Interface()
	}
	switch a.Type {
	case "nil":
		return nil
	case "bool":
		return get(new(bool))
	case "int":
		return get(new(int))
	case "int64":
		return get(new(int64))
	case "uint8":
		return get(new(uint8))
	case "uint64":
		return get(new(uint64))
	case "float64":
		return get(new(float64))
	case "float64text":
		var f float64
		fmt.Sscan(get(new(string)).(string), &f)
		return f
	case "string":
		return get(new(string))
	case "bytes":
		return []byte(get(new(string)).(string))
	case "list":
		return get(new([]any))
	case "strings":
		return get(new([]string))
	case "ints":
		return get(new([]int))
	case "map":
		return get(new(map[string]any))
	case "stringmap":
		return get(new(map[string]string))
	}
	fmt.Fprintln(os.Stderr, "unknown type", a.Type)
	os.Exit(1)
	return nil
}

// functions are small stand-ins of what sprig has: one for each thing that a signature can ask for.
func functions(root *template.Template) template.FuncMap {
	return template.FuncMap{
		"list":    func(items ...any) []any { return items },
		"strings": func(items ...string) []string { return items },
		"dict": func(items ...any) (map[string]any, error) {
			if len(items)%2 != 0 {
				return nil, errors.New("odd number of arguments")
			}
			m := map[string]any{}
			for i := 0; i < len(items); i += 2 {
				m[fmt.Sprint(items[i])] = items[i+1]
			}
			return m, nil
		},
		"set":     func(m map[string]any, key string, value any) map[string]any { m[key] = value; return m },
		"int":     func(f float64) int { return int(f) },
		"int64":   func(f float64) int64 { return int64(f) },
		"uint8":   func(i int) uint8 { return uint8(i) },
		"double":  func(i int64) int64 { return 2 * i },
		"unsign":  func(u uint64) uint64 { return u },
		"upper":   strings.ToUpper,
		"repeat":  func(count int, s string) string { return strings.Repeat(s, count) },
		"fail":    func(message string) (string, error) { return "", errors.New(message) },
		"yes":     func(b bool) bool { return b },
		"bytes":   func(s string) []byte { return []byte(s) },
		"nilmap":  func() map[string]any { return nil },
		"nillist": func() []any { return nil },
		"nothing": func() any { return nil },
		"smap":    func(key, value string) map[string]string { return map[string]string{key: value} },
		"kindOf":  func(v any) string { return reflect.ValueOf(v).Kind().String() },
		"typeOf":  func(v any) string { return fmt.Sprintf("%T", v) },
		"deep":    reflect.DeepEqual,
		"wait":    func(nanoseconds int) time.Duration { return time.Duration(nanoseconds) },
		"include": func(name string, data any) (string, error) {
			var b limited
			err := root.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
	}
}
