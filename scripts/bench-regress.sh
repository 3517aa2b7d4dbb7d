#!/bin/sh
# What `plimsoll regress` takes, and whether a corpus that nobody changed raises an alarm, with TPC-H's tables and queries.
set -eu
cd "$(dirname "$0")/.."

cargo build --release --locked --quiet -p plimsoll
cargo build --release --locked --quiet -p plimsoll --example tpch
release="$(sh scripts/target-folder.sh)/release"
sh scripts/ensure-server.sh "$release/plimsoll" 18
exec python3 benches/regress.py "$release/plimsoll" "$release/examples/tpch" "$@"
