#!/bin/sh
# Prints the folder that cargo builds in, as an absolute path. Run from the project's root.
set -eu

folder=${CARGO_TARGET_DIR:-target}
case $folder in
    /*) echo "$folder" ;;
    *) echo "$PWD/$folder" ;;
esac
