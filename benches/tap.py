"""The tap's throughput beside a direct connection and pgbouncer, its memory over millions of statements, and what it
takes to look at a statement in a rehearsal.

Usage: tap.py PLIMSOLL [--seconds S] [--rounds N] [--statements N]

The three ways to the server take turns in every round, so that whatever else the machine does falls on all alike; the
ratio of each round is what counts. pgbouncer (session mode, Debian's package) is left out where it isn't installed.
"""

import argparse
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

DATABASE = "plimsoll"


def run(*words, **more):
    return subprocess.run(words, check=True, text=True, capture_output=True, **more).stdout


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    sys.exit("a process didn't come up")


class Server:
    """A private server."""

    def __init__(self, plimsoll):
        self.process = subprocess.Popen([plimsoll, "server"], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        url = self.process.stdout.readline()
        self.folder = re.search(r"host=([^&]+)", url).group(1).replace("%2F", "/")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


class Tap:
    """`plimsoll watch` in front of the server, without a command."""

    def __init__(self, plimsoll, server):
        self.log = tempfile.TemporaryFile("w+")
        address = f"host={server.folder} port=5432 user=postgres dbname={DATABASE}"
        self.process = subprocess.Popen(
            [plimsoll, "watch", "--url", address, "--format", "json"], stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.folder = wait_for(self.find_folder)

    def find_folder(self):
        self.log.seek(0)
        found = re.search(r"PGHOST=(\S+)", self.log.read())
        return found and found.group(1)

    def memory(self):
        """Resident memory, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate()
        return out


class Pgbouncer:
    def __init__(self, server):
        self.folder = tempfile.mkdtemp(dir="/tmp")
        os.chmod(self.folder, 0o777)
        config = Path(self.folder, "pgbouncer.ini")
        config.write_text(
            f"[databases]\n{DATABASE} = host={server.folder} port=5432 user=postgres\n[pgbouncer]\n"
            f"unix_socket_dir = {self.folder}\nlisten_port = 6432\nauth_type = any\npool_mode = session\n"
            f"max_client_conn = 200\ndefault_pool_size = 200\nlogfile = {self.folder}/log\npidfile = {self.folder}/pid\n"
        )
        words = ["pgbouncer", "-q", str(config)]
        if os.geteuid() == 0:
            # It refuses to run as root; the server's folder is its owner's alone.
            owner = Path(server.folder).owner()
            words = ["su", owner, "-s", "/bin/sh", "-c", " ".join(words)]
        self.process = subprocess.Popen(words)
        wait_for(lambda: Path(self.folder, ".s.PGSQL.6432").exists())

    def stop(self):
        pid = int(Path(self.folder, "pid").read_text())
        os.kill(pid, signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plimsoll")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--statements", type=int, default=0, help="look at memory over so many statements")
    arguments = parser.parse_args()
    plimsoll = str(Path(arguments.plimsoll).resolve())
    pgbench, psql = (program(plimsoll, name) for name in ("pgbench", "psql"))
    server = Server(plimsoll)
    try:
        base = [pgbench, "-U", "postgres", "-p", "5432"]
        run(*base, "-h", server.folder, "-i", "-q", "-s", "5", DATABASE, stderr=None)
        measure(arguments, plimsoll, pgbench, server)
    finally:
        server.stop()
    measure_held(psql, plimsoll)


def program(plimsoll, name):
    """A program of PostgreSQL's, beside the server that Plimsoll takes or on the path."""
    beside = Path(run(plimsoll, "server", "find").strip(), name)
    return str(beside) if beside.exists() else shutil.which(name) or sys.exit(f"{name} isn't there: it comes with PostgreSQL")


def measure_held(psql, plimsoll):
    """How long a rehearsed program's statements are kept waiting, as the report tells it."""
    kinds = (
        "CREATE TABLE t{0} (id int PRIMARY KEY, a int)",
        "ALTER TABLE big ADD c{0} int",
        "INSERT INTO big (id, a) VALUES ({0}, {0})",
        "CREATE INDEX ON big (a)",
        "UPDATE big SET a = a + 1",
    )
    statements = ["CREATE TABLE big (id int PRIMARY KEY, a int)"] + [kinds[at % 5].format(at) for at in range(100)]
    lone = "".join(f"{statement};\n" for statement in statements)
    for name, script in (("alone", lone), ("in one transaction", f"BEGIN;\n{lone}COMMIT;\n")):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "script.sql").write_text(script)
            words = [plimsoll, "rehearse", "--format", "json", "--", psql, "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", "script.sql"]
            out = subprocess.run(words, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        notes = re.findall(r"Looking at a statement took [^,]*", out) or sys.exit(f"the rehearsal failed:\n{out}")
        print(f"{len(statements)} statements {name}: {notes[0]}", flush=True)


def throughput(pgbench, folder, port, mode, clients, seconds):
    words = ["-S", "-n", "-M", mode, "-c", str(clients), "-j", "1", "-T", str(seconds), "-U", "postgres"]
    out = run(pgbench, "-h", folder, "-p", str(port), *words, DATABASE)
    return float(re.search(r"^tps = ([\d.]+)", out, re.M).group(1))


def measure(arguments, plimsoll, pgbench, server):
    tap = Tap(plimsoll, server)
    pgbouncer = Pgbouncer(server) if shutil.which("pgbouncer") else None
    ways = {"direct": (server.folder, 5432), "tap": (tap.folder, 6432)}
    if pgbouncer:
        ways["pgbouncer"] = (pgbouncer.folder, 6432)
    print("pgbench, select-only; transactions a second, and the share of a direct connection: median of the rounds' ratios")
    for mode in ("simple", "extended", "prepared"):
        for clients in (1, 4, 8):
            rounds = []
            for _ in range(arguments.rounds):
                rounds.append({name: throughput(pgbench, *way, mode, clients, arguments.seconds) for name, way in ways.items()})
            line = f"{mode:9} {clients:3} clients: direct {statistics.median(one['direct'] for one in rounds):8,.0f}"
            for name in list(ways)[1:]:
                share = statistics.median(one[name] / one["direct"] for one in rounds)
                line += f"   {name} {statistics.median(one[name] for one in rounds):8,.0f} ({share:.2f})"
            if pgbouncer:
                line += f"   tap to pgbouncer {statistics.median(one['tap'] / one['pgbouncer'] for one in rounds):.2f}"
            print(line, flush=True)
    if arguments.statements:
        done = 0
        while done < arguments.statements:
            part = 500_000
            run(pgbench, "-h", tap.folder, "-p", "6432", "-S", "-n", "-M", "simple", "-c", "8", "-j", "1", "-t", str(part // 8), "-U", "postgres", DATABASE)
            done += part
            print(f"after {done:11,} statements: {tap.memory():.1f} MiB", flush=True)
    if pgbouncer:
        pgbouncer.stop()
    tap.stop()


if __name__ == "__main__":
    main()
