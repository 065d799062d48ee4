# shellcheck shell=bash disable=SC2016,SC2153,SC2154
# Staging by Docker Compose on a host that is reached over SSH; sourced by staging.sh.
#
# On the host, below STAGING_FOLDER: `tree/` is what was deployed last, `stage.env` holds what belongs to this host alone
# (secrets, addresses) and is made by people, `.pipeline-lock` names the run that has staging. The release's images come from the
# tree, so that a rollback takes them back too.

configured() {
    : "${STAGING_FOLDER:=/opt/stellaops}" "${STAGING_SSH_PORT:=22}" "${STAGING_OVERLAYS:=}"
    if require STAGING_SSH_HOST 'the host of staging, such as `deploy@stage.example.internal`'; then
        plain STAGING_SSH_HOST '([a-z_][a-z0-9_-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*' '`user@host`'
    fi
    if require STAGING_SSH_KEY 'private key that may log in there'; then
        # Its words are not shown, nor looked at further.
        [[ $STAGING_SSH_KEY == *'PRIVATE KEY'* ]] || problem '`STAGING_SSH_KEY` is malformed: it must be a private key in PEM'
    fi
    require STAGING_SSH_KNOWN_HOSTS 'public key of that host, as `ssh-keyscan` prints it' || true
    plain STAGING_FOLDER '/[A-Za-z0-9._/-]+' 'an absolute path of letters, digits and `._/-`'
    plain STAGING_SSH_PORT '[0-9]{1,5}' 'a port'
    plain STAGING_OVERLAYS '[a-z -]*' 'names of overlays with blanks between'
}

remote() { # command and arguments, of plain characters
    printf '%s\n' "$STAGING_SSH_KEY" >"$scratch/key"
    printf '%s\n' "$STAGING_SSH_KNOWN_HOSTS" >"$scratch/known_hosts"
    # A limit of our own: not every host limits jobs.
    timeout "$((STAGING_DEPLOY_SECONDS + 120))" ssh -i "$scratch/key" -p "$STAGING_SSH_PORT" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \
        -o "UserKnownHostsFile=$scratch/known_hosts" -o ConnectTimeout=20 -o ServerAliveInterval=15 \
        -o ServerAliveCountMax=4 -- "$STAGING_SSH_HOST" "$@"
}

# Exit code 1: somebody else has it.
take_lock() {
    local code=0
    remote sh -s -- "$STAGING_FOLDER" "$owner" "$STAGING_LOCK_MINUTES" <<'REMOTE' || code=$?
set -eu
cd "$1"
# Looking and taking are one step for everybody who asks here; the host's clock alone counts.
exec 9>.pipeline-lock.guard
flock -w 20 9
now=$(date +%s)
if [ -s .pipeline-lock ]; then
    read -r since holder <.pipeline-lock
    minutes=$(((now - since) / 60))
    if [ "$holder" != "$2" ]; then
        if [ "$minutes" -lt "$3" ]; then
            echo "staging is taken by \`$holder\` for $minutes minutes" >&2
            exit 75
        fi
        echo "warning: \`$holder\` took staging $minutes minutes ago and never gave it back: its lock is stale" >&2
    fi
fi
echo "$now $2" >.pipeline-lock.new
mv .pipeline-lock.new .pipeline-lock
REMOTE
    case $code in
        0) return 0 ;;
        75) return 1 ;;
        *) fail 4 "the lock of staging cannot be taken on \`$STAGING_SSH_HOST\`; does \`$STAGING_FOLDER\` exist there?" ;;
    esac
}

free_lock() {
    remote sh -s -- "$STAGING_FOLDER" "$owner" <<'REMOTE' || fail 4 "the lock of staging cannot be given back"
set -eu
cd "$1"
exec 9>.pipeline-lock.guard
flock -w 20 9
if [ -s .pipeline-lock ] && read -r since holder <.pipeline-lock && [ "$holder" = "$2" ]; then
    rm .pipeline-lock
    echo "staging is free"
else
    echo "staging is not taken by this run"
fi
REMOTE
}

deploy() {
    git archive --format=tar HEAD collimate.yaml deploy |
        remote "cd $STAGING_FOLDER && rm -rf tree.new.* && mkdir tree.new.$$ && tar -x -f - -C tree.new.$$" ||
        fail 4 "the tree cannot be brought to \`$STAGING_SSH_HOST\`; nothing was changed there"
    local files=("docker-compose.$profile.yaml") overlay code=0
    for overlay in $STAGING_OVERLAYS; do
        [[ -f deploy/compose/docker-compose.$overlay.yaml ]] || fail 2 "\`STAGING_OVERLAYS\`: there is no overlay \`$overlay\`"
        files+=("docker-compose.$overlay.yaml")
    done
    remote sh -s -- "$STAGING_FOLDER" "$owner" "tree.new.$$" "$profile" "$STAGING_DEPLOY_SECONDS" "${files[@]}" <<'REMOTE' || code=$?
set -eu
folder=$1 owner=$2 new=$3 profile=$4 seconds=$5
shift 5
cd "$folder"
give_up() {
    rm -rf "$new"
    echo "error: $2" >&2
    exit "$1"
}
# Another run may have taken a lock for stale that was only slow.
{ read -r since holder <.pipeline-lock && [ "$holder" = "$owner" ]; } 2>/dev/null || give_up 4 "this run has no longer the lock of staging"
[ -f "$profile.env" ] || give_up 2 "\`$folder/$profile.env\` is missing: secrets and addresses of this host"
# It is laid over the example that carries the release's images, and would keep an image that no release names.
! grep -Eq '^[[:space:]]*(export[[:space:]]+)?[A-Za-z0-9_]*_IMAGE=' "$profile.env" ||
    give_up 2 "\`$folder/$profile.env\` names an image: remove it, the tree does"
# Certificates are made on this host and stay with it. Containers hold the folder itself, not its path.
if [ -d tree/deploy/telemetry/certs ]; then mv tree/deploy/telemetry/certs "$new/deploy/telemetry/certs"; fi
rm -rf tree.old
if [ -d tree ]; then mv tree tree.old; fi
mv "$new" tree
rm -rf tree.old
cd tree/deploy/compose
for file do set -- "$@" -f "$file"; shift; done
# Several --env-file: the later one wins. Nothing may read this script's own input.
docker compose --env-file "env/$profile.env.example" --env-file "$folder/$profile.env" "$@" \
    up --detach --wait --wait-timeout "$seconds" --remove-orphans --quiet-pull </dev/null || exit 4
REMOTE
    case $code in
        0) ;;
        2) exit 2 ;;
        *) fail 4 "the deployment did not come up on \`$STAGING_SSH_HOST\`" ;;
    esac
}

running() {
    # Quoted for the shell over there; the stores of an overlay carry no release and do not count.
    remote "docker ps --filter label=org.stellaops.release.profile=$profile --format '{{.Names}}\t{{.Image}}\t{{.Label \"org.stellaops.release.version\"}}'" ||
        fail 4 "what runs on \`$STAGING_SSH_HOST\` cannot be read"
}
