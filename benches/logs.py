"""How fast `plimsoll logs` reads real logs of each format, and whether pgBadger counts the same.

Usage: logs.py PLIMSOLL [--bin FOLDER] [--logs FOLDER] [--seconds N]

A server of its own logs everything as stderr, csvlog and jsonlog while pgbench runs in three protocols beside a loop of single
lookups, lock waits, a deadlock, failed logins and temporary files. Then both programs read each file: the best of five runs of
Plimsoll, one of pgBadger. The CPU time is that of the whole process. With `--logs` the files `pg.log`, `pg.csv` and `pg.json` of that
folder are read instead, whose prefix is PREFIX.
"""

import argparse
import glob
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PREFIX = "%m [%p] %q%u@%d %a "
SETTINGS = f"""
listen_addresses = ''
fsync = off
logging_collector = on
log_directory = 'logs'
log_filename = 'pg.log'
log_file_mode = 0644
log_rotation_age = 0
log_rotation_size = 0
log_destination = 'stderr,csvlog,jsonlog'
log_line_prefix = '{PREFIX}'
log_timezone = 'UTC'
log_min_duration_statement = 0
log_connections = on
log_disconnections = on
log_lock_waits = on
deadlock_timeout = 100ms
log_temp_files = 0
log_autovacuum_min_duration = 0
log_checkpoints = on
work_mem = '64kB'
"""
FORMATS = [("stderr", "pg.log", "stderr"), ("csvlog", "pg.csv", "csv"), ("jsonlog", "pg.json", "jsonlog")]


def as_owner(command):
    """A server doesn't run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] if os.geteuid() == 0 else command


def make_logs(folder, programs, seconds):
    """Runs a server and its clients; returns the folder of its logs."""
    data, socket = folder / "data", folder / "socket"
    socket.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(socket, "postgres")
    run = lambda *words, **more: subprocess.run(as_owner([str(word) for word in words]), check=True, **more)
    run(programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--locale=C", "-N", stdout=subprocess.DEVNULL)
    (data / "postgresql.auto.conf").write_text(SETTINGS + f"unix_socket_directories = '{socket}'\n")
    run(programs / "pg_ctl", "-D", data, "-w", "-s", "-l", folder / "start.log", "start")
    environment = {**os.environ, "PGHOST": str(socket), "PGUSER": "postgres", "PGDATABASE": "postgres"}
    client = lambda *words, **more: subprocess.run(
        [str(word) for word in words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more
    )
    psql = lambda sql: client(programs / "psql", "-q", "-c", sql)
    try:
        client(programs / "pgbench", "-i", "-q", "-s", "5", check=True)
        psql("create table two (id int primary key, n int); insert into two values (1, 0), (2, 0)")
        loop = folder / "loop.sql"
        loop.write_text("".join(f"select * from pgbench_accounts where aid = {aid};\n" for aid in range(1, 40)))
        jobs = [
            lambda: client(programs / "pgbench", "-n", "-T", seconds, "-c", "2"),
            lambda: client(programs / "pgbench", "-n", "-S", "-M", "prepared", "-T", seconds),
            lambda: client(programs / "pgbench", "-n", "-S", "-M", "extended", "-T", seconds),
            lambda: client(programs / "pgbench", "-n", "-f", loop, "-T", seconds),
        ]
        threads = [threading.Thread(target=job) for job in jobs]
        [thread.start() for thread in threads]
        for number in range(20):
            client(programs / "psql", "-q", "-d", "nowhere", "-c", "select 1")
            psql("select * from pgbench_accounts order by abalance, aid desc limit 10")
            waits = [
                "begin; update two set n = 1 where id = 1; select pg_sleep(0.3); commit",
                "begin; select pg_sleep(0.1); update two set n = 2 where id = 1; commit",
            ]
            deadlock = [
                "begin; update two set n = 1 where id = 1; select pg_sleep(0.2); update two set n = 1 where id = 2; commit",
                "begin; update two set n = 1 where id = 2; select pg_sleep(0.2); update two set n = 1 where id = 1; commit",
            ]
            for pair in (waits, deadlock):
                both = [threading.Thread(target=psql, args=(sql,)) for sql in pair]
                [one.start() for one in both]
                [one.join() for one in both]
        [thread.join() for thread in threads]
    finally:
        run(programs / "pg_ctl", "-D", data, "-w", "-s", "-m", "fast", "stop")
    logs = folder / "logs"
    shutil.copytree(data / "logs", logs)
    return logs


def timed(command):
    """CPU seconds, seconds of the wall clock, peak memory in MB, and what was printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read().decode()
    if process.returncode != 0:
        sys.exit(f"{command[0]} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, printed


def of_pgbadger(file, name, folder):
    out = folder / "pgbadger.json"
    prefix = ["-p", PREFIX] if name == "stderr" else []
    cpu, wall, memory, _ = timed(["pgbadger", "-q", "-f", name, *prefix, "-x", "json", "-o", str(out), str(file)])
    told = json.loads(out.read_text())
    told = next(iter(told.values())) if "overall_stat" not in told else told
    return cpu, wall, memory, told


def compared(report, told):
    """Counts of both programs, side by side."""
    total = lambda of: sum(int(value.get("count", 0)) if isinstance(value, dict) else 0 for value in of.values())
    overall = told.get("overall_stat", {}).get("postgres", told.get("overall_stat", {}))
    events = {event["name"]: event["count"] for event in report["events"]}
    by_type = told.get("lock_info", {}).get("postgres", told.get("lock_info", {}))
    connections = told.get("connection_info", {}).get("postgres", told.get("connection_info", {}))
    rows = [
        ("statements", report["statements"]["calls"], overall.get("queries_number")),
        ("their time in s", round(report["statements"]["total_ms"] / 1000, 1), round(float(overall.get("queries_duration", {}).get("execute", 0)) / 1000, 1)
            if isinstance(overall.get("queries_duration"), dict) else overall.get("queries_duration")),
        ("connections", sum(one["connections"] for one in report["connections"]), connections.get("count")),
        ("waits for locks", sum(one["waits"] for one in report["lock_waits"]), total(by_type) or by_type),
        ("deadlocks", sum(one["count"] for one in report["deadlocks"]), None),
        ("temporary files", events.get("temporary file", 0), told.get("tempfile_info", {}).get("postgres", {}).get("count")),
    ]
    for name, ours, theirs in rows:
        print(f"    {name:<18} {ours!s:>14}   pgBadger {theirs!s:>14}")
    normalized = told.get("normalyzed_info", {}).get("postgres", told.get("normalyzed_info", {}))
    top = sorted(normalized.items(), key=lambda one: -float(one[1].get("duration", 0) or 0))[:5]
    for query, (text, theirs) in zip(report["queries"], top):
        print(f"    {query['calls']:>9} {query['total_ms']:>12.0f} ms {query['query'][:50]:<50} | "
              f"{theirs.get('count')} {float(theirs.get('duration', 0)):.0f} ms {text[:40]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("plimsoll")
    parser.add_argument("--bin", type=Path)
    parser.add_argument("--logs", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        folder = Path(folder)
        folder.chmod(0o755)
        programs = arguments.bin or Path(max(glob.glob("/usr/lib/postgresql/*/bin"), default="/usr/bin"))
        logs = arguments.logs or make_logs(folder, programs, arguments.seconds)
        for name, file, badger in FORMATS:
            path = logs / file
            size = path.stat().st_size
            runs = [timed([arguments.plimsoll, "logs", str(path), "--format", "json"]) for _ in range(5)]
            cpu, wall, memory = min(run[0] for run in runs), min(run[1] for run in runs), max(run[2] for run in runs)
            their_cpu, their_wall, _, told = of_pgbadger(path, badger, folder)
            print(f"{name}: {size / 1e6:.0f} MB in {wall:.3f} s ({size / wall / 1e9:.2f} GB/s), {cpu:.3f} CPU-s "
                  f"({size / cpu / 1e6:.0f} MB a CPU second), {memory:.0f} MB of memory")
            print(f"    pgBadger {their_wall:.1f} s, {their_cpu:.1f} CPU-s: {their_cpu / cpu:.0f} times the CPU time")
            compared(json.loads(runs[0][3]), told)


if __name__ == "__main__":
    main()
