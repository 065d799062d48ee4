#!/usr/bin/env bash
# In place of the Docker CLI: Compose itself is the real one. What needs an engine is answered from what Compose would have started.
set -euo pipefail
state=${RUNBOOK_STATE:?}

compose() {
    local before=() command=
    while (($#)); do
        case $1 in
            --env-file | -f | --file | -p | --project-name | --project-directory) before+=("$1" "$2"); shift 2 ;;
            -*) before+=("$1"); shift ;;
            *) command=$1; shift; break ;;
        esac
    done
    case $command in
        pull) "$RUNBOOK_COMPOSE" "${before[@]}" config --images >/dev/null ;;
        up)
            # As `up` does it, with the same words: an option that it does not know is refused here too.
            "$RUNBOOK_COMPOSE" "${before[@]}" up "$@" --help >/dev/null
            "$RUNBOOK_COMPOSE" "${before[@]}" config --format json >"$state/engine.json"
            ;;
        *) exec "$RUNBOOK_COMPOSE" "${before[@]}" "$command" "$@" ;;
    esac
}

engine() { # PYTHON: `services` are the containers that run
    python3 -c 'import json, os, sys
services = json.load(open(os.environ["RUNBOOK_STATE"] + "/engine.json"))["services"]
'"$1" "${@:2}"
}

case ${1:-} in
    compose) compose "${@:2}" ;;
    ps)
        [[ "$2 $3" == '--quiet --filter' && $4 == label=* ]] || { echo "docker: unknown arguments: $*" >&2; exit 2; }
        engine 'name, value = sys.argv[1].removeprefix("label=").split("=")
for service in sorted(services):
    if services[service].get("labels", {}).get(name) == value: print(service)' "$4"
        ;;
    inspect)
        [[ $2 == --format && $3 == '{"State":{"Running":{{.State.Running}}},"Config":{"Image":"{{.Config.Image}}"}}' ]] ||
            { echo "docker: unknown arguments: $*" >&2; exit 2; }
        engine 'for service in sys.argv[1:]:
    print(json.dumps({"State": {"Running": True}, "Config": {"Image": services[service]["image"]}}))' "${@:4}"
        ;;
    *) echo "docker: unknown command: $*" >&2; exit 2 ;;
esac
