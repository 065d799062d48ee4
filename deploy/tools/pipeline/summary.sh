#!/usr/bin/env bash
# Say in a few lines what happened to staging, in the summary of the run and in out/summary.md.
#
# Reads what the workflow knows of its steps from the environment: DEPLOY, FIRST, SECOND, MARKED, ROLLED_BACK, PUBLISHED.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
mkdir -p out

case ${FIRST:-} in
    passed) headline="Good: events become deliveries, and the release is marked good" ;;
    skipped) headline="NOT CHECKED: notify-smoke is switched off; nothing is marked good" ;;
    broken)
        case ${SECOND:-} in
            passed) headline="Rolled back: events did not become deliveries; after the redeployment they do" ;;
            broken) headline="STILL BROKEN after the rollback: look at staging, not at the release" ;;
            *) headline="BROKEN, and how staging is now is not known" ;;
        esac
        ;;
    *) headline="Not known: nothing was rolled back and nothing was marked good" ;;
esac
if [[ ${FIRST:-} == passed && ${MARKED:-} != success ]]; then
    headline="Events become deliveries, but the release could not be marked good"
fi

row() { # WHAT VALUE
    printf '| %s | %s |\n' "$1" "${2:-not tried}"
}
log() { # NAME
    if [[ -s out/$1.log ]]; then
        # A longer fence than any text of the log can close.
        printf '\n<details><summary>%s</summary>\n\n``````text\n' "$1"
        # shellcheck disable=SC2016
        sed 's/``````/`````/g' "out/$1.log"
        printf '``````\n\n</details>\n'
    fi
}
{
    printf '## Staging: %s\n\n' "$headline"
    printf '| step | result |\n|---|---|\n'
    row deployment "${DEPLOY:-}"
    row notify-smoke "${FIRST:-}"
    row mark-good "${MARKED:-}"
    row 'rollback and redeployment' "${ROLLED_BACK:-}"
    row 'notify-smoke again' "${SECOND:-}"
    row 'ledger published' "${PUBLISHED:-}"
    log notify-smoke
    log notify-smoke-again
} >out/summary.md
cat out/summary.md
# Hosts without summaries have it in the log and among the artefacts.
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then cat out/summary.md >>"$GITHUB_STEP_SUMMARY"; fi
