"""Answers each line of JSON, a set of cases, with a line: what scikit-learn makes of it.

With a folder, it reads the cases from its files instead, and writes each part of a curve to a file there.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn import calibration, metrics

warnings.simplefilter("ignore")


def plain(curve):
    return [[float(value) if np.isfinite(value) else str(value) for value in part] for part in curve]


def or_none(compute):
    try:
        value = float(compute())
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def large(folder):
    label = np.fromfile(folder / "positive", dtype=np.uint8)
    score = np.fromfile(folder / "scores", dtype=np.float64)
    curves = {
        "precision_recall": metrics.precision_recall_curve(label, score),
        "roc": metrics.roc_curve(label, score, drop_intermediate=False),
        "det": metrics.det_curve(label, score),
        "areas": [np.array([metrics.average_precision_score(label, score), metrics.roc_auc_score(label, score)])],
    }
    for name, parts in curves.items():
        for number, part in enumerate(parts):
            np.asarray(part, dtype=np.float64).tofile(folder / f"{name}.{number}")


if len(sys.argv) > 1:
    large(Path(sys.argv[1]))
    sys.exit()

for line in sys.stdin:
    cases = json.loads(line)
    label, score = np.array(cases["positive"], dtype=int), np.array(cases["scores"])
    weight = None if cases["weights"] is None else np.array(cases["weights"])
    with_weight = {"sample_weight": weight}
    classes = set(label if weight is None else label[weight > 0])
    given = {**with_weight, "pos_label": 1}
    found = {
        "average_precision": or_none(lambda: metrics.average_precision_score(label, score, **with_weight)),
        "roc_area": or_none(lambda: metrics.roc_auc_score(label, score, **with_weight)),
        "partial": or_none(lambda: metrics.roc_auc_score(label, score, max_fpr=0.3, **with_weight)),
    }
    alarm = (score >= np.median(score)).astype(int)
    found["f_score"] = or_none(lambda: metrics.fbeta_score(label, alarm, beta=2, zero_division=0, **with_weight))
    found["matthews_correlation"] = or_none(lambda: metrics.matthews_corrcoef(label, alarm, **with_weight))
    found["balanced_accuracy"] = or_none(lambda: metrics.balanced_accuracy_score(label, alarm, **with_weight))
    for name, drops in (("all", False), ("corners", True)):
        found["precision_recall_" + name] = plain(
            metrics.precision_recall_curve(label, score, drop_intermediate=drops, **given)
        )
        found["roc_" + name] = plain(metrics.roc_curve(label, score, drop_intermediate=drops, **given))
        if len(classes) == 2:
            found["det_" + name] = plain(metrics.det_curve(label, score, drop_intermediate=drops, **given))
    if cases["weights"] is None and label.any() and score.min() >= 0 and score.max() <= 1:
        for strategy in ("uniform", "quantile"):
            found["calibration_" + strategy] = plain(
                calibration.calibration_curve(label, score, n_bins=5, strategy=strategy, pos_label=1)
            )
    if score.min() >= 0 and score.max() <= 1:
        found["brier_score"] = or_none(lambda: metrics.brier_score_loss(label, score, **given))
    print(json.dumps(found), flush=True)
