#!/bin/sh
# Measures branches beside PostgreSQL's own ways of copying a database. It mounts file systems, so it takes root.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
    echo 'Branches are measured as root alone, who can mount file systems: left out.' >&2
    exit 0
fi
cargo build --release --locked --quiet -p plimsoll
program="$(sh scripts/target-folder.sh)/release/plimsoll"
sh scripts/ensure-server.sh "$program" 18
PATH="$("$program" server find 18):$PATH" exec python3 benches/branches.py "$program" "$@"
