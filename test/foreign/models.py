"""Trains small models with the library that is installed here, and prints their files, rows and the probabilities
that the library gives for the rows, as JSON. Models that the engine does not run have the member that it names.

    sh test/foreign/install-python.sh FOLDER PACKAGE==VERSION ...    (the packages stand in models.long.test.ts)
    FOLDER/bin/python test/foreign/models.py xgboost 1 > test/golden/models/xgboost-3.4.1.json
"""

import base64
import json
import os
import sys
import tempfile

import numpy as np

ROWS_TRAINED = 500
ROWS_KEPT = 40
NAMES = ["amount", "hour", "ratio", "rate"]


def draw(rng, rows):
    """Amounts, whole numbers, values that are missing where they matter, and many zeros."""
    values = np.column_stack(
        [
            np.round(np.exp(rng.normal(3, 1, rows)), 2),
            rng.integers(0, 24, rows),
            rng.normal(1, 1, rows),
            rng.choice([0.0, 0.25, 1.0], rows, p=[0.6, 0.2, 0.2]),
        ]
    )
    gaps = rng.random(values.shape) < np.array([0.05, 0.05, 0.4, 0.3])
    values[gaps] = np.nan
    return values


def label(rng, values):
    """A missing ratio is risky by itself, so that splits part values that are there from missing ones."""
    risk = 2.0 * np.isnan(values[:, 2]) + np.nan_to_num(values[:, 3]) + 0.3 * np.nan_to_num(values[:, 2])
    return (risk + rng.normal(0, 0.7, len(values)) > 1.6).astype(int)


def kept_rows(rng):
    values = draw(rng, ROWS_KEPT).astype("float32").astype("float64")
    extremes = [[0.0, 0.0, 0.0, 0.0], [np.nan] * 4, [1e30, 23, -1e30, 1e-36], [-1.5, 0.0, np.nan, -1e-36]]
    values[: len(extremes)] = np.array(extremes, dtype="float32")
    return values


def read(path):
    with open(path, "rb") as file:
        return file.read()


def xgboost_cases(rng, kept):
    import xgboost as xgb

    values = draw(rng, ROWS_TRAINED)
    labels = label(rng, values)
    held = draw(rng, ROWS_TRAINED)
    held_labels = label(rng, held)
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model.json")
    common = {"seed": 1, "eta": 0.6, "max_depth": 3, "nthread": 2}

    def matrix(rows, of, **more):
        return xgb.DMatrix(rows, label=of, feature_names=NAMES, **more)

    def grow(parameters, rounds=8, **more):
        booster = xgb.train(
            {"objective": "binary:logistic", **common, **parameters},
            matrix(values, labels),
            rounds,
            evals=[(matrix(held, held_labels), "held")],
            verbose_eval=False,
            **more,
        )
        booster.save_model(path)

    def case(name, scoring=None, in_file=None):
        """The probabilities of predict_proba by a classifier that has read the file."""
        classifier = xgb.XGBClassifier()
        classifier.load_model(path)
        # Version 1.7 restores the value that was missing at the training, and sends NaN to the right beside such a value.
        rows = kept if np.isnan(classifier.missing) else np.where(np.isnan(kept), classifier.missing, kept)
        text = read(path).decode()
        booster = json.loads(text)["learner"]["gradient_booster"]
        model = booster.get("gbtree", booster)["model"]
        trees = int(model["gbtree_model_param"]["num_trees"])
        best = json.loads(text)["learner"]["attributes"].get("best_iteration")
        per_round = int(model["gbtree_model_param"]["num_parallel_tree"])
        return {
            "name": name,
            "model": text,
            "trees": {"scoring": trees if best is None else (int(best) + 1) * per_round, "inFile": trees},
            "probabilities": [float(p) for p in classifier.predict_proba(rows)[:, 1]],
        }

    for method in ["exact", "approx", "hist"]:
        grow({"tree_method": method})
        yield case(f"gaps, grown by {method}")
    grow({"eta": 1.0}, 40, early_stopping_rounds=6)
    yield case("early stopping")
    grow({"eta": 1.0}, 4, xgb_model=path)
    yield case("early stopping, then on without, which keeps the old best round")
    booster = xgb.Booster(model_file=path)
    booster.set_attr(best_iteration=None, best_score=None)
    booster.save_model(path)
    yield case("early stopping, then on, and the old best round taken away")
    grow({"num_parallel_tree": 3, "subsample": 0.6}, 30, early_stopping_rounds=4)
    yield case("early stopping of rounds of three trees")
    classifier = xgb.XGBClassifier(n_estimators=30, learning_rate=1.0, max_depth=3, early_stopping_rounds=4, missing=0)
    named = {"eval_set": [(held, held_labels)], "verbose": False}
    classifier.fit(values, labels, **named)
    classifier.get_booster().feature_names = NAMES
    classifier.save_model(path)
    yield case("a classifier that took 0 as missing")
    grow({"scale_pos_weight": 7, "max_delta_step": 1})
    yield case("weighted positives")
    grow({"base_score": 0.03, "objective": "reg:logistic", "grow_policy": "lossguide", "max_leaves": 6})
    yield case("a base score of its own")
    grow({"num_parallel_tree": 6, "eta": 1.0, "subsample": 0.6, "colsample_bynode": 0.6}, 1)
    yield case("a random forest")
    booster = xgb.Booster(model_file=path)
    booster.set_attr(best_ntree_limit="2")
    booster.save_model(path)
    yield case("best_ntree_limit alone")
    grow({"gamma": 1e6}, 2)
    yield case("trees of one leaf")
    grow({"booster": "dart", "rate_drop": 0.5})
    yield case("dart")
    grow({"booster": "dart", "rate_drop": 0.3, "eta": 1.0}, 30, early_stopping_rounds=5)
    yield case("dart with early stopping")

    def refused(name, member, model=None):
        return {"name": name, "model": model or read(path).decode(), "refused": member}

    grow({"booster": "gblinear", "max_depth": 0})
    yield refused("a linear booster", "learner.gradient_booster.name")
    grow({"objective": "binary:hinge"})
    yield refused("hinge", "learner.objective.name")
    booster = xgb.train(
        {"objective": "multi:softprob", "num_class": 3, **common}, matrix(values, rng.integers(0, 3, len(labels))), 2
    )
    booster.save_model(path)
    yield refused("three classes", "learner.objective.name")
    types = ["q", "c", "q", "q"]
    whole = np.nan_to_num(values)
    categorical = matrix(whole, labels, feature_types=types, enable_categorical=True)
    xgb.train({"objective": "binary:logistic", "tree_method": "hist", **common}, categorical, 3).save_model(path)
    yield refused("categories", "learner.feature_types")
    grow({})
    xgb.Booster(model_file=path).save_model(os.path.join(folder, "model.ubj"))
    ubj = base64.b64encode(read(os.path.join(folder, "model.ubj"))).decode()
    yield {"name": "UBJSON", "base64": ubj, "refused": "file"}


def lightgbm_cases(rng, kept):
    import lightgbm as lgb

    values = draw(rng, ROWS_TRAINED)
    labels = label(rng, values)
    held = draw(rng, ROWS_TRAINED)
    held_labels = label(rng, held)
    whole = np.nan_to_num(values)
    common = {"verbosity": -1, "seed": 1, "learning_rate": 0.3, "num_leaves": 7, "min_data_in_leaf": 5, "num_threads": 2}
    common["min_data_in_bin"] = 3

    def grow(parameters, rounds=6, rows=values, of=labels, first=None, categories="auto"):
        settings = {"objective": "binary", **common, **parameters}
        named = {"feature_name": NAMES, "categorical_feature": categories, "params": settings}
        data = lgb.Dataset(rows, of, free_raw_data=False, **named)
        return lgb.train(settings, data, rounds, init_model=first)

    def case(name, booster):
        text = booster.model_to_string()
        again = lgb.Booster(model_str=text)
        trees = again.num_trees()
        return {
            "name": name,
            "model": text,
            "trees": {"scoring": trees, "inFile": trees},
            "probabilities": [float(p) for p in again.predict(kept)],
        }

    yield case("gaps", grow({}))
    only = np.where(np.isnan(values[:, 2]), np.nan, np.round(values[:, 2] * 0) + 1)
    present = np.column_stack([values[:, 0], values[:, 1], only, values[:, 3]])
    yield case("a value that is there or missing", grow({}, rows=present))
    yield case("zero as missing", grow({"zero_as_missing": True}))
    yield case("no missing values", grow({"use_missing": False}))
    yield case("trained without gaps", grow({}, rows=whole))
    first = grow({}, rows=whole)
    yield case("trained without gaps, then on with gaps", grow({}, first=first))
    data = lgb.Dataset(values, labels, feature_name=NAMES)
    other = lgb.Dataset(held, held_labels, reference=data)
    stopping = [lgb.early_stopping(4, verbose=False)]
    settings = {"objective": "binary", **common, "learning_rate": 0.9}
    yield case("early stopping", lgb.train(settings, data, 60, valid_sets=[other], callbacks=stopping))
    yield case("a sigmoid of its own", grow({"sigmoid": 0.4}))
    yield case("unbalanced", grow({"is_unbalance": True}))
    yield case("weighted positives", grow({"scale_pos_weight": 9, "boost_from_average": False}))
    yield case("a random forest", grow({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}))
    yield case("dart", grow({"boosting": "dart", "drop_rate": 0.5}))
    yield case("goss", grow({"boosting": "goss", "learning_rate": 0.5}))
    yield case("cross entropy", grow({"objective": "cross_entropy"}, of=np.clip(labels * 0.9, 0.05, 0.9)))
    yield case("trees of one leaf", grow({"min_gain_to_split": 1e9}, 2))
    yield case("extra trees", grow({"extra_trees": True, "max_bin": 15}))

    def refused(name, member, booster):
        return {"name": name, "model": booster.model_to_string(), "refused": member}

    yield refused("linear leaves", "Tree=", grow({"linear_tree": True}, rows=whole))
    yield refused("categories", "Tree=", grow({}, rows=whole, categories=[1, 3]))
    classes = rng.integers(0, 3, len(labels))
    yield refused("three classes", "num_class", grow({"objective": "multiclass", "num_class": 3}, 2, of=classes))
    yield refused("a regression", "objective", grow({"objective": "regression"}, 2))


def main():
    library, seed = sys.argv[1], int(sys.argv[2])
    rng = np.random.default_rng(seed)
    kept = kept_rows(rng)
    cases = {"xgboost": xgboost_cases, "lightgbm": lightgbm_cases}[library](rng, kept)
    made = {
        "library": library,
        "version": __import__(library).__version__,
        "rows": [[None if np.isnan(v) else float(v) for v in row] for row in kept],
        "cases": list(cases),
    }
    json.dump(made, sys.stdout)
    print()


main()
