#!/usr/bin/env bash
# Reads and lineage against sqlglot, which is not ours, over analytic queries of our own. Installs the pinned wheel into a
# folder of its own; needs python3 with venv, and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=tests/conformance/sqlglot
venv="${FAIRLEAD_SQLGLOT_VENV:-$work/venv}"
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$here/requirements.txt"

node --import tsx "$here/corpus.ts" >"$work/corpus"
node --import tsx local/sql.ts --schema "$here/schema.json" <"$work/corpus" >"$work/answers"
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$here/compare.py" "$here/schema.json" "$work/corpus" "$work/answers" "$here/differences.json"
