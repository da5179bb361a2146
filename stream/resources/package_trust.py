"""[model] of a configuration: whose signatures are trusted."""

from __future__ import annotations

from stream.errors import SettingsError
from stream.settings import ModelSettings
from stream.store import PublicKey, Trust

__all__ = ["trust_of"]


def trust_of(model: ModelSettings) -> Trust:
    """
    What a package must prove before it is opened.

    Args:
        model: the table of the configuration.
    Raises: SettingsError when a key can't be read, or a signature is required but no key is trusted.
    """
    if model.require_signature and not model.trusted_keys:
        raise SettingsError(
            "[model] require_signature: is true, but trusted_keys is empty: no signature could be verified",
            hint='add trusted_keys = [{ file = "KEY.pub.pem" }]',
        )
    keys = tuple(
        PublicKey.read(str(pem), f"[model] trusted_keys[{i}]") for i, pem in enumerate(model.trusted_keys)
    )
    return Trust(keys, model.require_signature, model.trusted_types, model.max_size)
