#!/bin/sh
# Checks an offline bundle where collimate is not installed: needs a shell, coreutils, tar, gzip and OpenSSL 3.
#
#     sh verify.sh KEY.pem [ARCHIVE]
#
# KEY.pem is the public key that you trust: have it from somewhere else than this bundle. ARCHIVE is <name>.tar.gz with
# its .sig and .sha256 beside it; by default the one beside this folder. Where this script lies in an unpacked bundle, the
# files around it are held against the archive too: none changed, none missing, none added.
#
# A script that comes out of an archive cannot vouch for that archive. Before you unpack one, run the one line that this
# script runs as well:
#
#     openssl pkeyutl -verify -pubin -inkey KEY.pem -rawin -in ARCHIVE -sigfile ARCHIVE.sig
#
# Exit codes: 0 trusted, 2 wrong usage, 3 a file cannot be read, 4 a tool is missing, 5 not trusted.
set -u
LC_ALL=C
export LC_ALL

fail() {
    printf 'error: %s\n' "$2" >&2
    exit "$1"
}

[ $# -eq 1 ] || [ $# -eq 2 ] || fail 2 'usage: sh verify.sh KEY.pem [ARCHIVE]'
for tool in dirname basename sha256sum openssl tar gzip; do
    command -v "$tool" >/dev/null 2>&1 || fail 4 "\`$tool\` is not installed"
done
openssl version 2>/dev/null | {
    read -r kind version _
    case "$kind $version" in
    'OpenSSL '[012].*) fail 4 "OpenSSL 3 is needed; this is $version" ;;
    'OpenSSL '*) ;;
    *) fail 4 "OpenSSL 3 is needed; this is $kind $version" ;;
    esac
} || exit 4

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || fail 3 'the folder of this script cannot be read'
key=$1
archive=${2-$(dirname -- "$here")/$(basename -- "$here").tar.gz}
case $key in -*) key=./$key ;; esac
case $archive in -*) archive=./$archive ;; esac
name=$(basename -- "$archive" .tar.gz)

for file in "$key" "$archive" "$archive.sig" "$archive.sha256"; do
    [ -f "$file" ] && [ -r "$file" ] || fail 3 "\`$file\` cannot be read"
done
openssl pkey -pubin -in "$key" -noout 2>/dev/null || fail 3 "\`$key\` is no public key in PEM form"

openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$archive" -sigfile "$archive.sig" >/dev/null 2>&1 ||
    fail 5 "\`$archive\` was changed after it was signed, or signed with another key"
read -r digest _ <<SUM
$(sha256sum <"$archive")
SUM
read -r said file <"$archive.sha256"
[ "$said  $file" = "$digest  $name.tar.gz" ] || fail 5 "\`$archive.sha256\` is not that of the archive"
printf 'trusted: %s (sha256 %s)\n' "$archive" "$digest"

if [ ! -f "$here/SHA256SUMS" ]; then
    printf 'not unpacked: there is no SHA256SUMS beside this script, so that only the archive was looked at\n'
    exit 0
fi

# The list itself is taken from the archive, which is trusted by now.
inside=$(gzip -dc <"$archive" 2>/dev/null | tar -xOf - "$name/SHA256SUMS" 2>/dev/null | sha256sum)
cd -- "$here" || fail 3 "\`$here\` cannot be read"
[ "$inside" = "$(sha256sum <SHA256SUMS)" ] || fail 5 '`SHA256SUMS` in this folder is not the one in the archive'
sha256sum --check --strict --quiet SHA256SUMS || fail 5 'a file in this folder was changed or is missing'

listed='
SHA256SUMS
'
count=1
while read -r _ path; do
    [ -L "$path" ] && fail 5 "\`$path\` in this folder is a link"
    listed="$listed$path
"
    count=$((count + 1))
done <SHA256SUMS
# tar lists what is here, folders with a slash at the end.
tar -cf - . 2>/dev/null | tar -tf - | {
    while read -r path; do
        path=${path#./}
        case $path in '' | */) continue ;; esac
        case $listed in *"
$path
"*) ;;
        *) fail 5 "\`$path\` in this folder is not part of the bundle" ;;
        esac
    done
} || exit 5
printf 'trusted: %s (%s files)\n' "$here" "$count"
