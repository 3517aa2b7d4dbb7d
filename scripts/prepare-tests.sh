#!/bin/sh
# Installs what the tests need and the machine lacks: PostgreSQL 15 and 18, Django, a browser, file systems.
# Quick, and silent, when all is there.
set -eu
cd "$(dirname "$0")/.."

sh scripts/ensure-test-python.sh
sh scripts/ensure-browser.sh
sh scripts/ensure-filesystems.sh
cargo build --quiet --locked -p plimsoll
sh scripts/ensure-server.sh "$(sh scripts/target-folder.sh)/debug/plimsoll" 15 18
