"""
Logs models of MLflow's own flavours, and registers each. A script of MLflow's environment, run in a folder.

It writes `asked.parquet`, and prints what the models themselves answer to it, by name.
"""

import json
import sys
from functools import partial
from typing import Any

import catboost
import lightgbm
import mlflow.catboost
import mlflow.lightgbm
import mlflow.sklearn
import mlflow.statsmodels
import mlflow.xgboost
import numpy as np
import pandas as pd
import statsmodels.api
import xgboost
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression, LogisticRegression

draw = np.random.default_rng(0)
rows = pd.DataFrame({"mean x": draw.normal(size=80), "k": draw.integers(0, 5, 80), "z": draw.normal(size=80)})
rows.loc[::7, "z"] = np.nan
whole = rows.fillna(0.0)
y = (rows["mean x"] + rows["k"] > 2).astype(int)
asked = whole.tail(5)
said: dict[str, list[float]] = {}


def log(flavor: Any, name: str, model: Any, taken: Any = None, how: Any = None, **about: Any) -> None:
    """
    Log one model in a run of its own, and ask it.

    Args:
        flavor: a module of MLflow.
        name: of the registered model, behind `logged-`.
        model: fitted.
        taken: the frame that it was fitted on, which it is logged with a signature and an example of; None for neither.
        how: the model is asked, for what it says itself; None for its `predict` of the rows.
        about: further arguments of the flavour.
    """
    if taken is not None:
        example = {"signature": infer_signature(taken, model.predict(taken)), "input_example": taken.tail(5)}
        about = {**example, **about}
    with mlflow.start_run():
        flavor.log_model(  # what is told of libraries spares finding them out, in a process for each
            model, name="m", registered_model_name=f"logged-{name}", pip_requirements=["mlflow"], **about
        )
    said[name] = np.asarray(how() if how else model.predict(asked)).ravel().tolist()


mlflow.set_experiment("logged")
linear = LogisticRegression().fit(whole, y)
log(mlflow.sklearn, "skops", linear, whole)
log(mlflow.sklearn, "pickled", linear, whole, serialization_format="cloudpickle")
log(mlflow.sklearn, "bare", linear)
log(mlflow.sklearn, "signed", linear, signature=infer_signature(whole, linear.predict(whole)))
log(mlflow.sklearn, "example", linear, input_example=whole.tail(5))
nameless = LinearRegression().fit(whole.to_numpy(), y)
ask = partial(nameless.predict, asked.to_numpy())
log(mlflow.sklearn, "array", nameless, how=ask, input_example=asked.to_numpy())
trees = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(rows, y)
log(mlflow.lightgbm, "lightgbm", trees, rows)
log(mlflow.lightgbm, "booster", trees.booster_, rows)
log(mlflow.xgboost, "xgboost", xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(rows, y), rows)
cat = catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False, thread_count=1)
log(mlflow.catboost, "catboost", cat.fit(rows, y), rows)
two = whole[["mean x", "k"]]
least = statsmodels.api.OLS(whole["z"], two).fit()
log(mlflow.statsmodels, "statsmodels", least, two, how=partial(least.predict, two.tail(5)))
asked.to_parquet("asked.parquet")
sys.stdout.write(json.dumps(said) + "\n")
