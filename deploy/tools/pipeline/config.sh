#!/usr/bin/env bash
# The pipeline's first step: everything that must be configured is, or all that is not is listed and nothing is built.
#
# Exit code: 0 fine, 2 something is missing or malformed. The same variables are checked in full by `collimate smoke notify
# --check-config`. A runner without collimate has it only after the build, minutes later; there, what is missing or empty is found
# by the list below first, and the workflow runs this file again after the build.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# Name, where it is set, what it is for.
required='NOTIFY_SMOKE_REDIS_DSN|secret|connection string of the Redis with the events
NOTIFY_SMOKE_NOTIFY_BASEURL|variable or secret|base URL of Notify
NOTIFY_SMOKE_NOTIFY_TOKEN|secret|bearer token of a service account that may read deliveries
NOTIFY_SMOKE_NOTIFY_TENANT|variable or secret|tenant whose events and deliveries are looked at
NOTIFY_SMOKE_EXPECT_KINDS|variable or secret|event kinds that must be seen
NOTIFY_SMOKE_LOOKBACK_MINUTES|variable or secret|minutes of the stream that are looked at'

is_switched_off() {
    case ${NOTIFY_SMOKE_ENABLED:-} in
        false | False | FALSE | 0 | no | off) return 0 ;;
        *) return 1 ;;
    esac
}

code=0
if "$tools/collimate.sh" --version >/dev/null 2>&1; then
    "$tools/collimate.sh" smoke notify --check-config || code=$?
elif is_switched_off; then
    echo "warning: notify-smoke is skipped: \`NOTIFY_SMOKE_ENABLED\` switches it off" >&2
else
    while IFS='|' read -r name place purpose; do
        value=${!name:-}
        if [[ -z ${value//[[:space:]]/} ]]; then
            echo "error: \`$name\` is missing or empty: $purpose; set it as a repository $place" >&2
            code=2
        fi
    done <<<"$required"
fi
"$tools/pipeline/staging.sh" check || code=$?
exit "$code"
