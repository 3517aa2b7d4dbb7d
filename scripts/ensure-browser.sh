#!/bin/sh
# Makes sure that a Chromium is there for the test that opens the report in a browser.
#
# A browser comes from the system's packages, which takes root. Without one, that one test is skipped.
set -eu

if [ -n "${CHROMIUM:-}" ]; then
    if [ -x "$CHROMIUM" ]; then
        exit 0
    fi
    echo "CHROMIUM is set to $CHROMIUM, which can't be run." >&2
    exit 1
fi
for browser in chromium chromium-browser google-chrome; do
    if command -v "$browser" >/dev/null 2>&1; then
        exit 0
    fi
done

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo 'Chromium is missing: installing the system package chromium.' >&2
    if DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium </dev/null >&2; then
        exit 0
    fi
    # On CI nobody would read that a test was skipped.
    if [ -n "${CI:-}" ]; then
        echo 'Chromium could not be installed.' >&2
        exit 1
    fi
fi
echo 'No Chromium: the browser test of the report will be skipped.' >&2
echo 'To run it, install Chromium (on Debian: sudo apt-get install chromium) or set CHROMIUM to its path.' >&2
