#!/usr/bin/env bash
# Fetches one version of collimate, and says where it lies: the output `program`.
#
# What is fetched is not believed: SHA256SUMS must be signed with the key that the workflow names, and the archive must have the checksum
# that stands there, before anything of it is unpacked or run. With a program of the runner's own nothing is fetched at all.
# Exit codes are the program's: 2 for a wrong input, 4 for the outside world, 5 for what is not trusted.
set -euo pipefail

# No archive of ours comes near it; a server that sends without end is cut off.
most_bytes=$((256 * 1024 * 1024))

fail() {
  local code=$1 message=$2 hint=$3
  # One line each: a value that holds a line end could give the runner a command of its own.
  printf '::error title=collimate::%s (%s)\n' "${message//[$'\r\n']/ }" "${hint//[$'\r\n']/ }"
  exit "$code"
}

say() {
  if [[ -n ${GITHUB_OUTPUT:-} ]]; then
    printf 'program=%s\n' "$1" >>"$GITHUB_OUTPUT"
  fi
  "$1" --version
}

if [[ -n ${INPUT_BINARY:-} ]]; then
  program=$(command -v -- "$INPUT_BINARY" || true)
  if [[ ! -x $program || $program == *$'\n'* ]]; then
    fail 2 "there is no program '$INPUT_BINARY' on this runner" "give \`binary\` a path, or leave it out and give \`version\`, \`from\` and \`public-key\`"
  fi
  say "$(realpath -- "$program")"
  exit
fi

version=${INPUT_VERSION:-}
from=${INPUT_FROM:-}
if [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
  fail 2 "the input \`version\` is '$version'" "name one release, such as 0.1.0"
fi
if [[ -z ${INPUT_PUBLIC_KEY:-} ]]; then
  fail 2 "the input \`public-key\` is empty" "give the PEM of the key that releases are signed with; without it nothing that is fetched can be trusted"
fi
case $from in
  https://* | http://127.0.0.1[:/]* | /*) ;;
  *) fail 2 "the input \`from\` is '$from'" "give an address with https, or the absolute path of a folder" ;;
esac
case $(uname -s)-$(uname -m) in
  Linux-x86_64) platform=x86_64-linux ;;
  Linux-aarch64 | Linux-arm64) platform=aarch64-linux ;;
  *) fail 4 "there is no release for $(uname -s) on $(uname -m)" "build collimate from source, and give \`binary\`" ;;
esac

name=collimate-$version-$platform
archive=$name.tar.gz
folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/collimate-XXXXXX")
# Whatever was not trusted is gone before the next step.
trap '[[ -x $folder/$name/collimate ]] || rm -rf "$folder"' EXIT

get() {
  local file=$1 place=$from/v$version/$1
  if [[ $from == /* ]]; then
    cp -- "$place" "$folder/$file" 2>/dev/null || fail 4 "there is no '$place'" "check \`from\` and \`version\`"
    return
  fi
  local code=0
  curl --silent --show-error --fail --location --proto '=https,http' --proto-redir '=https' --retry 3 --connect-timeout 20 \
    --max-time 300 --max-filesize "$most_bytes" --output "$folder/$file" -- "$place" || code=$?
  case $code in
    0) ;;
    22) fail 4 "the server has no '$place'" "check \`from\` and \`version\`" ;;
    18) fail 4 "'$place' broke off" "try again" ;;
    *) fail 4 "cannot fetch '$place' (curl says $code)" "check the network, and \`from\`" ;;
  esac
}

get SHA256SUMS
get SHA256SUMS.sig
get "$archive"
cd "$folder"

printf '%s\n' "$INPUT_PUBLIC_KEY" >key.pem
if ! openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1; then
  fail 5 "the checksums of $version are not signed with the key of this workflow" "check \`public-key\`, and do not use what lies there"
fi
# Exactly the line of this archive: a name in another folder, or a second line, is none.
mapfile -t lines < <(awk -v name="$archive" '$2 == name && NF == 2' SHA256SUMS)
if ((${#lines[@]} != 1)); then
  fail 5 "the checksums of $version do not list '$archive' once" "check \`version\`; for this platform there may be no release"
fi
if ! printf '%s\n' "${lines[0]}" | sha256sum --check --strict --status; then
  fail 5 "'$archive' does not have the checksum that was signed" "try again; if it stays so, somebody has changed it"
fi
tar --extract --gzip --file "$archive" --no-same-owner "$name"
rm -f "$archive"
say "$folder/$name/collimate"
