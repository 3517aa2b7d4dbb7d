#!/bin/sh
# Makes sure that Plimsoll finds a PostgreSQL server, and installs one where it doesn't.
#
# Usage: ensure-server.sh PROGRAM MAJOR...
# MAJOR is a version that must be there, as 15; or `any`, for whichever the machine has.
set -eu

# What `plimsoll server find` exits with when there is none.
NOT_FOUND=3
# What is installed for `any`.
PREFERRED=18

program=$1
shift

for wanted in "$@"; do
    case $wanted in
        any) version='' major=$PREFERRED ;;
        *) version=$wanted major=$wanted ;;
    esac
    status=0
    # shellcheck disable=SC2086 # an empty version is no argument
    answer=$("$program" server find $version 2>&1) || status=$?
    case $status in
        0) ;;
        "$NOT_FOUND")
            echo "PostgreSQL $major is missing: installing a private copy into Plimsoll's cache." >&2
            "$program" server install "$major" >&2
            ;;
        *)
            echo "$answer" >&2
            exit "$status"
            ;;
    esac
done
