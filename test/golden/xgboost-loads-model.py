"""Has Debian's python3-xgboost (1.7) load a model that `risk models train` wrote and compares the bits of its
margins with those of the golden vectors in the manifest beside it. Not run by npm test.

    apt-get install python3-xgboost && /usr/bin/python3 test/golden/xgboost-loads-model.py FOLDER/model.json
"""

import json
import sys

import numpy as np
import xgboost as xgb

path = sys.argv[1]
with open(f"{path}.manifest.json", encoding="utf-8") as file:
    manifest = json.load(file)
booster = xgb.Booster()
booster.load_model(path)
golden = manifest["golden_vectors"]
rows = np.array([[np.nan if v is None else v for v in one["inputs"]] for one in golden], dtype="float32")
margins = booster.predict(xgb.DMatrix(rows, feature_names=booster.feature_names), output_margin=True)
expected = np.array([one["margin"] for one in golden], dtype="float32")
different = int((margins.view("uint32") != expected.view("uint32")).sum())
names = "the same names" if booster.feature_names == manifest["feature_names"] else "OTHER NAMES"
print(f"xgboost {xgb.__version__}: {booster.num_boosted_rounds()} trees, {names}, {len(margins)} margins, {different} different")
sys.exit(1 if different or names == "OTHER NAMES" else 0)
