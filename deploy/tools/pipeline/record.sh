#!/usr/bin/env bash
# Carry what `mark-good` and `rollback` wrote into version control: a rollback that only edits a checkout is none.
#
#   record.sh commit MESSAGE     commit it here, so that it can be deployed
#   record.sh publish            push it to the branch; where that is not possible or not wanted, open a change request
#
# LEDGER_MODE is `push` (default) or `change-request`. PUSH_TOKEN is the run's own token; it goes to git and curl by ways that
# no process list shows. Exit code: 0 done, 2 configuration, 4 the host refuses both ways.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

fail() { # CODE MESSAGE
    echo "error: $2" >&2
    exit "$1"
}

record() {
    git add -- collimate.yaml deploy docs # marked blocks of documents move with the release
    if git diff --cached --quiet; then
        echo "nothing to record"
        return
    fi
    # The commit must not start the pipeline that made it.
    git -c user.name="${COLLIMATE_BY:-pipeline}" -c user.email=pipeline@localhost commit --quiet --no-verify \
        --message "$1 [skip ci]"
    echo "recorded as $(git rev-parse --short=12 HEAD)"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

remote_git() {
    # shellcheck disable=SC2016
    printf '%s\n' '#!/bin/sh' 'case $1 in Username*) echo x-access-token ;; *) printf "%s\n" "$PUSH_TOKEN" ;; esac' >"$scratch/askpass"
    chmod 700 "$scratch/askpass"
    GIT_ASKPASS=$scratch/askpass GIT_TERMINAL_PROMPT=0 timeout 300 git "$@"
}

push() {
    remote_git push --quiet origin "HEAD:refs/heads/$branch" && return 0
    # Somebody was faster. Entries of the ledger are files of their own, so most of what meets here does not touch.
    remote_git fetch --quiet origin "$branch" || return 1
    git -c user.name="${COLLIMATE_BY:-pipeline}" -c user.email=pipeline@localhost rebase --quiet FETCH_HEAD || {
        git rebase --abort
        return 1
    }
    # Two changes that do not touch as texts may still contradict each other.
    deploy/tools/collimate.sh check >&2 && deploy/tools/collimate.sh history --verify >&2 || return 1
    remote_git push --quiet origin "HEAD:refs/heads/$branch"
}

change_request() {
    local head="pipeline/run-${GITHUB_RUN_ID:?}-${GITHUB_RUN_ATTEMPT:-1}"
    remote_git push --quiet origin "$made:refs/heads/$head" || fail 4 "neither \`$branch\` nor \`$head\` can be pushed"
    local title
    title=$(git log -1 --format=%s "$made")
    # Both hosts take the same call. The token comes from stdin; `printf` is no program of its own.
    TITLE=$title HEAD_BRANCH=$head BASE_BRANCH=$branch python3 -c 'import json, os; print(json.dumps({"title": os.environ["TITLE"], "head": os.environ["HEAD_BRANCH"], "base": os.environ["BASE_BRANCH"], "body": "What the pipeline did to staging. Until this is merged, the branch says something else than what runs."}))' >"$scratch/body.json"
    printf 'header = "Authorization: Bearer %s"\n' "${PUSH_TOKEN:?}" |
        curl --config - --silent --show-error --fail --max-time 60 --header 'Content-Type: application/json' \
            --data-binary "@$scratch/body.json" --output "$scratch/answer.json" \
            "${GITHUB_API_URL:?}/repos/${GITHUB_REPOSITORY:?}/pulls" ||
        fail 4 "the branch \`$head\` is pushed, but no change request can be opened for it: open it by hand"
    echo "::warning::a change request was opened from \`$head\`: until it is merged, \`$branch\` says something else than what runs"
}

case ${1:-} in
    commit) record "${2:?}" ;;
    publish)
        branch=${GITHUB_REF_NAME:?}
        made=$(git rev-parse HEAD)
        case ${LEDGER_MODE:-push} in
            push)
                if push; then
                    echo "pushed to \`$branch\`"
                else
                    change_request
                fi
                ;;
            change-request) change_request ;;
            *) fail 2 "\`LEDGER_MODE\` is malformed: it must be \`push\` or \`change-request\`" ;;
        esac
        ;;
    *) fail 2 "usage: record.sh commit MESSAGE | publish" ;;
esac
