#!/usr/bin/env bash
# Compile requirements/*.txt from pyproject.toml: pinned, hashed, without index addresses.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .venv-uv/bin/uv)
lock() {
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-header --no-emit-index-url "$@"
}
lock pyproject.toml -o requirements/runtime.txt
lock pyproject.toml --group embedded -c requirements/runtime.txt -o requirements/embedded.txt
lock pyproject.toml --group embedded --group dev -c requirements/embedded.txt -o requirements/dev.txt
