#!/bin/sh
# Makes sure that cargo-deny, which checks licences and sources of dependencies, is there.
set -eu

VERSION=0.20.2

if ! cargo deny --version >/dev/null 2>&1; then
    echo "cargo-deny is missing: installing $VERSION with cargo, which takes some minutes." >&2
    cargo install --locked cargo-deny --version "$VERSION"
fi
