#!/usr/bin/env bash
# Logs that our sealer made, sound and tampered with, checked by programs that are not ours: Go's sumdb packages,
# @sigstore/verify and Tessera's fsck, each pinned by hashes; beside them our own verifier. Before that, our verifier of
# signatures by Project Wycheproof's vectors. Needs Go 1.25 or later, and node_modules. Go keeps what it fetched and built
# where it always does.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2>/dev/null || true; rm -rf "$work"' EXIT
here=tests/conformance/tlog
# Without C: nothing here needs it, and half the build is its.
export HOME="${HOME:-$work}" GOTOOLCHAIN=local CGO_ENABLED=0

version=$(go env GOVERSION 2>/dev/null || echo go0)
if [ "$(printf '%s\n' go1.25 "$version" | sort -V | head -n 1)" != go1.25 ]; then
	echo "Error: Go 1.25 or later is missing (found: ${version/go0/none}); golang.org/x/mod 0.40 and Tessera's fsck need it."
	exit 1
fi
build() { go build -C "$here/$1" -modcacherw -buildvcs=false -o "$work/$2" "${@:3}"; }

failed=0
# Checked against go.sum; what it holds is read, and nothing of it is run.
vectors=$(cd "$here/wycheproof" && go mod download -modcacherw -json github.com/c2sp/wycheproof | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
node --import tsx "$here/wycheproof.ts" "$vectors/testvectors_v1/ed25519_test.json" || failed=1

node --import tsx "$here/make.ts" "$work/cases" &
making=$!
build go check .
# The last version that has the fault, to show that the case is that of CVE-2026-56865.
build go check-vulnerable -modfile=vulnerable.mod .
build tessera fsck github.com/transparency-dev/tessera/cmd/fsck
cp "$here"/sigstore/package*.json "$work"
npm ci --prefix "$work" --ignore-scripts --silent
wait "$making"

"$work/check" "$work/cases" >"$work/go.lines" || failed=1
node --import tsx "$here/sigstore.ts" "$work/cases" "$work" >"$work/sigstore.lines" || failed=1
node --import tsx "$here/judge.ts" "$work/cases" "$work/go.lines" "$work/sigstore.lines" "$work/fsck" || failed=1
echo 'The entry and its tile of CVE-2026-56865, by the tile reader alone:'
"$work/check" -reader refuses "$work/cases" 2>&1 || failed=1
"$work/check-vulnerable" -reader verifies "$work/cases" 2>&1 || failed=1
exit "$failed"
