#!/bin/sh
# Make the certificates of the telemetry overlays: a CA, the collector, the client, Prometheus, Tempo and Loki.
#
#   ops/devops/telemetry/generate_dev_tls.sh [argument of `collimate tls generate`]...
#
# Writes to `deploy/telemetry/certs` of this checkout unless a folder is named. What is valid stays as it is. Output and exit code
# are those of `collimate tls generate`: 0 fine, 2 usage, 3 what lies there cannot be used, 4 something outside failed or
# collimate itself is missing.
set -eu

# The checkout that this file lies in; a link to the script may lie anywhere.
script=$0
while [ -L "$script" ]; do
    target=$(readlink "$script")
    case $target in
        /*) script=$target ;;
        *) script=$(dirname "$script")/$target ;;
    esac
done
checkout=$(CDPATH= cd "$(dirname "$script")/../../.." && pwd -P)

# `COLLIMATE`, else PATH, else the build folder of the checkout. Never the current folder, which anybody may have
# filled: relative entries of PATH do not count.
find_collimate() {
    case ${COLLIMATE:-} in
        '') ;;
        /*) printf '%s\n' "$COLLIMATE"; return ;;
        *) printf '%s\n' "$PWD/$COLLIMATE"; return ;;
    esac
    set -f # PATH holds folders, not patterns
    IFS=:
    for folder in $PATH "$checkout/target/release" "$checkout/target/debug"; do
        case $folder in
            /*) if [ -f "$folder/collimate" ] && [ -x "$folder/collimate" ]; then
                printf '%s\n' "$folder/collimate"
                return
            fi ;;
        esac
    done
}

program=$(find_collimate) # in a subshell, which keeps IFS to itself
if [ -z "$program" ]; then
    echo "collimate is not installed; run: cargo install --locked --path '$checkout/crates/collimate'" >&2
    exit 4
fi

# The folder stays the current one, which a folder that is named is relative to; the default is the checkout's.
exec "$program" --workspace "$checkout/collimate.yaml" tls generate "$@"
