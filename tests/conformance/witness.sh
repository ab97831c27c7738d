#!/usr/bin/env bash
# Witnesses by programs that are not ours, pinned by hashes: Torchwood's litewitness cosigns our log, a log of Tessera's is
# cosigned by our witness, Torchwood judges both. Needs Go 1.25 or later, and node_modules. Go keeps what it fetched and
# built where it always does.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=tests/conformance/witness
# Without C: nothing here needs it.
export HOME="${HOME:-$work}" GOTOOLCHAIN=local CGO_ENABLED=0

version=$(go env GOVERSION 2>/dev/null || echo go0)
if [ "$(printf '%s\n' go1.25 "$version" | sort -V | head -n 1)" != go1.25 ]; then
	echo "Error: Go 1.25 or later is missing (found: ${version/go0/none})."
	exit 1
fi
mkdir "$work/bin" "$work/run"
go build -C "$here/go" -modcacherw -buildvcs=false -o "$work/bin/others" .
go build -C "$here/go" -modcacherw -buildvcs=false -o "$work/bin/litewitness" filippo.io/torchwood/cmd/litewitness
node --import tsx "$here/judge.ts" "$work/bin" "$work/run"
