#!/usr/bin/env bash
# In place of Compose as a program of its own: `collimate check --peers` prefers it to the plugin.
set -euo pipefail
exec "$RUNBOOK_COMPOSE" "$@"
