#!/usr/bin/env bash
# Make .venv from the pinned, hashed requirements with this machine's own Python.
set -euo pipefail
cd "$(dirname "$0")/.."
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1

python=""
for name in python3 python3.14 python3.13 python3.12 python3.11; do
  if command -v "$name" >/dev/null 2>&1 &&
    "$name" -c 'import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
    python=$(command -v "$name")
    break
  fi
done
if [ -z "$python" ]; then
  echo "Heed needs Python 3.11, 3.12, 3.13 or 3.14; none was found on PATH. Install one and run this again." >&2
  exit 1
fi

if command -v uv >/dev/null 2>&1; then
  uv=$(command -v uv)
else
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "This Python cannot make environments. On Debian: apt-get install python3-venv" >&2
    exit 1
  fi
  if [ ! -x .venv-uv/bin/uv ] || [ requirements/uv.txt -nt .venv-uv/.fetched ]; then
    echo "Fetching uv, which installs the rest ..."
    "$python" -m venv --clear .venv-uv
    pip=(.venv-uv/bin/python -m pip --disable-pip-version-check)
    # An older pip trusts only the certificates it brought along, unless told where the system's are.
    for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
      if [ -r "$bundle" ] && [ -z "${PIP_CERT:-}" ] && ! "${pip[@]}" config list | grep -q cert; then
        export PIP_CERT=$bundle
      fi
    done
    "${pip[@]}" install --quiet --require-hashes -r requirements/uv.txt
    touch .venv-uv/.fetched
  fi
  uv=.venv-uv/bin/uv
fi

echo "Installing the pinned libraries ..."
if ! .venv/bin/python -c "" 2>/dev/null; then
  rm -rf .venv
  "$uv" venv --quiet --python "$python" .venv
fi
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.txt
touch .venv/.set-up
