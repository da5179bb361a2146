"""[model] of a configuration → whom its packages are trusted from."""

from __future__ import annotations

from stream.errors import SettingsError
from stream.settings import ModelSettings
from stream.store import PublicKey, Trust

__all__ = ["trust_of"]


def trust_of(model: ModelSettings) -> Trust:
    """
    Args:
        model: the table of the configuration.
    Returns: what a package must show before it is opened.
    Raises: SettingsError when a key is none, or a signature is required that nobody could have made.
    """
    if model.require_signature and not model.trusted_keys:
        raise SettingsError(
            "[model] require_signature: is true, but trusted_keys is empty: no signature could be right",
            mend='add trusted_keys = [{ file = "KEY.pub.pem" }]',
        )
    keys = tuple(
        PublicKey.read(str(pem), f"[model] trusted_keys[{i}]") for i, pem in enumerate(model.trusted_keys)
    )
    return Trust(keys, model.require_signature, model.trusted_types)
