// yamloracle says what go-yaml makes of YAML texts: verdict, error, value and what it writes back.
//
// It reads JSON arrays of texts from stdin until there are no more, and prints one JSON object per text. The differential test of
// crate `yamlspan` compares, and so does the fuzz target `yaml_oracle`.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	yaml4 "go.yaml.in/yaml/v4"
	sigs "sigs.k8s.io/yaml"
)

// answer is what one version says.
type answer struct {
	Error string `json:"error"`
	Value string `json:"value"`
	Emit  string `json:"emit"`
	// All documents of the stream.
	StreamError string `json:"stream_error"`
	Documents   int    `json:"documents"`
}

type answers struct {
	V2 answer `json:"v2"`
	V3 answer `json:"v3"`
	V4 answer `json:"v4"`
	// sigs.k8s.io/yaml into an empty interface.
	Sigs answer `json:"sigs"`
	// Errors of sigs.k8s.io/yaml for other calls.
	Strict string `json:"strict"`
	Map    string `json:"map"`
	Array  string `json:"array"`
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for {
		var texts []string
		if err := in.Decode(&texts); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		for _, text := range texts {
			encoder.Encode(ask(text))
		}
		out.Flush()
	}
}

func ask(text string) answers {
	in := []byte(text)
	return answers{
		V2: guard(func() answer {
			var value any
			err := yaml2.Unmarshal(in, &value)
			decoder := yaml2.NewDecoder(bytes.NewReader(in))
			return answerOf(value, err, decoder.Decode, func(value any) ([]byte, error) { return sigs.Marshal(value) })
		}),
		V3: guard(func() answer {
			var value any
			err := yaml3.Unmarshal(in, &value)
			decoder := yaml3.NewDecoder(bytes.NewReader(in))
			return answerOf(value, err, decoder.Decode, func(value any) ([]byte, error) {
				var buffer bytes.Buffer
				encoder := yaml3.NewEncoder(&buffer)
				encoder.SetIndent(2)
				err := encoder.Encode(value)
				return buffer.Bytes(), err
			})
		}),
		V4: guard(func() answer {
			var value any
			err := yaml4.Unmarshal(in, &value)
			decoder := yaml4.NewDecoder(bytes.NewReader(in))
			return answerOf(value, err, decoder.Decode, func(value any) ([]byte, error) {
				var buffer bytes.Buffer
				encoder := yaml4.NewEncoder(&buffer)
				encoder.SetIndent(2)
				err := encoder.Encode(value)
				return buffer.Bytes(), err
			})
		}),
		Strict: errorOf(func() error { var value any; return sigs.UnmarshalStrict(in, &value) }),
		Map:    errorOf(func() error { value := map[string]any{}; return sigs.Unmarshal(in, &value) }),
		Array:  errorOf(func() error { value := []any{}; return sigs.Unmarshal(in, &value) }),
		Sigs: guard(func() answer {
			var value any
			err := sigs.Unmarshal(in, &value)
			if err != nil {
				return answer{Error: err.Error()}
			}
			emitted, err := sigs.Marshal(value)
			if err != nil {
				emitted = []byte("error: " + err.Error())
			}
			return answer{Value: canonical(normal(value)), Emit: string(emitted)}
		}),
	}
}

func errorOf(run func() error) (message string) {
	defer func() {
		if caught := recover(); caught != nil {
			message = fmt.Sprintf("panic: %v", caught)
		}
	}()
	if err := run(); err != nil {
		return err.Error()
	}
	return ""
}

func guard(run func() answer) (result answer) {
	defer func() {
		if caught := recover(); caught != nil {
			result = answer{Error: fmt.Sprintf("panic: %v", caught)}
		}
	}()
	return run()
}

func answerOf(value any, err error, next func(any) error, marshal func(any) ([]byte, error)) answer {
	result := answer{}
	if err != nil {
		result.Error = err.Error()
	} else {
		plain := normal(value)
		result.Value = canonical(plain)
		emitted, err := marshal(plain)
		if err != nil {
			emitted = []byte("error: " + err.Error())
		}
		result.Emit = string(emitted)
	}
	for {
		var document any
		err := next(&document)
		if err == io.EOF {
			break
		}
		if err != nil {
			result.StreamError = err.Error()
			break
		}
		result.Documents++
	}
	return result
}

// normal gives maps string keys and makes times strings, so that all versions can be compared and marshalled alike.
func normal(value any) any {
	switch value := value.(type) {
	case map[any]any:
		plain := map[string]any{}
		for key, item := range value {
			plain[keyOf(key)] = normal(item)
		}
		return plain
	case map[string]any:
		plain := map[string]any{}
		for key, item := range value {
			plain[key] = normal(item)
		}
		return plain
	case []any:
		plain := make([]any, len(value))
		for i, item := range value {
			plain[i] = normal(item)
		}
		return plain
	case time.Time:
		return value.String()
	}
	return value
}

func keyOf(key any) string {
	switch key := key.(type) {
	case nil:
		return "null"
	case string:
		return key
	case float64:
		switch text := strconv.FormatFloat(key, 'g', -1, 64); text {
		case "+Inf":
			return ".inf"
		case "-Inf":
			return "-.inf"
		case "NaN":
			return ".nan"
		default:
			return text
		}
	case time.Time:
		return key.String()
	}
	return fmt.Sprint(key)
}

// canonical writes a value in a form that is easy to make the same elsewhere.
func canonical(value any) string {
	switch value := value.(type) {
	case nil:
		return "N"
	case bool:
		return fmt.Sprintf("B%t", value)
	case int, int64, uint64:
		return fmt.Sprintf("I%d", value)
	case float64:
		return "F" + strconv.FormatFloat(value, 'g', -1, 64)
	case string:
		return fmt.Sprintf("S%d:%s", len(value), value)
	case []any:
		parts := make([]string, len(value))
		for i, item := range value {
			parts[i] = canonical(item)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		parts := make([]string, len(keys))
		for i, key := range keys {
			parts[i] = canonical(key) + "=" + canonical(value[key])
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprintf("?%T", value)
}
