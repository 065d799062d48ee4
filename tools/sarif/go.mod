module collimate.dev/tools/sarif

go 1.26.0

require github.com/owenrumney/go-sarif/v3 v3.3.1

require (
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // indirect
	github.com/xeipuuv/gojsonschema v1.2.0 // indirect
	golang.org/x/text v0.14.0 // indirect
)

replace github.com/xeipuuv/gojsonschema => ./judge
