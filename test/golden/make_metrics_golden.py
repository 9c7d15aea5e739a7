# SPDX-License-Identifier: Apache-2.0
"""Makes metrics.json: metrics of random answers by scikit-learn, and the calibration error by its definition in numpy.

    python3 -m pip install scikit-learn==1.9.1 numpy
    python3 test/golden/make_metrics_golden.py
"""

import json
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    top_k_accuracy_score,
)

HERE = Path(__file__).parent


def calibration_error(probabilities, labels, bins):
    """Guo et al., "On Calibration of Modern Neural Networks" (2017): bins are open below and closed above."""
    confidence, predicted = probabilities.max(1), probabilities.argmax(1)
    error = 0.0
    for low, high in zip(np.linspace(0, 1, bins + 1)[:-1], np.linspace(0, 1, bins + 1)[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs((predicted == labels)[inside].mean() - confidence[inside].mean())
    return float(error)


def case(random, samples, classes, sharpness, absent=()):
    labels = random.choice([c for c in range(classes) if c not in absent], samples)
    logits = random.normal(size=(samples, classes)).astype(np.float32).astype(np.float64)
    logits[np.arange(samples), labels] += sharpness
    for c in absent:
        logits[:, c] = -20  # neither asked nor answered
    logits = logits.astype(np.float32).astype(np.float64)
    predicted = logits.argmax(1)
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = exponentials / exponentials.sum(1, keepdims=True)
    every = list(range(classes))
    scores = {}
    for name, score in (("precision", precision_score), ("recall", recall_score), ("f1", f1_score)):
        for average in ("macro", "micro", "weighted"):
            scores[f"{name}.{average}"] = float(score(labels, predicted, average=average, zero_division=0))
        scores[f"{name}.none"] = score(
            labels, predicted, labels=every, average=None, zero_division=0
        ).tolist()
    tops = {
        str(k): 1.0 if k == classes else float(top_k_accuracy_score(labels, logits, k=k, labels=every))
        for k in range(1, classes + 1)
        if classes > 2
    }
    return {
        "classes": classes,
        "logits": logits.ravel().tolist(),
        "labels": labels.tolist(),
        "accuracy": float(accuracy_score(labels, predicted)),
        "confusion": confusion_matrix(labels, predicted, labels=every).tolist(),
        "scores": scores,
        "tops": tops,
        "calibration": {str(bins): calibration_error(probabilities, labels, bins) for bins in (1, 10, 15)},
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    random = np.random.default_rng(20261122)
    cases = [
        case(random, 200, 5, 1.0),
        case(random, 37, 10, 2.0),
        case(random, 60, 2, 0.5),
        case(random, 50, 6, 1.0, absent=(2, 5)),
        case(random, 1, 3, 0.0),
    ]
    text = json.dumps({"scikit-learn": sklearn.__version__, "numpy": np.__version__, "cases": cases})
    (HERE / "metrics.json").write_text(text + "\n")
