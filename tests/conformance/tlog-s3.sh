#!/usr/bin/env bash
# The files of the log in S3, against moto's server: the suite that the folder passes too, and a log sealed into buckets
# under Object Lock. Needs python3 with venv, and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Its threads change places only where they wait, so that the condition of a write and the write are one step, as in S3.
. tests/conformance/moto-server.sh \
	-c 'import sys; sys.setswitchinterval(60); from moto.server import main; main(sys.argv[1:])'
npx vitest run --reporter=verbose --config tests/conformance/tlog/vitest.config.ts
