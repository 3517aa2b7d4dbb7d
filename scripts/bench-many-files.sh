#!/bin/sh
# Measures lint of thousands of files beside squawk's wheel.
set -eu
cd "$(dirname "$0")/.."

sh scripts/ensure-bench-python.sh
cargo build --release --locked --quiet -p plimsoll
exec python3 benches/many_files.py "$(sh scripts/target-folder.sh)/release/plimsoll" target/bench-venv/bin/squawk
