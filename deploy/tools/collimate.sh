#!/bin/sh
# Run the `collimate` that belongs to this checkout; all documented entry points go through here.
#
#   deploy/tools/collimate.sh argument...
#
# The program is what `COLLIMATE` names, else the one on PATH, else the one built in the checkout that this file lies in. Never
# one in the current folder, which anybody may have filled: relative entries of PATH do not count. Output and exit code are
# the program's; 4 if there is none.
set -eu

checkout=$(CDPATH= cd "$(dirname "$(readlink -f "$0")")/../.." && pwd -P)

find_collimate() {
    if [ -n "${COLLIMATE:-}" ]; then
        printf '%s\n' "$COLLIMATE"
        return
    fi
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
    if [ -d "$checkout/crates/collimate" ]; then
        echo "collimate is not installed; run: cargo install --locked --path '$checkout/crates/collimate'" >&2
    else
        echo "collimate is not installed; put it on PATH, or name it with COLLIMATE=/path/to/collimate" >&2
    fi
    exit 4
fi
case $program in
    */*) ;;
    *) program=./$program ;; # else the shell would look for it on PATH
esac
exec "$program" "$@"
