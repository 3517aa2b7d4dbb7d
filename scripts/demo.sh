#!/bin/sh
# Checks the newest change of the example harbour: lints it, rehearses it on a private server with a million rows, and
# measures ten queries before and after. Leaves a report to open in a browser.
set -eu
cd "$(dirname "$0")/.."

change=migrations/0013_billing.sql
example=$PWD/examples/harbour
report=$example/report.html

if ! command -v cargo >/dev/null 2>&1; then
    echo 'Plimsoll is built with Rust: install cargo first.' >&2
    exit 1
fi
echo 'Building Plimsoll.' >&2
cargo build --release --locked -p plimsoll
plimsoll=$(sh scripts/target-folder.sh)/release/plimsoll
sh scripts/ensure-server.sh "$plimsoll" any

echo "In examples/harbour: plimsoll check $change --fail-on never --report html=report.html" >&2
cd "$example"
"$plimsoll" check "$change" --fail-on never --report html=report.html

case $(uname -s) in
    Darwin) opener=open ;;
    *) opener=xdg-open ;;
esac
echo
echo "The report: $report"
echo "Open it in a browser: $opener '$report'"
