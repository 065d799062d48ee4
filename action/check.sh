#!/usr/bin/env bash
# Runs the check once for the log, where findings become annotations, and once for every report that is asked for.
set -euo pipefail

arguments=()
if [[ ${INPUT_DENY_WARNINGS:-false} == true ]]; then
  arguments+=(--deny warnings)
fi
notes=()
if [[ ${INPUT_NOTES:-false} == true ]]; then
  notes+=(--notes)
fi
# Words, of which none is a pattern or an option.
read -ra names <<<"${INPUT_NAMES:-}"

check() {
  "$PROGRAM" check "${arguments[@]}" --format "$@" -- "${names[@]}"
}

# A report beside its place, renamed when it is whole. Findings are no reason to go without it.
report() {
  local format=$1 place=$2 code=0
  shift 2
  [[ -n $place ]] || return 0
  mkdir -p -- "$(dirname -- "$place")"
  check "$format" "$@" >"$place.new" || code=$?
  if ((code > 1)); then
    rm -f -- "$place.new"
    return "$code"
  fi
  mv -- "$place.new" "$place"
}

code=0
check github || code=$?
if [[ -n ${GITHUB_OUTPUT:-} ]]; then
  printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
fi
if ((code > 1)); then
  exit "$code"
fi
report sarif "${INPUT_SARIF:-}"
report junit "${INPUT_JUNIT:-}"
report markdown "${INPUT_MARKDOWN:-}" "${notes[@]}"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  check markdown "${notes[@]}" >>"$GITHUB_STEP_SUMMARY" || true
fi
exit "$code"
