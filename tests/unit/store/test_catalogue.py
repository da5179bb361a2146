"""The versions of a package: listed, shown, and back to an earlier one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from stream.errors import PackageError
from stream.store import Trust, current_version, list_versions, open_package, roll_back, show_version
from tests.unit.store.signed import OURS, THEIRS, packed, rewrite

TRUST = Trust((OURS.public,))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is not signed, 2 by us, 3 by others; copied, never changed."""
    folder = tmp_path_factory.mktemp("originals") / "m"
    for signer in (None, OURS, THEIRS):
        packed(folder, signer)
    return folder


@pytest.fixture
def package(originals: Path, tmp_path: Path) -> Path:
    """A copy whose version 3 is current."""
    return Path(shutil.copytree(originals, tmp_path / "m"))


def _files(package: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in package.rglob("*") if path.is_file()}


class TestList:
    """What there is."""

    def test_each_version_says_who_signed_it(self, package: Path) -> None:
        """By number, with the one that serves."""
        found = list_versions(package, TRUST)

        assert [
            (1, False, "no", None), (2, False, "trusted", OURS.public.fingerprint), (3, True, "untrusted", None),
        ] == [(one.version, one.current, one.signed, one.signer) for one in found]  # fmt: skip

    def test_without_keys_no_signature_is_checked(self, package: Path) -> None:
        """The list says that no signature was checked, rather than that it is fine."""
        assert ["no", "not checked", "not checked"] == [one.signed for one in list_versions(package, Trust())]

    def test_size_is_that_of_all_files_but_the_manifest(self, package: Path) -> None:
        """As the manifest has them."""
        folder = package / "versions" / "2"
        expected = sum(p.stat().st_size for p in folder.iterdir() if not p.name.startswith("manifest."))

        assert expected == list_versions(package, TRUST)[1].size_bytes

    def test_version_that_can_not_be_read_is_listed_with_the_reason(self, package: Path) -> None:
        """It hides no other."""
        (package / "versions" / "2" / "manifest.json").write_text("{")

        found = list_versions(package, TRUST)

        assert [1, 2, 3] == [one.version for one in found]
        assert "expected JSON" in str(found[1].problem)

    def test_current_that_names_nothing_marks_none(self, package: Path) -> None:
        """A broken `current` does not stop the list, which helps to repair it."""
        (package / "current").write_text("9")

        assert [False] * 3 == [one.current for one in list_versions(package, TRUST)]

    def test_folder_without_versions_is_refused(self, package: Path, tmp_path: Path) -> None:
        """One version's folder is not a package; neither is an empty one."""
        with pytest.raises(PackageError, match="one version"):
            list_versions(package / "versions" / "1", TRUST)
        with pytest.raises(PackageError, match="stream pack"):
            list_versions(tmp_path / "nothing", TRUST)


class TestShow:
    """A closer look."""

    def test_current_version_with_fingerprints_and_differences(self, package: Path) -> None:
        """Schemas by the fingerprint that is on the wire; libraries as they are here."""
        rewrite(package / "versions" / "3", lambda document: document["libraries"].update(numpy="1.0"))

        shown = show_version(package, None, TRUST)

        assert ("m@3", "untrusted") == (shown.manifest.model, shown.signed)
        assert {"features.avsc": 16, "prediction.avsc": 16} == {
            k: len(v) for k, v in shown.fingerprints.items()
        }
        assert any("numpy 1.0, running" in text for text in shown.differences)

    def test_schema_that_is_not_the_packed_one_is_refused(self, package: Path) -> None:
        """What is shown is what was packed."""
        path = package / "versions" / "1" / "features.avsc"
        path.write_bytes(path.read_bytes().replace(b'"a"', b'"c"'))

        with pytest.raises(PackageError, match="sha256"):
            show_version(package, 1, TRUST)


class TestRollback:
    """Another version serves."""

    def test_without_number_the_one_before_current(self, package: Path) -> None:
        """Everything else stays as it is."""
        before = _files(package)

        done = roll_back(package, None, TRUST)

        assert (3, 2) == (done.was, done.package.manifest.version)
        assert {**before, str(package / "current"): b"2\n"} == _files(package)

    def test_gap_in_the_numbers_is_stepped_over(self, package: Path) -> None:
        """The one before is the one that is there."""
        shutil.rmtree(package / "versions" / "2")

        assert 1 == roll_back(package, None, TRUST).package.manifest.version

    def test_to_a_later_version(self, package: Path) -> None:
        """A rollback can be taken back."""
        roll_back(package, 1, TRUST)

        assert (1, 2) == ((done := roll_back(package, 2, TRUST)).was, done.package.manifest.version)
        assert 2 == current_version(package)

    def test_version_that_is_refused_leaves_current_as_it_was(self, package: Path) -> None:
        """It is opened first, with the same trust as a worker."""
        before = _files(package)

        with pytest.raises(PackageError) as caught:
            roll_back(package, 1, replace(TRUST, require=True))

        assert ("signature", before) == (caught.value.step, _files(package))

    @pytest.mark.parametrize(
        ("to", "message"), [(7, "no version 7; found: 1, 2, 3"), (None, "no version before 1")]
    )
    def test_version_that_is_not_there_is_refused(self, package: Path, to: int | None, message: str) -> None:
        """With those that are."""
        (package / "current").write_text("1")

        with pytest.raises(PackageError, match=message):
            roll_back(package, to, TRUST)

    @pytest.mark.parametrize("text", ["9", "rubbish", None])
    def test_broken_current_is_repaired_by_a_number(self, package: Path, text: str | None) -> None:
        """Whatever it held."""
        if text is None:
            (package / "current").unlink()
        else:
            (package / "current").write_text(text)

        roll_back(package, 2, TRUST)

        assert 2 == open_package(package).manifest.version

    def test_link_is_replaced_not_followed(self, package: Path, tmp_path: Path) -> None:
        """What it points at is not written to."""
        (package / "current").unlink()
        (package / "current").symlink_to("versions/3")

        roll_back(package, None, TRUST)

        assert (False, 2) == ((package / "current").is_symlink(), current_version(package))

    def test_disk_that_fails_leaves_current_as_it_was(
        self, package: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One rename, or nothing."""
        before = _files(package)

        def broken(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", broken)
        with pytest.raises(OSError, match="No space"):
            roll_back(package, None, TRUST)

        assert before == _files(package)
