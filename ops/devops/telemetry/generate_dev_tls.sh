#!/bin/sh
# Make the certificates of the telemetry overlays: a CA, the collector, the client, Prometheus, Tempo and Loki.
#
#   ops/devops/telemetry/generate_dev_tls.sh [argument of `collimate tls generate`]...
#
# Writes to `deploy/telemetry/certs` of this checkout unless a folder is named. What is valid stays as it is. Output and exit code
# are those of `collimate tls generate`: 0 fine, 2 usage, 3 what lies there cannot be used, 4 something outside failed or
# collimate itself is missing.
set -eu
checkout=$(CDPATH= cd "$(dirname "$(readlink -f "$0")")/../../.." && pwd -P)
exec "$checkout/deploy/tools/collimate.sh" --workspace "$checkout/collimate.yaml" tls generate "$@"
