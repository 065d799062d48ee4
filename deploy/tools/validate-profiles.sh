#!/bin/sh
# Check every profile, with collimate and with the real tools: `docker compose config`, `helm lint`, `helm template`.
#
#   deploy/tools/validate-profiles.sh [argument of `collimate check`]...
#
# Output and exit code are those of `collimate check --peers=require`: 0 fine, 1 findings, 2 usage, 3 a file cannot be
# read, 4 Docker CLI, Helm or collimate itself is missing.
set -eu
checkout=$(CDPATH= cd "$(dirname "$(readlink -f "$0")")/../.." && pwd -P)
exec "$checkout/deploy/tools/collimate.sh" --workspace "$checkout/collimate.yaml" check --peers=require "$@"
