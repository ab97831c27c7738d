#!/usr/bin/env bash
# What the ledger asks of DynamoDB, against AWS's own DynamoDB Local: the contract suite and the ledger's store, PartiQL
# INSERT and what it says of a duplicate among them. Fetches it with Maven; needs a JRE of 17 or later and node_modules.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends default-jre-headless maven >/dev/null
fi
lib="${FAIRLEAD_DYNAMODB_LOCAL:-$work/lib}"
[ -d "$lib" ] || mvn --batch-mode --quiet --file tests/conformance/dynamodb-local/pom.xml \
	dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$lib"

port="${FAIRLEAD_DYNAMODB_PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}"
# Not shared: each key id has tables of its own, as each test has.
java -Djava.library.path="$lib" -cp "$lib/*" com.amazonaws.services.dynamodbv2.local.main.ServerRunner \
	-inMemory -disableTelemetry -port "$port" >"$work/log" 2>&1 &
server=$!
export FAIRLEAD_DYNAMODB_ENDPOINT="http://127.0.0.1:$port"
for _ in $(seq 60); do
	# Unsigned, so refused: it listens.
	if curl -sS -o /dev/null "$FAIRLEAD_DYNAMODB_ENDPOINT" 2>/dev/null; then break; fi
	kill -0 "$server" || { cat "$work/log"; exit 1; }
	sleep 0.5
done
npx vitest run --reporter=verbose --no-file-parallelism tests/contract/dynamodb.test.ts tests/core/ledger-store.test.ts
