// Package gojsonschema is what the library of SARIF takes for its validator: the same three calls, but the document is stdin's.
package gojsonschema

import (
	"os"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Loader holds the text of a schema, or nothing for a document.
type Loader string

// Result is the verdict on a document; a document that is not valid is an error of Validate.
type Result struct{}

// Problem is never made.
type Problem struct{}

func (Problem) String() string        { return "" }
func (*Result) Valid() bool           { return true }
func (*Result) Errors() []Problem     { return nil }
func NewStringLoader(s string) Loader { return Loader(s) }
func NewGoLoader(any) Loader          { return "" }

// Validate holds stdin against the schema, formats such as URI references included.
func Validate(schema, _ Loader) (*Result, error) {
	const name = "sarif-2.1.0.json"
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(name, parsed); err != nil {
		return nil, err
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(os.Stdin)
	if err != nil {
		return nil, err
	}
	return &Result{}, compiled.Validate(document)
}
