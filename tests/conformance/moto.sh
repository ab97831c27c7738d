#!/usr/bin/env bash
# The bookkeeping of Lake Formation and of Athena's work groups: one suite, against moto's server. npm test runs it against
# the embedded AWS. Needs python3 with venv, and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/conformance/moto-server.sh
# One server, one file at a time.
npx vitest run --reporter=verbose --no-file-parallelism tests/contract/shared
