// Command funcoracle renders one-template charts with Helm's own engine and prints what came out.
//
// It reads one JSON case per line from standard input and writes one JSON answer per line: the judge of the
// template functions in crates/helmchart. `lint` selects the engine's lint mode.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"unicode/utf8"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

type request struct {
	Template string         `json:"template"`
	Values   map[string]any `json:"values"`
	Lint     bool           `json:"lint"`
}

type answer struct {
	Output *string `json:"output,omitempty"`
	// Bytes holds the output in base64 where it is not UTF-8.
	Bytes string `json:"bytes,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	log.SetOutput(io.Discard)
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	decoder := json.NewDecoder(input)
	encoder := json.NewEncoder(output)
	for {
		var asked request
		if err := decoder.Decode(&asked); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			output.Flush()
			os.Exit(1)
		}
		if err := encoder.Encode(render(asked)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			output.Flush()
			os.Exit(1)
		}
	}
}

func render(asked request) answer {
	subject := &chart.Chart{
		Metadata:  &chart.Metadata{Name: "c", Version: "0.1.0", APIVersion: "v2"},
		Templates: []*chart.File{{Name: "templates/t", Data: []byte(asked.Template)}},
		Values:    map[string]any{},
	}
	options := chartutil.ReleaseOptions{Name: "r", Namespace: "default", Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(subject, asked.Values, options, nil)
	if err != nil {
		return answer{Error: "values: " + err.Error()}
	}
	rendered, err := engine.Engine{LintMode: asked.Lint}.Render(subject, values)
	if err != nil {
		return answer{Error: err.Error()}
	}
	text := rendered["c/templates/t"]
	if !utf8.ValidString(text) {
		return answer{Bytes: base64.StdEncoding.EncodeToString([]byte(text))}
	}
	return answer{Output: &text}
}
