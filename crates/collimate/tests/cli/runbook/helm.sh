#!/usr/bin/env bash
# In place of Helm: the real one, without a cluster. Helm 4 upgrades, because Helm 3 wants a cluster even for a dry run; Helm 3 does the rest,
# because that is the one which our output is compared with byte for byte.
set -euo pipefail
export HELM_DRIVER=memory HELM_MEMORY_DRIVER_DATA=$RUNBOOK_STATE/helm-releases.yaml
[[ -e $HELM_MEMORY_DRIVER_DATA ]] || echo '[]' >"$HELM_MEMORY_DRIVER_DATA"
case ${1:-} in
    upgrade)
        "$RUNBOOK_HELM" "$@" --dry-run=client >"$RUNBOOK_STATE/helm.txt"
        cat "$RUNBOOK_STATE/helm.txt"
        ;;
    test)
        # The release must be the one that was upgraded, and it must have a test.
        grep -qx "NAME: $2" "$RUNBOOK_STATE/helm.txt" && grep -qx "NAMESPACE: $4" "$RUNBOOK_STATE/helm.txt"
        grep -q 'helm.sh/hook.*test' "$RUNBOOK_STATE/helm.txt"
        ;;
    *) exec "$RUNBOOK_HELM3" "$@" ;;
esac
