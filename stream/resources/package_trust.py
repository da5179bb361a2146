"""[model] of a configuration: whose signatures are trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.errors import SettingsError
from stream.settings import ModelSettings
from stream.store import Trust

if TYPE_CHECKING:
    from stream.store import PublicKey

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
    return Trust(_keys(model), model.require_signature, model.trusted_types, model.max_size)


def _keys(model: ModelSettings) -> tuple[PublicKey, ...]:
    if not model.trusted_keys:
        return ()
    from stream.store import PublicKey

    named = enumerate(model.trusted_keys)
    return tuple(PublicKey.read(str(pem), f"[model] trusted_keys[{i}]") for i, pem in named)
