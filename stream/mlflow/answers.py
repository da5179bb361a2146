"""What MLflow's client raises → what it asks for: correct a name, let us in, or try again."""

from __future__ import annotations

import re
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from stream.errors import BrokerRefused, Retriable, SettingsError, StreamError

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException

__all__ = ["NotThere", "asked", "translated"]

_CAUSE = re.compile(r"Caused by \w+\((.*)\)")
"""Of a connection, in the words of urllib3."""

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")

_REFUSED = re.compile(r"\b40[13] Client Error\b")
"""In what MLflow's client says of files that it could not download."""

_LINE = (ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
"""Of a network; any other OSError with a number is of this machine's disk."""

_LONGEST = 500
"""Characters of what a server says: some answer with a whole page."""


class NotThere(SettingsError):
    """
    The MLflow server does not have what it was asked for.

    Operator action: correct the name, or register the model.
    """


@contextmanager
def asked(what: str, address: str) -> Iterator[None]:
    """
    Do something with MLflow's client, and raise what a failure asks for.

    Args:
        what: is asked for, such as `models:/flights@champion`, for messages.
        address: of the server.
    Raises: as `translated`.
    """
    with warnings.catch_warnings(), translated(what, address):
        warnings.simplefilter("ignore")  # of things that are deprecated in a library, not of this model
        yield


@contextmanager
def translated(what: str, address: str) -> Iterator[None]:
    """
    The same beside another thread: warnings stay as they are, since their filters are the process's.

    Args:
        what: is asked for, for messages.
        address: of the server.
    Raises: NotThere; BrokerRefused when the server does not let us in, Retriable when it does not answer, or not as it
        should; SettingsError when a library is missing for where it keeps its files; OSError of this machine's disk.
    """
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except MlflowException as error:
        raise _of_client(what, address, error) from error
    except RequestException as error:
        said = _said(str(error))
        if error.response is not None and error.response.status_code in (401, 403):
            raise _refusal(what, address, said, str(error.response.status_code)) from error
        raise _silent(what, address, said) from error
    except StreamError:
        raise
    except OSError as error:
        if error.errno is None or isinstance(error, _LINE):
            raise _silent(what, address, _said(str(error))) from error
        raise
    except ImportError as error:
        raise SettingsError(
            f"{what}: {address} keeps files where they can't be read from here: {_said(str(error))}",
            hint="install the library that MLflow's client needs for that store, such as boto3 for s3://",
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Its client takes an answer apart without looking: what stands at the address is no MLflow server.
        raise _silent(what, address, f"not as an MLflow server answers ({type(error).__name__})") from error
    # A store's own client, such as boto3, raises errors of its own; so does protobuf where a field has another type.
    except Exception as error:
        raise _silent(what, address, f"{type(error).__name__}: {_said(str(error))}") from error


def _of_client(what: str, address: str, error: MlflowException) -> StreamError:
    status, said = error.get_http_status_code(), _said(error.message)
    if status in (401, 403) or _REFUSED.search(error.message):
        return _refusal(what, address, said, error.error_code)
    if status in (400, 404):
        return NotThere(f"{what}: {address}: {said}", hint="correct the name, or register the model")
    return _silent(what, address, said)


def _refusal(what: str, address: str, said: str, code: str) -> BrokerRefused:
    return BrokerRefused(
        f"{what}: the MLflow server at {address} refuses: {said}",
        hint="see to `user` and `password`, or `token`, in [mlflow], and to what they may read",
        code=code,
    )


def _silent(what: str, address: str, said: str) -> Retriable:
    return Retriable(
        f"{what}: the MLflow server at {address} does not answer: {said}",
        hint="start it, or correct [mlflow] tracking_uri",
    )


def _said(text: str) -> str:
    """What a person needs of it; the same each time: it is logged when it changes."""
    text = " ".join(text.split())
    if (cause := _CAUSE.search(text)) is not None:
        text = cause[1].rpartition(": ")[2].strip("\"')") or text
    text = _ADDRESS.sub("0x…", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
