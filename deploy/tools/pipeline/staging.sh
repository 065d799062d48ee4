#!/usr/bin/env bash
# What the pipeline does to staging. One file for every way to deploy, so that a rollback is deployed by what deployed the
# release that broke.
#
#   staging.sh check      what is configured can be used (exit 2: all that cannot is listed)
#   staging.sh lock       take staging for this run; waits for another run's lock, takes over a stale one
#   staging.sh deploy     bring what HEAD holds to staging
#   staging.sh running    print, as JSON, which release runs there by the labels of what runs
#   staging.sh unlock     give staging back
#
# Configuration comes from the environment, see docs/ci.md. Exit code: 0 done, 2 configuration, 4 staging cannot be reached
# or refuses. Never 1: that is the code on which the pipeline rolls back, and only `collimate smoke notify` may say it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
here=deploy/tools/pipeline

fail() { # CODE MESSAGE
    echo "error: $2" >&2
    exit "$1"
}

problems=0
problem() {
    echo "error: $1" >&2
    problems=$((problems + 1))
}

require() { # NAME PURPOSE
    local value=${!1:-}
    if [[ -z ${value//[[:space:]]/} ]]; then
        problem "\`$1\` is missing or empty: $2"
        return 1
    fi
}

# What becomes part of a command is of these characters only, so that no shell on the way finds anything to do in it.
plain() { # NAME PATTERN WHAT
    if [[ ! ${!1} =~ ^($2)$ ]]; then
        problem "\`$1\` is malformed: it must be $3"
    fi
}

: "${STAGING_LOCK_MINUTES:=120}" "${STAGING_LOCK_WAIT_SECONDS:=900}" "${STAGING_DEPLOY_SECONDS:=900}"
# The profile of staging, as its files and the labels of its containers name it.
# shellcheck disable=SC2034
profile=stage
# Who holds the lock. Several repositories may deploy to one place.
owner=${GITHUB_REPOSITORY:-local}/run-${GITHUB_RUN_ID:-$$}.${GITHUB_RUN_ATTEMPT:-1}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 077 # keys are written below

method=${STAGING_METHOD:-}
case $method in
    compose | helm)
        # shellcheck source=/dev/null
        source "$here/staging-$method.sh"
        configured
        ;;
    '') problem "\`STAGING_METHOD\` is missing or empty: how staging is deployed, \`compose\` or \`helm\`" ;;
    *) problem "\`STAGING_METHOD\` is malformed: it must be \`compose\` or \`helm\`" ;;
esac
for name in STAGING_LOCK_MINUTES STAGING_LOCK_WAIT_SECONDS STAGING_DEPLOY_SECONDS; do
    plain "$name" '[0-9]{1,5}' 'a whole number'
done
[[ $owner =~ ^[A-Za-z0-9._/-]+$ ]] || problem "this run has a name that cannot be written into a lock"
if ((problems)); then
    echo "hint: set them as repository variables or secrets; docs/ci.md explains each" >&2
    exit 2
fi

# Prints JSON for the ledger from lines of name, image and release, separated by tabs.
as_json() {
    awk -F '\t' -v method="$method" '
        NF != 3 || $0 !~ /^[A-Za-z0-9._:\/@+\t-]+$/ { print "error: not understood: a line of what runs" > "/dev/stderr"; bad = 1; exit }
        { release[$3] = 1; last = $3; rows = rows (NR > 1 ? ",\n" : "") "    {\"name\": \"" $1 "\", \"image\": \"" $2 "\", \"release\": \"" $3 "\"}" }
        END {
            if (bad) exit 4
            count = 0
            for (name in release) { count++; list = list " " name }
            if (count == 0) { print "error: nothing that runs there names its release" > "/dev/stderr"; exit 4 }
            if (count > 1) { print "error: several releases run at once:" list > "/dev/stderr"; exit 4 }
            printf "{\n  \"release\": \"%s\",\n  \"method\": \"%s\",\n  \"running\": [\n%s\n  ]\n}\n", last, method, rows
        }'
}

case ${1:-} in
    check) echo "staging is deployed by \`$method\`" ;;
    lock)
        waited=0
        until take_lock; do
            ((waited < STAGING_LOCK_WAIT_SECONDS)) ||
                fail 4 "staging is taken by another run; wait for it, or see docs/ci.md on how to free it by hand"
            sleep 10
            waited=$((waited + 10))
        done
        echo "staging is taken by \`$owner\`"
        ;;
    deploy)
        # What runs must be what is recorded.
        git diff --quiet HEAD -- collimate.yaml deploy || fail 4 "\`deploy\` holds changes that are not committed"
        deploy
        echo "deployed $(git rev-parse --short=12 HEAD)"
        ;;
    running) running | sort | as_json ;;
    unlock) free_lock ;;
    *) fail 2 "usage: staging.sh check|lock|deploy|running|unlock" ;;
esac
