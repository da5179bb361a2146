"""Versions on disk: written whole or not at all, `current` never pointing at half of one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream.errors import PackageError
from stream.store import current_version, versions
from stream.store.folder import add_version, make_current, next_version, resolve


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose version 1 is current."""
    add_version(tmp_path / "m", 1, {"a": b"one"})
    make_current(tmp_path / "m", 1)
    return tmp_path / "m"


def _everything(package: Path) -> list[str]:
    return sorted(str(path.relative_to(package)) for path in package.rglob("*"))


def test_second_version_stands_beside_the_first(package: Path) -> None:
    """`current` moves only when told."""
    add_version(package, next_version(package), {"a": b"two"})

    assert ([1, 2], 1) == (versions(package), current_version(package))
    make_current(package, 2)
    assert 2 == current_version(package)
    assert ["current", "versions", "versions/1", "versions/1/a", "versions/2", "versions/2/a"] == _everything(
        package
    )


@pytest.mark.parametrize("fails", ["write", "rename", "fsync"])
def test_failure_on_the_way_leaves_everything_as_it_was(
    package: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    """A full disk, a cut, a kill: no half version is seen, and the old one serves."""
    before = _everything(package)

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if fails == "fsync":
        monkeypatch.setattr(os, "fsync", broken)
    else:
        monkeypatch.setattr(Path, "rename" if fails == "rename" else "mkdir", broken)
    with pytest.raises(OSError, match="No space"):
        add_version(package, 2, {"a": b"two"})

    assert (before, [1], 1) == (_everything(package), versions(package), current_version(package))


def test_failure_between_version_and_current_keeps_the_old_current(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new version is there whole, and not yet chosen."""
    add_version(package, 2, {"a": b"two"})
    before = _everything(package)

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="Input/output"):
        make_current(package, 2)

    assert (before, 1) == (_everything(package), current_version(package))


def test_what_a_kill_leaves_is_not_a_version(package: Path) -> None:
    """A hidden folder is passed over, and its number is free."""
    (package / "versions" / ".2.4711").mkdir()
    (package / "versions" / ".2.4711" / "a").write_bytes(b"ha")

    assert ([1], 2) == (versions(package), next_version(package))


def test_number_taken_meanwhile_is_refused_and_kept(package: Path) -> None:
    """A version never changes once written."""
    with pytest.raises(PackageError, match="meanwhile"):
        add_version(package, 1, {"a": b"other"})

    assert b"one" == (package / "versions" / "1" / "a").read_bytes()


def test_tenth_version_follows_the_ninth(tmp_path: Path) -> None:
    """They count as numbers, and a folder that is not a number is passed over."""
    for name in ("9", "10", "02", "x", "1.5"):
        (tmp_path / "versions" / name).mkdir(parents=True)

    assert ([9, 10], 11) == (versions(tmp_path), next_version(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_pipe_in_currents_place_is_refused_at_once(package: Path) -> None:
    """Nobody writes to it: opening it as a file would wait for ever."""
    (package / "current").unlink()
    os.mkfifo(package / "current")

    with pytest.raises(PackageError, match="expected the number of a version"):
        current_version(package)


def test_only_the_start_of_current_is_read(package: Path) -> None:
    """A gigabyte of blanks behind the number costs nothing."""
    (package / "current").write_bytes(b"1\n")
    os.truncate(package / "current", 1024**3)

    with pytest.raises(PackageError, match="expected the number of a version"):
        current_version(package)


def _current_is(package: Path, text: str | None = None, link: str | None = None) -> None:
    (package / "current").unlink()
    if link is not None:
        (package / "current").symlink_to(link)
    elif text is not None:
        (package / "current").write_text(text)


@pytest.mark.parametrize("text", ["1", "1\n", "versions/1", "versions/1/\n"])
def test_text_that_names_a_version(package: Path, text: str) -> None:
    """A number, or the version's folder."""
    _current_is(package, text)

    assert 1 == current_version(package)


@pytest.mark.parametrize(
    "link", ["versions/1", "versions/1/", "./versions/1", "{package}/versions/1", "1", "inside"]
)
def test_link_that_names_a_version(package: Path, link: str) -> None:
    """One to the version's folder, or to a text within the package, as a mounted volume has them."""
    (package / "inside").write_text("1\n")
    _current_is(package, link=link.format(package=package))

    assert 1 == current_version(package)


@pytest.mark.parametrize("link", ["../secret", "{package}/../secret", "by/secret", "hop", "../versions/1"])
def test_link_out_of_the_package_is_not_followed(package: Path, link: str) -> None:
    """Neither by one step nor by several; what is there is not opened, and not shown."""
    secret = package.parent / "secret"
    secret.write_text("1")
    (package.parent / "versions" / "1").mkdir(parents=True)
    (package / "by").symlink_to("..")
    (package / "hop").symlink_to("by/secret")
    _current_is(package, link=link.format(package=package))

    with pytest.raises(PackageError, match="link out of the package, and such links are not followed"):
        current_version(package)


@pytest.mark.parametrize(
    "content", [b"hunter2", b"\xff\xfehunter2", b"1\nhunter2", b"hunter2" * 100, b"../1", b"01", b""]
)
def test_content_of_current_is_never_shown(package: Path, content: bytes) -> None:
    """Whoever may write to the folder could put a link, or a second name, of a secret there."""
    (package / "current").write_bytes(content)

    with pytest.raises(
        PackageError, match="expected the number of a version, found something else"
    ) as caught:
        current_version(package)

    assert "hunter2" not in f"{caught.value}"


@pytest.mark.parametrize("number", [None, 1])
def test_versions_that_are_a_link_out_of_the_package_are_refused(package: Path, number: int | None) -> None:
    """They could be replaced by anything at any time; a link within the package is as good as a folder."""
    (package / "versions").rename(package.parent / "elsewhere")
    (package / "versions").symlink_to("../elsewhere")

    for look in (versions, lambda package: resolve(package, number)):
        with pytest.raises(PackageError, match="versions: is a link out of the package"):
            look(package)

    (package / "versions").unlink()
    (package.parent / "elsewhere").rename(package / "inside")
    (package / "versions").symlink_to("inside")
    assert ([1], 1) == (versions(package), current_version(package))


@pytest.mark.parametrize("asked", [".", "n", "other/m", "sub/M"])
def test_folder_that_is_no_package_has_those_nearby_named(
    package: Path, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within it, beside it, or in `models/`."""
    monkeypatch.chdir(package.parent)
    add_version(Path("models/m"), 1, {"a": b"one"})

    with pytest.raises(PackageError) as caught:
        current_version(Path(asked))

    assert "models/m " in f"{caught.value.hint} " or "here m " in str(caught.value.hint)


def test_file_in_a_packages_place_has_the_command_that_packs_it(tmp_path: Path) -> None:
    """An estimator's file is what a newcomer has."""
    (tmp_path / "m.joblib").write_bytes(b"")
    with pytest.raises(PackageError) as caught:
        current_version(tmp_path / "m.joblib")

    assert f"`stream pack {tmp_path / 'm.joblib'} --name NAME --sample FILE`" in str(caught.value.hint)
