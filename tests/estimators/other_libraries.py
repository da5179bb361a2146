"""Estimators of LightGBM, XGBoost, CatBoost, imbalanced-learn, category_encoders, feature-engine and statsmodels."""

from __future__ import annotations

from typing import Any

import category_encoders as ce
import lightgbm as lgb
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from catboost import CatBoostClassifier, CatBoostRegressor
from feature_engine.datetime import DatetimeFeatures
from feature_engine.encoding import OneHotEncoder, RareLabelEncoder
from feature_engine.imputation import CategoricalImputer, MeanMedianImputer
from imblearn.ensemble import BalancedRandomForestClassifier, RUSBoostClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as make_balanced
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier

from tests.estimators.owned import ROWS, Owned, air, flights, grade, late, named, numbers, passengers, unnamed
from tests.estimators.pipelines import mixed

__all__ = ["OTHERS"]


def lightgbm(kind: Any = LGBMClassifier, **options: Any) -> Any:
    """Small and quiet."""
    return kind(n_estimators=6, min_child_samples=5, verbose=-1, n_jobs=1, **options)


def xgboost(kind: Any = XGBClassifier, **options: Any) -> Any:
    """Small."""
    return kind(n_estimators=6, max_depth=3, n_jobs=1, **options)


def catboost(kind: Any = CatBoostClassifier, **options: Any) -> Any:
    """Small and quiet."""
    return kind(iterations=8, depth=3, verbose=0, allow_writing_files=False, thread_count=1, **options)


def categories(*names: str) -> pd.DataFrame:
    """Two numbers, and texts as pandas' categories."""
    return flights("dep_delay", "temp", *names).astype(dict.fromkeys(names, "category"))


def _texts() -> pd.DataFrame:
    """For CatBoost, which takes no NaN as a category."""
    return flights("dep_delay", "temp", "carrier", "origin")


def _booster() -> Owned:
    data = lgb.Dataset(numbers(), late())
    booster = lgb.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 5)
    return Owned(booster, numbers(), numbers())


def _ols(*, formula: bool) -> Owned:
    frame = numbers() / 100
    if formula:
        fitted = smf.ols("air ~ dep_delay + np.log1p(distance) + humid", frame.assign(air=air())).fit()
        x = frame[["dep_delay", "distance", "humid"]]
        return Owned(fitted, x, x)
    x = sm.add_constant(frame)
    return Owned(sm.OLS(air(), x).fit(), x, x)


def _logit() -> Owned:
    x = numbers()[["dep_delay", "humid"]] / 100
    return Owned(sm.Logit(late(), x).fit(disp=0), x, x)


def _ranked() -> Owned:
    fitted = lightgbm(LGBMRanker).fit(numbers(), late(), group=[ROWS // 3] * 3)
    return Owned(fitted, numbers(), numbers())


def _encoded(encoder: Any) -> Any:
    return make_pipeline(encoder, StandardScaler(), LogisticRegression(max_iter=1000))


def _engineered() -> Any:
    return make_pipeline(
        MeanMedianImputer(variables=["temp"]),
        CategoricalImputer(variables=["carrier", "tail"]),
        RareLabelEncoder(n_categories=3, tol=0.1, variables=["carrier", "tail"]),
        OneHotEncoder(variables=["carrier", "tail"]),
        LogisticRegression(max_iter=2000),
    )


OTHERS = {
    "LightGBM": lambda: named(lightgbm(), numbers(), grade()),
    "LightGBM on arrays": lambda: unnamed(lightgbm(LGBMRegressor), air()),
    "LightGBM with categories": lambda: named(lightgbm(), categories("carrier", "tail"), late()),
    "LightGBM ranker": _ranked,
    "LightGBM booster": _booster,
    "LightGBM in a pipeline": lambda: named(make_pipeline(StandardScaler(), lightgbm()), numbers(), late()),
    "XGBoost": lambda: named(xgboost(), numbers(), late()),
    "XGBoost of several classes": lambda: named(xgboost(), numbers(), grade().factorize(sort=True)[0]),
    "XGBoost on arrays": lambda: unnamed(xgboost(XGBRegressor), air()),
    "XGBoost with categories": lambda: named(
        xgboost(enable_categorical=True), categories("carrier", "tail"), late()
    ),
    "XGBoost forest": lambda: named(xgboost(XGBRFClassifier), numbers(), late()),
    "CatBoost": lambda: named(catboost(), numbers(), late()),
    "CatBoost on arrays": lambda: unnamed(catboost(CatBoostRegressor), air()),
    "CatBoost regressor": lambda: named(catboost(CatBoostRegressor), numbers(), air()),
    "CatBoost of several classes": lambda: named(catboost(), numbers(), grade()),
    "CatBoost with texts": lambda: named(catboost(cat_features=["carrier", "origin"]), _texts(), late()),
    "CatBoost with whole numbers": lambda: named(catboost(cat_features=["class"]), passengers(), late()),
    "CatBoost behind a function": lambda: named(
        make_pipeline(FunctionTransformer(), catboost(cat_features=["carrier", "origin"])), _texts(), grade()
    ),
    "CatBoost in a search": lambda: named(GridSearchCV(catboost(), {"depth": [2]}, cv=2), numbers(), late()),
    "CatBoost calibrated": lambda: named(CalibratedClassifierCV(catboost(), cv=2), numbers(), late()),
    "CatBoost, several values": lambda: named(
        MultiOutputRegressor(catboost(CatBoostRegressor)), numbers(), np.column_stack([air(), late()])
    ),
    "balanced forest": lambda: named(BalancedRandomForestClassifier(5, random_state=0), numbers(), late()),
    "RUSBoost": lambda: named(RUSBoostClassifier(n_estimators=5, random_state=0), numbers(), late()),
    "SMOTE before a model": lambda: named(
        make_balanced(StandardScaler(), SMOTE(random_state=0, k_neighbors=3), LogisticRegression()),
        numbers(),
        late(),
    ),
    "target encoding": lambda: named(
        _encoded(ce.TargetEncoder(cols=["carrier", "origin"])), _texts().drop(columns="temp"), late()
    ),
    "binary encoding": lambda: named(
        _encoded(ce.BinaryEncoder(cols=["carrier"])), flights("hour", "carrier"), late()
    ),
    "weight of evidence": lambda: named(
        _encoded(ce.WOEEncoder(cols=["origin"])), flights("hour", "origin"), late()
    ),
    "ordinal encoding of whole numbers": lambda: named(
        _encoded(ce.OrdinalEncoder(cols=["class", "weekend"])), passengers(), late()
    ),
    "feature-engine": lambda: named(_engineered(), mixed(), late()),
    "feature-engine on dates": lambda: named(
        make_pipeline(
            DatetimeFeatures(features_to_extract=["hour", "day_of_week"]), LogisticRegression(max_iter=2000)
        ),
        flights("distance", "scheduled"),
        late(),
    ),
    "least squares": lambda: _ols(formula=False),
    "least squares of a formula": lambda: _ols(formula=True),
    "logit": _logit,
    "ridge behind category_encoders": lambda: named(
        make_pipeline(ce.CountEncoder(cols=["carrier"]), Ridge()), flights("distance", "carrier"), air()
    ),
}
