"""Keys and signatures: ours are the same as openssl's, and a file that is not a key is named as such."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from stream.errors import SettingsError
from stream.store import PublicKey, SigningKey, is_encrypted
from tests.unit.store.signed import OURS, THEIRS

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def _pem(
    key: Ed25519PrivateKey | rsa.RSAPrivateKey,
    lock: KeySerializationEncryption | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
) -> bytes:
    return key.private_bytes(Encoding.PEM, form, lock or NoEncryption())


def _ours() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(OURS.secret)


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def _openssl(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout


def test_signature_is_that_of_the_standards_first_vector() -> None:
    """RFC 8032, 7.1, test 1: the empty message."""
    key = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))

    assert "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" == key.public.raw.hex()
    assert (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b" == key.sign(b"").hex()
    )


def test_only_the_signer_vouches_and_only_for_what_was_signed() -> None:
    """Another key, another content, a shorter or an empty signature: none will do."""
    signature = OURS.sign(b"manifest")

    assert OURS.public.vouches(signature, b"manifest")
    assert not THEIRS.public.vouches(signature, b"manifest")
    assert not OURS.public.vouches(signature, b"manifesto")
    assert not OURS.public.vouches(signature[:-1], b"manifest")
    assert not OURS.public.vouches(b"", b"manifest")


def test_public_key_survives_its_own_text() -> None:
    """What `pem` writes, `read` reads, and so does the library."""
    text = _ours().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    assert (text, OURS.public) == (OURS.public.pem, PublicKey.read(text, "here"))


def test_private_key_does_not_show_itself() -> None:
    """Not in a log, not in a message."""
    assert "SigningKey()" == repr(OURS)


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        ("", "PUBLIC KEY"),
        ("ssh-ed25519 AAAAC3Nza", "PUBLIC KEY"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "PUBLIC KEY"),
        (_pem(_ours()).decode(), "only the signer may have it"),
        (_rsa().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "RSAPublicKey"),
        ("-----BEGIN PUBLIC KEY-----\n\N{SNOWMAN}\n-----END PUBLIC KEY-----", "PUBLIC KEY"),
    ],
)  # fmt: skip
def test_text_that_is_not_a_public_key_is_refused_without_being_shown(pem: str, message: str) -> None:
    """The place is named; the text may be a secret that landed there by mistake."""
    with pytest.raises(SettingsError, match=message) as caught:
        PublicKey.read(pem, "[model] trusted_keys[0]")

    assert "[model] trusted_keys[0]" in str(caught.value)
    assert _pem(_ours()).decode().splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize(
    ("pem", "password", "message"),
    [
        (b"", None, "PKCS #8"),
        (b"\xff\xfe", None, "PKCS #8"),
        (OURS.public.pem.encode(), None, "public key"),
        (_pem(_rsa()), None, "RSAPrivateKey"),
        (_pem(_ours(), BestAvailableEncryption(b"hush")), "loud", "password"),
        (_pem(_ours(), BestAvailableEncryption(b"hush")), None, "password"),
        (_pem(_ours(), BestAvailableEncryption(b"hush")), "", "password"),
        (_pem(_ours(), form=PrivateFormat.OpenSSH), None, "PKCS #8"),
    ],
)  # fmt: skip
def test_file_that_can_not_sign_is_refused(pem: bytes, password: str | None, message: str) -> None:
    """With what it is instead, and what to do."""
    with pytest.raises(SettingsError, match=message):
        SigningKey.read(pem, "--sign KEY", password)


def test_encrypted_key_opens_with_its_password_and_a_plain_one_with_any() -> None:
    """The variable may stay set while another key is used."""
    locked = _pem(_ours(), BestAvailableEncryption(b"hush"))

    assert (True, False) == (is_encrypted(locked), is_encrypted(_pem(_ours())))
    assert OURS == SigningKey.read(locked, "here", "hush")
    assert OURS == SigningKey.read(_pem(_ours()), "here", "hush")


@openssl
def test_openssl_makes_a_pair_that_we_read_with_the_same_fingerprint(tmp_path: Path) -> None:
    """The commands of docs/trust.md."""
    _openssl(tmp_path, "genpkey", "-algorithm", "ed25519", "-out", "release.pem")
    _openssl(tmp_path, "pkey", "-in", "release.pem", "-pubout", "-out", "release.pub.pem")
    der = _openssl(tmp_path, "pkey", "-pubin", "-in", "release.pub.pem", "-outform", "DER")

    private = SigningKey.read((tmp_path / "release.pem").read_bytes(), "here")
    public = PublicKey.read((tmp_path / "release.pub.pem").read_text(), "here")

    assert private.public == public
    assert f"sha256:{hashlib.sha256(der).hexdigest()}" == public.fingerprint


@openssl
def test_openssl_encrypts_a_key_that_we_open(tmp_path: Path) -> None:
    """As docs/trust.md recommends."""
    _openssl(
        tmp_path, "genpkey", "-algorithm", "ed25519", "-aes-256-cbc", "-pass", "pass:hush", "-out", "k.pem"
    )
    pem = (tmp_path / "k.pem").read_bytes()

    assert is_encrypted(pem)
    assert 32 == len(SigningKey.read(pem, "here", "hush").public.raw)


@openssl
@pytest.mark.parametrize("sound", [True, False])
def test_openssl_checks_what_we_signed(tmp_path: Path, sound: bool) -> None:
    """Who signed a package can be found out without this project."""
    (tmp_path / "manifest.json").write_bytes(b"{}\n" if sound else b"{ }\n")
    (tmp_path / "manifest.sig").write_bytes(OURS.sign(b"{}\n"))
    (tmp_path / "k.pub.pem").write_text(OURS.public.pem)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "k.pub.pem", "-rawin",
               "-in", "manifest.json", "-sigfile", "manifest.sig"]  # fmt: skip

    found = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)

    assert sound == (found.returncode == 0)
