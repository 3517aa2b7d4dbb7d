"""How fast `plimsoll evaluate` is beside pandas and scikit-learn, with how much memory, and whether they agree.

Usage: evaluate.py PLIMSOLL [--rows N] [--large N] [--folder FOLDER]

Both read the same CSV of N rows (ten million) and compute the three curves and both areas, each as a whole process, in turn, the
best of three runs. Then Plimsoll reads a Parquet file of a hundred million scores of half width. One label in a thousand is
positive, and once more one in two.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

OTHER = """
import sys
import pandas
from sklearn import metrics
table = pandas.read_csv(sys.argv[1])
label, score = table["y"], table["s"]
metrics.precision_recall_curve(label, score)
metrics.roc_curve(label, score)
metrics.det_curve(label, score)
print(metrics.average_precision_score(label, score), metrics.roc_auc_score(label, score))
"""


def make(path, rows, share):
    """A CSV of full width or a Parquet file of half width."""
    kind = np.float64 if path.suffix == ".csv" else np.float32
    generator = np.random.default_rng(7)
    label = generator.random(rows) < share
    score = generator.random(rows, dtype=kind) + label.astype(kind) * kind(0.4)
    table = pa.table({"y": label.astype(np.int8), "s": score})
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pyarrow.parquet.write_table(table, path, row_group_size=1 << 20)


def made(path, rows, share):
    """In a process of its own: what this one has in memory would count for its children."""
    subprocess.run([sys.executable, __file__, "--make", str(path), "--rows", str(rows), "--share", str(share)], check=True)


def run(command):
    """Seconds and megabytes of a whole process, and what it prints."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            sys.exit(f"failed to run {command[0]}: status {status}")
        output.seek(0)
        peak = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
        return seconds, peak, output.read().decode()


def best(runs):
    return min(seconds for seconds, _, _ in runs), max(peak for _, peak, _ in runs), runs[0][2]


def evaluate(plimsoll, path, *more):
    return [plimsoll, "evaluate", str(path), "--label", "y", "--score", "s", "--format", "json", *more]


def areas(text):
    detector = json.loads(text)["detectors"][0]
    return detector["average_precision"]["value"], detector["roc_area"]["value"]


def beside(plimsoll, folder, rows, share):
    path = folder / "scores.csv"
    made(path, rows, share)
    print(f"CSV of {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, one label in {1 / share:.0f} positive")
    own, others = [], []
    for _ in range(3):
        own.append(run(evaluate(plimsoll, path, "--resamples", "0")))
        others.append(run([sys.executable, "-c", OTHER, str(path)]))
    (seconds, peak, text), (other_seconds, other_peak, other_text) = best(own), best(others)
    far = max(abs(one - other) for one, other in zip(areas(text), map(float, other_text.split())))
    print(f"  Plimsoll       {seconds:7.2f} s  {peak:7.0f} MB")
    print(f"  scikit-learn   {other_seconds:7.2f} s  {other_peak:7.0f} MB")
    print(f"  {other_seconds / seconds:.1f} times as fast, {peak / other_peak:.2f} of the memory; areas differ by {far:.1e}")
    with_intervals = run(evaluate(plimsoll, path))
    print(f"  with 1,000 resamples {with_intervals[0]:.2f} s  {with_intervals[1]:.0f} MB")
    path.unlink()


def large(plimsoll, folder, rows, share):
    path = folder / "scores.parquet"
    made(path, rows, share)
    print(f"Parquet of {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB, one label in {1 / share:.0f} positive")
    seconds, peak, _ = best([run(evaluate(plimsoll, path, "--resamples", "0")) for _ in range(3)])
    print(f"  Plimsoll       {seconds:7.2f} s  {peak:7.0f} MB")
    path.unlink()


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("plimsoll", nargs="?")
parser.add_argument("--make", help=argparse.SUPPRESS)
parser.add_argument("--share", type=float, help=argparse.SUPPRESS)
parser.add_argument("--rows", type=int, default=10_000_000)
parser.add_argument("--large", type=int, default=100_000_000)
parser.add_argument("--folder", help="where the tables are made [default: the folder for temporary files]")
arguments = parser.parse_args()
if arguments.make:
    make(Path(arguments.make), arguments.rows, arguments.share)
    sys.exit()
with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
    for share in (0.001, 0.5):
        beside(arguments.plimsoll, Path(folder), arguments.rows, share)
        large(arguments.plimsoll, Path(folder), arguments.large, share)
