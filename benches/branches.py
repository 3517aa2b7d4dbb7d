"""How long a branch takes and how much room, beside PostgreSQL's own ways of copying a database, in one run.

Usage: branches.py PLIMSOLL [--scales N,N] [--rounds N] [--files N] [--folder FOLDER] [--kinds KIND,KIND]

As root: on an XFS and, where mkfs.btrfs is installed, on a Btrfs, each in a sparse image that is mounted for it. pgbench's
scale 20 is about 0.3 GB, 100 about 1.5 GB, 300 about 4.5 GB.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}: {done.stderr}")
    return done.stdout


def timed(*words, **more):
    began = time.monotonic()
    run(*words, **more)
    return time.monotonic() - began


class Disk:
    """A file system of its own in a sparse image."""

    def __init__(self, kind, gigabytes, place):
        self.folder = Path(tempfile.mkdtemp(dir=place))
        self.image = self.folder / "image"
        self.mounted = self.folder / "m"
        self.mounted.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(gigabytes << 30)
        run(f"mkfs.{kind}", "-q", self.image)
        run("mount", "-o", "loop,discard", self.image, self.mounted)
        for folder in (self.folder, self.mounted):
            folder.chmod(0o755)

    def used(self):
        run("sync", "-f", self.mounted)
        room = os.statvfs(self.mounted)
        return (room.f_blocks - room.f_bfree) * room.f_frsize

    def close(self):
        run("umount", self.mounted)
        shutil.rmtree(self.folder)


class Bench:
    def __init__(self, plimsoll, disk, rounds):
        self.plimsoll, self.disk, self.rounds = plimsoll, disk, rounds
        self.environment = os.environ | {"PLIMSOLL_STATE": str(disk.mounted / "state")}
        self.scratch = disk.mounted / "scratch"
        self.scratch.mkdir()

    def branch(self, *words):
        return run(self.plimsoll, "branch", *words, env=self.environment)

    def trunk(self, *words):
        return run(self.plimsoll, "trunk", *words, env=self.environment, cwd=self.scratch)

    def drop(self, name):
        self.branch("drop", name)

    def median_branch(self, mechanism):
        """Time to a server that takes connections, and the room that a fresh branch takes."""
        times, rooms = [], []
        for _ in range(self.rounds):
            before = self.disk.used()
            began = time.monotonic()
            self.branch("create", "fresh", "--from", "source", "--mechanism", mechanism)
            times.append(time.monotonic() - began)
            rooms.append(self.disk.used() - before)
            self.drop("fresh")
        return statistics.median(times), statistics.median(rooms)

    def pgbench(self, url):
        """The first 1,000 transactions, in seconds."""
        return timed("pgbench", "-n", "-c", "1", "-t", "1000", url)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plimsoll")
    parser.add_argument("--scales", default="20,100")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", default="/var/tmp")
    parser.add_argument("--kinds", default="xfs,btrfs")
    arguments = parser.parse_args()
    # It is run in other folders.
    arguments.plimsoll = Path(arguments.plimsoll).absolute()
    for kind, ways in (("xfs", ("block-clone", "fuse")), ("btrfs", ("btrfs-snapshot",))):
        if kind not in arguments.kinds.split(","):
            continue
        if not shutil.which(f"mkfs.{kind}"):
            print(f"no mkfs.{kind}: left out", file=sys.stderr)
            continue
        for scale in map(int, arguments.scales.split(",")):
            measure(arguments, kind, ways, scale, beside=kind == "xfs")
        if arguments.files:
            measure_files(arguments, kind, ways)


def with_disk(kind, gigabytes, arguments, work):
    disk = Disk(kind, gigabytes, arguments.folder)
    bench = Bench(arguments.plimsoll, disk, arguments.rounds)
    try:
        (bench.scratch / "plimsoll.toml").write_text('[database]\nname = "bench"\n')
        (bench.scratch / "migrations").mkdir()
        (bench.scratch / "migrations" / "0001_first.sql").write_text("create schema bench;\n")
        bench.trunk("create", "empty", "--postgres", "18")
        work(bench)
    finally:
        names = json.loads(bench.branch("list", "--format", "json"))["branches"]
        # Those that show another's files go first.
        for branch in reversed(names):
            bench.drop(branch["name"])
        disk.close()


def take_source(bench, fill):
    """A trunk `source` of what `fill` has put into a branch, which stays and runs, on a server that waits for no disk either."""
    original = bench.branch("create", "original", "--from", "empty", "--mechanism", "copy", "--set", "max_wal_senders=4").strip()
    fill(original)
    run("psql", "-Xqc", "vacuum analyze", "-c", "checkpoint", original)
    bench.branch("stop", "original")
    data = bench.scratch / "data"
    run("cp", "-a", "--reflink=auto", bench.disk.mounted / "state/branches/original/data", data)
    bench.trunk("create", "source", "--from", data)
    shutil.rmtree(data)
    return bench.branch("url", "original").strip()


def measure(arguments, kind, ways, scale, beside):
    def work(bench):
        original = take_source(bench, lambda url: run("pgbench", "-i", "-q", "-s", scale, url))
        size = json.loads(bench.trunk("list", "--format", "json"))["trunks"]
        size = next(trunk["bytes"] for trunk in size if trunk["name"] == "source")
        print(f"\n{kind}, scale {scale}: {size / 2**30:.2f} GB")
        own = bench.pgbench(original)
        print(f"  1,000 transactions on the original {own:.2f} s")
        for way in ways:
            seconds, room = bench.median_branch(way)
            url = bench.branch("create", "worked", "--from", "source", "--mechanism", way).strip()
            worked = bench.pgbench(url)
            bench.drop("worked")
            print(
                f"  {way}: ready after {seconds:.2f} s, takes {room / 2**20:.1f} MB;"
                f" the first 1,000 transactions {worked:.2f} s, {worked / own:.1f} times the original's"
            )
        if beside:
            print_beside(bench, original)

    with_disk(kind, 4 + scale // 15, arguments, work)


def print_beside(bench, original):
    host = re.search(r"host=([^&]+)", original).group(1).replace("%2F", "/")
    server = ("-h", host, "-p", "5432", "-U", "postgres")
    with open(bench.disk.mounted / "state/branches/original/data/pg_hba.conf", "a") as hba:
        # Branches' servers let nobody replicate.
        hba.write("local replication all trust\n")
    run("psql", "-Xqo", "/dev/null", "-c", "select pg_reload_conf()", original)
    times = {"createdb -T": timed("createdb", *server, "-T", "bench", "copied", env=os.environ | {"PGDATABASE": "postgres"})}
    run("dropdb", *server, "copied")
    base = bench.scratch / "base"
    times["pg_basebackup"] = timed("pg_basebackup", *server, "-D", base, "-c", "fast", "-X", "stream")
    shutil.rmtree(base)
    dump = bench.scratch / "dump"
    began = time.monotonic()
    run("pg_dump", *server, "-Fd", "-j2", "-Z0", "-f", dump, "bench")
    run("createdb", *server, "restored")
    run("pg_restore", *server, "-j2", "-d", "restored", dump)
    times["pg_dump | pg_restore -j2"] = time.monotonic() - began
    print("  beside it: " + ", ".join(f"{what} {seconds:.1f} s" for what, seconds in times.items()))


def measure_files(arguments, kind, ways):
    def fill(url):
        # A table with a text column has a TOAST table and its index: three files, and six with the visibility and free space maps.
        tables = arguments.files // 3
        statement = "select format('create table bench.t%s (x text)', g) from generate_series({}, {}) g \\gexec"
        for first in range(1, tables, 1000):
            last = min(first + 999, tables)
            run("psql", "-Xqo", "/dev/null", "--single-transaction", url, input=statement.format(first, last))

    def work(bench):
        take_source(bench, fill)
        bench.branch("stop", "original")
        trunks = json.loads(bench.trunk("list", "--format", "json"))["trunks"]
        files = next(trunk["files"] for trunk in trunks if trunk["name"] == "source")
        print(f"\n{kind}, {files:,} files")
        for way in ways:
            seconds, room = bench.median_branch(way)
            print(f"  {way}: ready after {seconds:.2f} s, takes {room / 2**20:.1f} MB")

    with_disk(kind, 8, arguments, work)


# What is mounted is taken away then as well.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
main()
