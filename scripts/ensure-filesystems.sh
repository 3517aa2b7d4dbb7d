#!/bin/sh
# Makes sure that XFS and Btrfs can be made, for the tests of branches on them. That takes root, as mounting them does.
#
# Without it, those tests are skipped.
set -eu

if command -v mkfs.xfs >/dev/null 2>&1 && command -v mkfs.btrfs >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo 'mkfs.xfs or mkfs.btrfs is missing: installing the system packages xfsprogs and btrfs-progs.' >&2
    if DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends xfsprogs btrfs-progs </dev/null >&2; then
        exit 0
    fi
    # On CI nobody would read that a test was skipped.
    if [ -n "${CI:-}" ]; then
        echo 'xfsprogs and btrfs-progs could not be installed.' >&2
        exit 1
    fi
fi
echo 'No mkfs.xfs or no mkfs.btrfs: the tests of branches on XFS or Btrfs will be skipped.' >&2
