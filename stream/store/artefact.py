"""An estimator's bytes ↔ the estimator. Loading runs code: the caller has checked where the bytes are from."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

import joblib
from joblib.numpy_pickle import NumpyPickler

from stream.errors import PackageError
from stream.scoring import Estimator, Raised, attempt, unsound_part
from stream.store.foreign_models import contents_of, step_for

__all__ = ["dump_estimator", "load_estimator"]

T = TypeVar("T")

MAX_UNPACKED_BYTES = 4 * 1024**3
"""Of a skops file's entries together."""

_OWN_TYPES = frozenset({
    "collections.OrderedDict",
    "lightgbm.basic.Booster",  # read by the library from its own text, as a model file of it is
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRanker",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.LogLink",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
})  # fmt: skip
"""
scikit-learn's and LightGBM's own parts that skops doesn't trust by itself; none of them runs code while it is loaded.
"""


class _Pickler(NumpyPickler):  # type: ignore[misc]  # joblib has no types
    """
    joblib's, with equal texts as one object.

    A pickle refers back to an object that was written before. Which equal texts are one object depends on what the
    process interned, such as the names in a model that it opened: the same estimator would have other bytes.
    """

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self._texts: dict[str, str] = {}

    def save(self, obj: object) -> None:
        """Write an object."""
        super().save(self._texts.setdefault(obj, obj) if type(obj) is str else obj)


def dump_estimator(estimator: object) -> bytes:
    """
    Args:
        estimator: fitted.
    Returns: the content of `model.joblib`; the same for the same estimator, whatever was loaded before.
    Raises: PackageError if it can't be pickled.
    """
    stream = io.BytesIO()
    failure = attempt(lambda: _Pickler(stream).dump(estimator))
    if isinstance(failure, Raised):
        raise PackageError(
            f"the estimator can't be pickled: {failure.exception}: {failure.message}",
            step="load",
            hint="put its functions and classes into a module that can be imported",
        )
    return stream.getvalue()


def load_estimator(
    content: bytes, name: str, types: Collection[str] = (), heard: Callable[[Warning], None] | None = None
) -> Estimator:
    """
    Turn bytes into the estimator. A pickle runs code: check hash and signature first.

    Args:
        content: of the file.
        name: the file's name; `.skops` loads without pickle, and only types that are trusted.
        types: full names of types that a `.skops` file may hold beside our own list.
        heard: called with each warning of a pickle's libraries, such as that another version wrote it; None to
            pass them over, where the manifest has said so before.
    Returns: the estimator.
    Raises: PackageError (step `load`) if it can't be loaded or has no `predict`.
    """
    skops = name.endswith(".skops")
    estimator = _load_skops(content, name, types) if skops else _load_pickle(content, name, heard)
    if isinstance(estimator, type) or not callable(getattr(estimator, "predict", None)):
        raise PackageError(
            f"{name}: holds {contents_of(estimator)}, which has no `predict`",
            step="load",
            hint=step_for(estimator, name),
        )
    if problem := unsound_part(estimator):
        raise PackageError(
            f"{name}: must not be asked: {problem}",
            step="load",
            hint="it is damaged, or was made to do harm: pack the model again where it was trained",
        )
    return estimator  # type: ignore[return-value]  # the check above is what the type says


def _load_pickle(content: bytes, name: str, heard: Callable[[Warning], None] | None) -> object:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator = _tried(name, partial(joblib.load, io.BytesIO(content)))
    for warning in caught if heard is not None else ():
        heard(warning.message)  # type: ignore[misc, arg-type]  # recorded ones are always instances
    return estimator


def _load_skops(content: bytes, name: str, types: Collection[str]) -> object:
    import skops.io  # imports half of scikit-learn's test tools: a worker with a joblib file need not wait

    _tried(name, partial(_check_unpacked, content))
    asked = _tried(name, partial(skops.io.get_untrusted_types, data=content))
    if untrusted := sorted(set(asked) - _OWN_TYPES - set(types)):
        raise PackageError(
            f"{name}: holds types that are not trusted: {', '.join(untrusted)}",
            step="load",
            hint=f"look at what they do; if you trust them, [model] trusted_types = {json.dumps(untrusted)}"
            " (`stream pack --trusted-types` while packing)",
        )
    return _tried(name, partial(skops.io.loads, content, trusted=sorted(asked)))


def _check_unpacked(content: bytes) -> None:
    """A skops file is a zip archive; no more than an entry claims is ever unpacked of it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        total = sum(entry.file_size for entry in archive.infolist())
    if total > MAX_UNPACKED_BYTES:
        raise ValueError(f"it unpacks to {total:,} bytes, at most {MAX_UNPACKED_BYTES:,} are read")


def _tried(name: str, load: Callable[[], T]) -> T:
    """Unpickling is foreign code: whatever it raises refuses the file, `sys.exit` too."""
    try:
        loaded = attempt(load)
    except MemoryError:
        raise PackageError(
            f"{name}: loading it takes more memory than there is",
            step="load",
            hint="look at what it holds before you give it more",
        ) from None
    if isinstance(loaded, Raised):
        raise PackageError(
            f"{name}: loading it raised {loaded.exception}: {loaded.message}", step="load", hint=_hint(loaded)
        )
    return loaded


def _hint(raised: Raised) -> str:
    kind = raised.exception.rpartition(".")[2]
    if kind in ("ModuleNotFoundError", "ImportError"):
        return "install the module that is named in the version that it was trained with, or set PYTHONPATH"
    if kind == "AttributeError" and "__main__" in raised.message:
        return "move that function or class from the script or notebook into a module that can be imported"
    if kind in ("KeyError", "UnpicklingError", "EOFError", "IndexError"):
        # What the pickle module says of bytes that are not a pickle; KeyError is an unknown opcode.
        return "it is probably not a joblib or pickle file: give what `joblib.dump` wrote of the fitted estimator"
    return "save it again with the library versions that are installed here"
