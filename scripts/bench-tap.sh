#!/bin/sh
# Measures the tap's throughput beside a direct connection and pgbouncer, which is left out where it isn't installed.
set -eu
cd "$(dirname "$0")/.."

if ! command -v pgbouncer >/dev/null 2>&1; then
    echo 'pgbouncer is not installed, so it is not measured: on Debian, apt-get install pgbouncer.' >&2
fi
cargo build --release --locked --quiet -p plimsoll
program="$(sh scripts/target-folder.sh)/release/plimsoll"
sh scripts/ensure-server.sh "$program" 18
exec python3 benches/tap.py "$program" "$@"
