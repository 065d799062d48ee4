#!/usr/bin/env bash
# Run `collimate smoke notify` and say, for the steps that follow, what its exit code means.
#
#   notify-smoke.sh NAME START     reports go to out/NAME.{json,xml,log}; START is the moment before the deployment
#
# Output of the step: `verdict=passed`, `skipped` or `broken`. Those end with 0, because the workflow goes on with them:
# broken is rolled back. Every other answer is "not known": it ends with the program's own code, the workflow stops, and nothing is
# rolled back, because a Redis that cannot be reached says nothing about the release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
name=$1 start=$2
mkdir -p out

arguments=(--wait "${NOTIFY_SMOKE_WAIT_SECONDS:-60}" --json "out/$name.json" --junit "out/$name.xml")
if [[ -n $start ]]; then arguments+=(--since "$start"); fi
# A staging without traffic makes its own, for the tenants that are named and for nobody else.
if [[ -n ${NOTIFY_SMOKE_EMIT_TENANTS:-} ]]; then arguments+=(--emit --emit-tenants "$NOTIFY_SMOKE_EMIT_TENANTS"); fi

code=0
deploy/tools/collimate.sh smoke notify "${arguments[@]}" 2>&1 | tee "out/$name.log" || code=$?

case $code in
    0)
        verdict=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1], encoding="utf-8"))["verdict"])' "out/$name.json")
        case $verdict in
            passed) ;;
            not-tried)
                verdict=skipped
                echo "::warning::notify-smoke was SKIPPED: NOTIFY_SMOKE_ENABLED switches it off. Nothing is marked good."
                ;;
            *) code=70 ;;
        esac
        ;;
    1) verdict=broken ;;
esac
if ((code > 1)); then
    echo "verdict=unknown" >>"$GITHUB_OUTPUT"
    echo "::error::notify-smoke: not known (exit code $code). Nothing is rolled back and nothing is marked good."
    exit "$code"
fi
echo "verdict=$verdict" >>"$GITHUB_OUTPUT"
