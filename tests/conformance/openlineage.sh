#!/usr/bin/env bash
# The column lineage facet, read and written again by OpenLineage's own client, over the corpus of analytic queries.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check openlineage-python==1.54.0
node --import tsx tests/conformance/openlineage/facets.ts >"$work/facets"
PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" tests/conformance/openlineage/read.py <"$work/facets"
