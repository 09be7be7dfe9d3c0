#!/usr/bin/env bash
# Every benchmark in turn, one JSON line each; smtp-source beside the sender on the same machine.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
registrants=${REGISTRANTS:-50000}
port=${PORT:-2525}
if ! command -v smtp-sink >/dev/null; then
  echo "The send benchmark needs Postfix's smtp-sink and smtp-source (Debian: apt-get install postfix)." >&2
  exit 1
fi
user=(); [ "$(id -u)" = 0 ] && user=(-u nobody)
smtp-sink "${user[@]}" -c "127.0.0.1:$port" 1000 >/dev/null 2>&1 &
sink=$!
trap 'kill $sink 2>/dev/null || true' EXIT
sleep 1

source_rate() {
  local began ended
  began=$(date +%s.%N)
  smtp-source -s 10 -m "$registrants" -l 20480 -d -f news@example.org -t reader@example.net "127.0.0.1:$port"
  ended=$(date +%s.%N)
  awk -v m="$registrants" -v b="$began" -v e="$ended" \
    'BEGIN { printf "{\"smtp_source_per_second\": %d, \"messages\": %d}\n", m / (e - b), m }'
}

for round in 1 2 3; do
  source_rate
  "$python" -W ignore -m benchmarks.send --registrants "$registrants" --smtp "127.0.0.1:$port" --workers 1
done
"$python" -W ignore -m benchmarks.send --registrants "$registrants" --smtp "127.0.0.1:$port" --workers 2
"$python" -W ignore -m benchmarks.track --requests 50000
