#!/bin/sh
# Measures lint of thousands of files beside squawk's wheel, which it installs below target/ when it is first needed.
set -eu
cd "$(dirname "$0")/.."

requirements=scripts/bench-requirements.txt
environment=target/bench-venv
installed=$environment/requirements.txt

if ! cmp -s "$requirements" "$installed"; then
    echo "Installing squawk into $environment." >&2
    rm -rf "$environment"
    mkdir -p target
    python3 -m venv --without-pip "$environment"
    python3 -m pip --python "$environment/bin/python" --quiet --disable-pip-version-check --no-input \
        install --require-hashes --only-binary :all: -r "$requirements" >&2
    cp "$requirements" "$installed"
fi
cargo build --release --locked --quiet -p plimsoll
exec python3 benches/many_files.py "$(sh scripts/target-folder.sh)/release/plimsoll" "$environment/bin/squawk"
