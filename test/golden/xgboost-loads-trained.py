"""Has Debian's python3-xgboost (1.7) load the model of trained-trees.json and compares the bits of its
margins with ours. Not run by npm test.

    apt-get install python3-xgboost && /usr/bin/python3 test/golden/xgboost-loads-trained.py
"""

import json
import os
import sys

import numpy as np
import xgboost as xgb

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "trained-trees.json"), encoding="utf-8") as file:
    golden = json.load(file)
booster = xgb.Booster()
booster.load_model(bytearray(golden["model"], "utf-8"))
rows = np.array([[np.nan if v is None else v for v in row] for row in golden["rows"]], dtype="float32")
margins = booster.predict(xgb.DMatrix(rows, feature_names=booster.feature_names), output_margin=True)
different = int((margins.view("uint32") != np.array(golden["margin_bits"], dtype="uint32")).sum())
print(f"xgboost {xgb.__version__}: {len(margins)} margins, {different} different")
sys.exit(1 if different else 0)
