"""Makes xgboost-margins.json: models of Debian's python3-xgboost (1.7) and the margins it gives for rows
with missing values, zeros and ties, as float32 bits. Not run by npm test.

    apt-get install python3-xgboost && /usr/bin/python3 test/golden/xgboost-margins.py
"""

import json
import os
import tempfile

import numpy as np
import xgboost as xgb

ROWS_TRAINED = 600
ROWS_KEPT = 60
NAMES = ["amount", "hour", "ratio", "rate"]
CASES = [
    ("defaults", {"max_depth": 3}, 8),
    ("base_score", {"max_depth": 2, "base_score": 0.0125}, 6),
    ("regression", {"max_depth": 4, "objective": "reg:logistic", "eta": 0.7}, 5),
    ("pruned", {"max_depth": 5, "gamma": 2.0, "tree_method": "exact"}, 6),
    ("stumps", {"max_depth": 1, "num_parallel_tree": 2, "subsample": 0.5}, 6),
    ("one leaf", {"max_depth": 3, "gamma": 1e6}, 2),
]


def draw(rng, rows):
    values = np.column_stack(
        [
            np.exp(rng.normal(3, 1, rows)),
            rng.integers(0, 24, rows),
            rng.normal(1, 1, rows),
            rng.choice([0.0, 0.25, 1.0], rows),
        ]
    ).astype("float32")
    values[rng.random(values.shape) < 0.15] = np.nan
    return values


def main():
    rng = np.random.default_rng(7)
    values = draw(rng, ROWS_TRAINED)
    risky = np.nan_to_num(values[:, 2]) + 2 * np.nan_to_num(values[:, 3]) + rng.normal(0, 1, ROWS_TRAINED)
    labels = (risky > 2).astype(int)
    kept = xgb.DMatrix(values[:ROWS_KEPT], feature_names=NAMES)
    cases = []
    for name, parameters, rounds in CASES:
        trained = xgb.DMatrix(values, label=labels, feature_names=NAMES)
        booster = xgb.train({"objective": "binary:logistic", "seed": 1, **parameters}, trained, rounds)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.json")
            booster.save_model(path)
            with open(path, encoding="utf-8") as file:
                text = file.read()
        margins = booster.predict(kept, output_margin=True)
        contributions = booster.predict(kept, pred_contribs=True)
        cases.append(
            {
                "name": name,
                "model": text,
                "margin_bits": margins.view("uint32").tolist(),
                **({} if cases else {"probabilities": [float(p) for p in booster.predict(kept)]}),
                "contributions": [[round(float(c), 7) for c in row] for row in contributions[:10]],
            }
        )
    rows = [[None if np.isnan(v) else float(v) for v in row] for row in values[:ROWS_KEPT]]
    golden = {"xgboost": xgb.__version__, "features": NAMES, "rows": rows, "cases": cases}
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "xgboost-margins.json"), "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


main()
