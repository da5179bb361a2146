"""Ed25519 keys, and `manifest.sig`: 64 bytes that vouch for `manifest.json` byte by byte, and so for all files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from stream.errors import SettingsError
from stream.settings import SIGN_PASSWORD

__all__ = ["PublicKey", "SigningKey", "is_encrypted"]

_HOW = "make a pair with `openssl genpkey -algorithm ed25519 -out KEY.pem`"
_PUBLIC_HALF = "give its public half: `openssl pkey -in KEY.pem -pubout -out KEY.pub.pem`"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """
    Checks signatures.

    Attributes:
        raw: the key itself, 32 bytes.
    """

    raw: bytes

    @staticmethod
    def read(pem: str, place: str) -> PublicKey:
        """
        Args:
            pem: a `PUBLIC KEY` block.
            place: where it is from, for messages; the text itself is never shown.
        Returns: the key.
        Raises: SettingsError when it is not an ed25519 public key.
        """
        if "PRIVATE KEY" in pem:
            raise SettingsError(f"{place}: is a private key; only the signer may have it", hint=_PUBLIC_HALF)
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SettingsError(
                f"{place}: expected an ed25519 public key in PEM (-----BEGIN PUBLIC KEY-----), found something else",
                hint='write the text of the file, or { file = "KEY.pub.pem" }',
            ) from error
        if not isinstance(key, Ed25519PublicKey):
            raise _other_kind(key, place)
        return PublicKey(key.public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        """
        `sha256:` and the hexadecimal SHA-256 of the key in DER.

        Source: `openssl pkey -pubin -in KEY.pub.pem -outform DER | openssl dgst -sha256` prints the same.
        """
        return f"sha256:{hashlib.sha256(self._written(Encoding.DER)).hexdigest()}"

    @property
    def pem(self) -> str:
        """The key as a configuration holds it."""
        return self._written(Encoding.PEM).decode()

    def _written(self, encoding: Encoding) -> bytes:
        return self._key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)

    @property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)

    def vouches(self, signature: bytes, content: bytes) -> bool:
        """Whether the key's owner has signed exactly this content; the signature may be any bytes."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """
    Makes signatures.

    Attributes:
        secret: the private key's 32 bytes; never shown.
    """

    secret: bytes = field(repr=False)

    @staticmethod
    def read(pem: bytes, place: str, password: str | None = None) -> SigningKey:
        """
        Args:
            pem: a `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` block (PKCS #8).
            place: where it is from, for messages.
            password: of an encrypted one; not used for others.
        Returns: the key.
        Raises: SettingsError when it is not an ed25519 private key, or the password is wrong.
        """
        locked = is_encrypted(pem)
        if b"BEGIN PUBLIC KEY" in pem:
            raise SettingsError(
                f"{place}: is a public key, which can't sign", hint="give the private key's file"
            )
        try:
            key = load_pem_private_key(pem, password.encode() if locked and password is not None else None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            if locked:
                raise SettingsError(
                    f"{place}: the key is encrypted, and the password given does not open it",
                    hint="give the right one",
                ) from error
            raise SettingsError(
                f"{place}: expected an ed25519 private key in PEM (PKCS #8), found something else", hint=_HOW
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _other_kind(key, place)
        return SigningKey(key.private_bytes_raw())

    @staticmethod
    def of_file(path: Path, place: str, ask: Callable[[], str] | None = None) -> SigningKey:
        """
        Args:
            path: of the key, in PEM.
            place: where it is named, for messages.
            ask: for the password of an encrypted one, where `SIGN_PASSWORD` is not set; None = nobody can be asked.
        Returns: the key.
        Raises: as `read`; SettingsError when the file can't be read, or its password is unknown.
        """
        try:
            pem = path.read_bytes()
        except OSError as error:
            hint = "check its permissions" if path.exists() else "give the private key's file"
            raise SettingsError(f"{place}: can't be read: {error.strerror}", hint=hint) from error
        password = os.environ.get(SIGN_PASSWORD)
        if password is None and is_encrypted(pem):
            if ask is None:
                raise SettingsError(
                    f"{place}: the key is encrypted", hint=f"put its password into {SIGN_PASSWORD}"
                )
            password = ask()
        return SigningKey.read(pem, place, password)

    @property
    def public(self) -> PublicKey:
        """The key that checks what this one signs."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        """64 bytes that vouch for a manifest's exact bytes; the same for the same content."""
        return self._key.sign(content)

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)


def is_encrypted(pem: bytes) -> bool:
    """Whether a private key needs a password."""
    return b"BEGIN ENCRYPTED PRIVATE KEY" in pem or b"Proc-Type: 4,ENCRYPTED" in pem


def _other_kind(key: object, place: str) -> SettingsError:
    found = type(key).__name__.removeprefix("_")
    return SettingsError(f"{place}: expected an ed25519 key, found {found}", hint=_HOW)
