# shellcheck shell=bash disable=SC2154
# Staging by Helm in a Kubernetes namespace; sourced by staging.sh.

configured() {
    : "${STAGING_NAMESPACE:=stellaops}" "${STAGING_RELEASE_NAME:=stellaops}"
    require STAGING_KUBECONFIG 'kubeconfig of an account that may change this namespace' || true
    plain STAGING_NAMESPACE '[a-z0-9]([a-z0-9-]*[a-z0-9])?' 'the name of a namespace'
    plain STAGING_RELEASE_NAME '[a-z0-9]([a-z0-9-]*[a-z0-9])?' 'the name of a Helm release'
    printf '%s\n' "${STAGING_KUBECONFIG:-}" >"$scratch/kubeconfig"
    export KUBECONFIG=$scratch/kubeconfig
}

lock=collimate-pipeline

kube() {
    kubectl "$@" --request-timeout=30s
}

# A Lease, which the cluster creates once only. VERSION, if given, is the one that is replaced; somebody faster makes that fail.
lease() { # [VERSION]
    printf '%s\n' 'apiVersion: coordination.k8s.io/v1' 'kind: Lease' 'metadata:' "  name: $lock" "  namespace: $STAGING_NAMESPACE"
    if [[ -n ${1:-} ]]; then printf '  resourceVersion: "%s"\n' "$1"; fi
    printf '%s\n' 'spec:' "  holderIdentity: $owner" "  leaseDurationSeconds: $((STAGING_LOCK_MINUTES * 60))" \
        "  acquireTime: \"$(date -u +%Y-%m-%dT%H:%M:%S.000000Z)\""
}

holder() { # prints version, holder and moment
    kube get lease "$lock" --namespace "$STAGING_NAMESPACE" --ignore-not-found \
        --output 'jsonpath={.metadata.resourceVersion} {.spec.holderIdentity} {.spec.acquireTime}'
}

# Exit code 1: somebody else has it.
take_lock() {
    local version='' name='' since='' minutes
    holder >"$scratch/lease" || fail 4 "the lock of staging cannot be read; may this account read leases in \`$STAGING_NAMESPACE\`?"
    read -r version name since <"$scratch/lease" || true
    if [[ -z $version ]]; then
        lease | kube create --filename - >&2 || return 1
        return 0
    fi
    if [[ $name != "$owner" ]]; then
        minutes=$((($(date +%s) - $(date -d "$since" +%s)) / 60))
        if ((minutes < STAGING_LOCK_MINUTES)); then
            echo "staging is taken by \`$name\` for $minutes minutes" >&2
            return 1
        fi
        echo "warning: \`$name\` took staging $minutes minutes ago and never gave it back: its lock is stale" >&2
    fi
    lease "$version" | kube replace --filename - >&2 || return 1
}

has_lock() {
    local version='' name='' since=''
    holder >"$scratch/lease" || fail 4 "the lock of staging cannot be read"
    read -r version name since <"$scratch/lease" || true
    [[ $name == "$owner" ]]
}

free_lock() {
    if has_lock; then
        kube delete lease "$lock" --namespace "$STAGING_NAMESPACE" >&2 || fail 4 "the lock of staging cannot be given back"
        echo "staging is free"
    else
        echo "staging is not taken by this run"
    fi
}

deploy() {
    has_lock || fail 4 "this run has no longer the lock of staging"
    mkdir "$scratch/tree"
    git archive --format=tar HEAD deploy/helm | tar -x -f - -C "$scratch/tree"
    # Not --atomic: whether to go back is decided by what the smoke check sees, and then it is recorded.
    timeout "$((STAGING_DEPLOY_SECONDS + 120))" helm upgrade --install "$STAGING_RELEASE_NAME" "$scratch/tree/deploy/helm/stellaops" --namespace "$STAGING_NAMESPACE" \
        --values "$scratch/tree/deploy/helm/stellaops/values-$profile.yaml" --wait --timeout "${STAGING_DEPLOY_SECONDS}s" ||
        fail 4 "the deployment did not come up in \`$STAGING_NAMESPACE\`"
}

running() {
    # Pods that are on their way out still run; they say nothing about what was deployed.
    kube get pods --namespace "$STAGING_NAMESPACE" --selector "org.stellaops.release.profile=$profile" \
        --field-selector status.phase=Running --output 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.spec.containers[0].image}{"\t"}{.metadata.labels.org\.stellaops\.release\.version}{"\t"}{.metadata.deletionTimestamp}{"\n"}{end}' \
        >"$scratch/pods" || fail 4 "what runs in \`$STAGING_NAMESPACE\` cannot be read"
    awk -F '\t' -v OFS='\t' 'NF && $4 == "" { print $1, $2, $3 }' "$scratch/pods"
}
