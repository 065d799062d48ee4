#!/bin/sh
# Writes Go's own test tables as JSON into a folder: template.json, parse.json, fmt.json.
# The tables are read out of the installed Go by test files that `go test -overlay` lays over it; nothing is copied.
set -eu
out=$(mkdir -p "${1:?usage: dump.sh FOLDER}" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
goroot=$(go env GOROOT)
imports='"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"'
# name, folder below GOROOT/src, package, further imports
write() {
	{
		printf 'package %s\n\nimport (\n\t%s\n\t%s\n)\n\n' "$3" "$imports" "$4"
		cat "$here/encode.go.txt" "$here/$1.go.txt"
	} >"$work/$1.go"
	printf '{"Replace": {"%s": "%s"}}\n' "$goroot/src/$2/zz_collimate_test.go" "$work/$1.go" >"$work/$1.json"
	(cd "$work" && COLLIMATE_TABLES="$out" go test -count=1 -v -run '^TestCollimateDump$' -overlay "$work/$1.json" "$2" | grep -v "^=== \|^--- \|^ok\|^PASS")
}
export COLLIMATE_FUNCTIONS="and call html index js len not or print printf println slice urlquery eq ge gt le lt ne $(cat "$here/functions.txt")"
write template text/template template '"regexp"'
write parse text/template/parse parse '"regexp"'
write fmt fmt fmt_test '. "fmt"'
