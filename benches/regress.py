"""What `plimsoll regress` takes and how often it is wrong, with TPC-H's tables and queries.

Usage: regress.py PLIMSOLL TPCH [--scale N] [--repeat N] [--queries N]

TPCH is the example program that writes the project. First its corpus is recorded, then tested `--repeat` times with nothing changed:
each verdict but `same` is a false alarm. Then `--queries` small queries with three sets each are recorded, and the CPU time of
Plimsoll itself is held against the whole.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def run(plimsoll, folder, *words):
    """Seconds of the wall clock, CPU seconds of the program itself, exit code and standard output."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([plimsoll, *words], cwd=folder, stdout=out, stderr=subprocess.DEVNULL)
        own = 0.0
        while process.poll() is None:
            try:
                fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
                # utime and stime: those of its servers are in the fields behind them.
                own = max(own, (int(fields[11]) + int(fields[12])) / TICKS)
            except (FileNotFoundError, ProcessLookupError):
                break
            time.sleep(0.02)
        process.wait()
        out.seek(0)
        return time.monotonic() - began, own, process.returncode, out.read().decode()


def many(folder, queries):
    (folder / "migrations").mkdir(parents=True)
    (folder / "queries").mkdir()
    (folder / "plimsoll.toml").write_text('[database]\nseed = "seed.sql"\n')
    (folder / "migrations/1.sql").write_text(
        "create table t (id int primary key, n int, s text); create index t_n on t (n);\n"
        "create table u (id int primary key, t int, s text); create index u_t on u (t);\n"
    )
    (folder / "seed.sql").write_text(
        "insert into t select g, g % 1000, md5(g::text) from generate_series(1, 100000) g;\n"
        "insert into u select g, g % 100000 + 1, md5(g::text) from generate_series(1, 200000) g;\n"
    )
    shapes = [
        "select * from t where n = :n order by id",
        "select t.s, u.s from t join u on u.t = t.id where t.n = :n order by u.id limit 50",
        "select n, count(*) from t where id between :n and 20000 group by n order by n",
        "update t set s = 'x' where n = :n",
    ]
    for number in range(queries):
        name = f"query_{number:04}"
        (folder / f"queries/{name}.sql").write_text(f"-- name: {name}\n{shapes[number % 4]} -- {number}\n")
        sets = "".join(f"[{name}.s{one}]\nn = {number % 900 + one}\n" for one in range(3))
        (folder / f"queries/{name}.toml").write_text(sets)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("plimsoll", type=Path)
    arguments.add_argument("tpch", type=Path)
    arguments.add_argument("--scale", default="0.1")
    arguments.add_argument("--repeat", type=int, default=5)
    arguments.add_argument("--queries", type=int, default=1000)
    asked = arguments.parse_args()
    plimsoll = asked.plimsoll.resolve()
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        place.chmod(0o755)
        tpch = place / "tpch"
        subprocess.run([asked.tpch, tpch, asked.scale], check=True)
        lasted, own, code, _ = run(plimsoll, tpch, "regress", "record")
        print(f"TPC-H, scale {asked.scale}: 22 queries recorded in {lasted:.1f} s, {own:.2f} CPU-s of them Plimsoll's; exit code {code}")
        seen = collections.Counter()
        for _ in range(asked.repeat):
            *_, out = run(plimsoll, tpch, "regress", "test", "--format", "json")
            for query in json.loads(out)["queries"]:
                seen[query["verdict"]] += 1
                if query["verdict"] != "same":
                    print(query["name"], query["verdict"], query["reasons"])
        print(f"tested {asked.repeat} times with nothing changed: {dict(seen)}")
        folder = place / "many"
        many(folder, asked.queries)
        lasted, own, code, _ = run(plimsoll, folder, "regress", "record")
        print(
            f"{asked.queries} queries with 3 sets each recorded in {lasted:.1f} s, {own:.2f} CPU-s of them Plimsoll's "
            f"({own / lasted:.1%} of the time); exit code {code}"
        )
        lasted, own, code, _ = run(plimsoll, folder, "regress", "test", "--format", "json")
        print(f"and tested in {lasted:.1f} s, {own:.2f} CPU-s of them Plimsoll's; exit code {code}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
