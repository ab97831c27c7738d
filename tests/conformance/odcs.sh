#!/usr/bin/env bash
# Contracts against the official JSON schema of the Open Data Contract Standard, which is inside a PyPI package.
# Installs what it needs into a folder of its own; needs python3 with venv, and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv="${FAIRLEAD_ODCS_VENV:-$work/venv}"
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/pip" install --quiet --disable-pip-version-check \
	open-data-contract-standard==3.1.2 jsonschema==4.25.1 rfc3339-validator==0.1.4 rfc3986-validator==0.1.1

node --import tsx tests/conformance/odcs/lake.ts "$work/lake" >&2
npm run --silent contract:draft -- --lake "$work/lake" --out "$work/drafts" >&2

node --import tsx tests/conformance/odcs/judge.ts \
	local/sample/contracts/*.yaml tests/fixtures/berka/contracts/*.yaml "$work"/drafts/*.yaml |
	"$venv/bin/python" tests/conformance/odcs.py
