#!/usr/bin/env bash
# Every benchmark in turn, one JSON line each; the sender in turn with smtp-source; goals at the end.
# REGISTRANTS=50000 ROUNDS=3; WHOLE=1 adds the campaign of a million (some minutes more).
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
registrants=${REGISTRANTS:-50000}
rounds=${ROUNDS:-3}
if ! command -v smtp-sink >/dev/null; then
  echo "The benchmarks need Postfix's smtp-sink and smtp-source (Debian: apt-get install postfix)." >&2
  exit 1
fi
lines=$(mktemp)
trap 'rm -f "$lines" "$lines.log"' EXIT

measure() {  # figures to standard output; what the engine logs is shown only where it fails
  "$python" -W ignore -m "benchmarks.$@" 2>"$lines.log" | tee -a "$lines" || {
    tail -n 20 "$lines.log" >&2
    exit 1
  }
}

measure send --registrants 10000
measure send --registrants "$registrants" --rounds "$rounds"
measure send --registrants "$registrants" --rounds "$rounds" --sinks 2
measure send --registrants "$registrants" --profile
measure ledger --registrants "$((registrants * 4))" --rounds "$rounds"
measure distance
measure track --requests 50000
if [ -n "${WHOLE:-}" ]; then
  measure ledger --registrants 1000000 --rounds 1
  measure million
fi
"$python" -m benchmarks.goals <"$lines"
