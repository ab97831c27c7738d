# Sourced by what runs against moto's server: makes a folder of its own, installs moto, starts the server and names it in
# FAIRLEAD_MOTO_ENDPOINT; all of that goes with the shell. Arguments are what runs in place of `-m moto.server`. Needs
# python3 with venv.
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
venv="${FAIRLEAD_MOTO_VENV:-$work/venv}"
if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r tests/conformance/moto/requirements.txt

[ $# -gt 0 ] || set -- -m moto.server
port="${FAIRLEAD_MOTO_PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}"
"$venv/bin/python" "$@" -H 127.0.0.1 -p "$port" >"$work/log" 2>&1 &
server=$!
export FAIRLEAD_MOTO_ENDPOINT="http://127.0.0.1:$port"
for _ in $(seq 60); do
	if curl -fsS "$FAIRLEAD_MOTO_ENDPOINT/moto-api/" >/dev/null 2>&1; then break; fi
	kill -0 "$server" || { cat "$work/log"; exit 1; }
	sleep 0.5
done
