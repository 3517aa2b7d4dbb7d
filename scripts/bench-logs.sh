#!/bin/sh
# How fast `plimsoll logs` reads real logs of each format, and whether pgBadger counts the same.
set -eu
cd "$(dirname "$0")/.."

if ! command -v pgbadger >/dev/null; then
    echo 'pgBadger is missing: installing the system package pgbadger.' >&2
    if [ "$(id -u)" != 0 ] || ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq pgbadger </dev/null >&2; then
        echo 'Install pgBadger (on Debian: sudo apt-get install pgbadger) and run this again.' >&2
        exit 1
    fi
fi
cargo build --release --locked --quiet -p plimsoll
release="$(sh scripts/target-folder.sh)/release"
sh scripts/ensure-server.sh "$release/plimsoll" 18
exec python3 benches/logs.py "$release/plimsoll" "$@"
