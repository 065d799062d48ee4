#!/bin/sh
# Check every profile, with collimate and with the real tools: `docker compose config`, `helm lint`, `helm template`.
#
#   deploy/tools/validate-profiles.sh [argument of `collimate check`]...
#
# Output and exit code are those of `collimate check --peers=require`: 0 fine, 1 findings, 2 usage, 3 a file cannot be
# read, 4 Docker CLI, Helm or collimate itself is missing.
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
checkout=$(CDPATH= cd "$(dirname "$script")/../.." && pwd -P)

# `COLLIMATE`, else PATH, else the build folder of the checkout. Never the current folder, which anybody may have
# filled: relative entries of PATH do not count.
find_collimate() {
    case ${COLLIMATE:-} in
        '') ;;
        /*) printf '%s\n' "$COLLIMATE"; return ;;
        *) printf '%s\n' "$PWD/$COLLIMATE"; return ;; # the folder changes below
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

cd "$checkout"
exec "$program" check --peers=require "$@"
