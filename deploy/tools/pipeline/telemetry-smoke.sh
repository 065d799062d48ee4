#!/usr/bin/env bash
# Make the telemetry certificates, start a real collector with the shipped configuration, and run the smoke test against it.
#
#   telemetry-smoke.sh COLLECTOR     a collector's program, such as target/peers/bin/otelcol; reports go to out/telemetry-smoke.*
#
# A process and no container: where the job itself is one, a container beside it cannot mount the job's folders. Exit code: the
# smoke test's; 4 if the collector does not come up.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
collector=$1
mkdir -p out/telemetry
ops/devops/telemetry/generate_dev_tls.sh

# Ports that are free now: other jobs may run on this machine.
read -r grpc http metrics health pprof own < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(6)]
for each in sockets:
    each.bind(("127.0.0.1", 0))
print(*(each.getsockname()[1] for each in sockets))')

export COLLECTOR_CERTS=$PWD/deploy/telemetry/certs/collector COLLECTOR_EXPORT=$PWD/out/telemetry
export COLLECTOR_GRPC=127.0.0.1:$grpc COLLECTOR_HTTP=127.0.0.1:$http COLLECTOR_METRICS=127.0.0.1:$metrics
export COLLECTOR_HEALTH=127.0.0.1:$health COLLECTOR_PPROF=127.0.0.1:$pprof COLLECTOR_SELF_PORT=$own
export TELEMETRY_DECISION_WAIT=1s
"$collector" --config deploy/telemetry/otel-collector-config.yaml \
    --config deploy/telemetry/otel-collector-config.airgap.yaml \
    --config deploy/telemetry/tests/otel-collector-config.test.yaml >out/telemetry-collector.log 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true' EXIT

for ((tries = 0; ; tries++)); do
    grep -q 'Everything is ready' out/telemetry-collector.log && break
    if ((tries == 300)) || ! kill -0 "$pid" 2>/dev/null; then
        echo "error: the collector did not come up:" >&2
        tail -n 20 out/telemetry-collector.log >&2
        exit 4
    fi
    sleep 0.1
done

code=0
python3 ops/devops/telemetry/smoke_otel_collector.py --host localhost --grpc-port "$grpc" --http-port "$http" \
    --metrics-port "$metrics" --health-port "$health" --file "traces=out/telemetry/traces.jsonl" \
    --file "logs=out/telemetry/logs.jsonl" --format junit --output out/telemetry-smoke.xml || code=$?
if ((code)); then
    echo "error: the telemetry smoke test ended with $code; see out/telemetry-smoke.xml" >&2
else
    echo "telemetry: sent, counted and read back"
fi
exit "$code"
