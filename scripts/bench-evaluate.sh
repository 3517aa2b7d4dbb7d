#!/bin/sh
# Measures `plimsoll evaluate` beside pandas and scikit-learn: speed and memory of whole processes, and whether they agree.
set -eu
cd "$(dirname "$0")/.."

sh scripts/ensure-bench-python.sh
cargo build --release --locked --quiet -p plimsoll
exec target/bench-venv/bin/python benches/evaluate.py "$(sh scripts/target-folder.sh)/release/plimsoll" "$@"
