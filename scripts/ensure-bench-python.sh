#!/bin/sh
# Makes sure that target/bench-venv has what Plimsoll is measured beside.
set -eu
cd "$(dirname "$0")/.."

requirements=scripts/bench-requirements.txt
environment=target/bench-venv
installed=$environment/requirements.txt

if cmp -s "$requirements" "$installed"; then
    exit 0
fi
echo "Installing what Plimsoll is measured beside into $environment." >&2
rm -rf "$environment"
mkdir -p target
python3 -m venv --without-pip "$environment"
python3 -m pip --python "$environment/bin/python" --quiet --disable-pip-version-check --no-input \
    install --require-hashes --only-binary :all: -r "$requirements" >&2
cp "$requirements" "$installed"
