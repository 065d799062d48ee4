// sarif says whether what it reads from stdin is SARIF 2.1.0, by the published JSON Schema. It prints what is wrong and exits with 1.
//
// The schema comes with a library, which uses it only on what survives its own types, and passes it to a validator. `judge` stands in
// that validator's place (`replace` in go.mod) and holds the bytes of stdin against the schema it is given.
package main

import (
	"fmt"
	"os"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

func main() {
	if err := sarif.NewReport().Validate(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
