"""Columns in, answers out: what a fitted estimator is asked, and what becomes of its answers."""

from stream.scoring.answers import AnswerField, Answers, answer_fields
from stream.scoring.attempt import Raised, WrongAnswer, attempt, raised_by
from stream.scoring.column_types import typed_features
from stream.scoring.columns import columns_of, value_at
from stream.scoring.encoded_texts import known_texts, missing_texts
from stream.scoring.estimator_input import Inputs, X, taken, unshared
from stream.scoring.estimators import Estimator, Profile, profile
from stream.scoring.fitted_parts import walk
from stream.scoring.frame_columns import frame_column
from stream.scoring.isolation import Isolation
from stream.scoring.known_columns import KnownColumns
from stream.scoring.model import Model, Scored
from stream.scoring.plain_answers import plain_answer, plain_scores
from stream.scoring.prediction import carried_names, prediction_columns, prediction_schema
from stream.scoring.sklearn_settings import default_settings
from stream.scoring.soundness import unsound_part
from stream.scoring.ways import Trial, same_answer

__all__ = [
    "AnswerField",
    "Answers",
    "Estimator",
    "Inputs",
    "Isolation",
    "KnownColumns",
    "Model",
    "Profile",
    "Raised",
    "Scored",
    "Trial",
    "WrongAnswer",
    "X",
    "answer_fields",
    "attempt",
    "carried_names",
    "columns_of",
    "default_settings",
    "frame_column",
    "known_texts",
    "missing_texts",
    "plain_answer",
    "plain_scores",
    "prediction_columns",
    "prediction_schema",
    "profile",
    "raised_by",
    "same_answer",
    "taken",
    "typed_features",
    "unshared",
    "unsound_part",
    "value_at",
    "walk",
]
