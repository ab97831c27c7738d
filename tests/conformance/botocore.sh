#!/usr/bin/env bash
# Every request and every answer of the embedded AWS against botocore's models of the services: the contract suites, the
# ledger's store, its sealer and a whole story are recorded, then checked. Needs python3 with venv, and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=tests/conformance/botocore
venv="${FAIRLEAD_BOTOCORE_VENV:-$work/venv}"
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/requirements.txt"

recording="${FAIRLEAD_RECORD:-$work/recording}"
export FAIRLEAD_RECORD="$recording"
npx vitest run tests/contract tests/core/ledger-store.test.ts tests/tlog/store.test.ts
npm start --silent -- --once --json >/dev/null
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/check.py" "$recording" .
