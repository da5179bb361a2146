"""Trust: with keys nothing is unpickled that they don't vouch for, whatever was done to the package."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io

from stream.errors import PackageError
from stream.store import STEPS, PackRequest, Trust, open_package, pack_estimator_file
from tests.unit.store.signed import OURS, THEIRS, Canary, Threshold, packed, replace_file, rewrite

TRUST = Trust((THEIRS.public, OURS.public))
STRICT = Trust((OURS.public,), require=True)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two signed versions; copied, never changed."""
    folder = tmp_path_factory.mktemp("originals") / "m"
    packed(folder, OURS)
    packed(folder, OURS, scale=0.01)
    return folder


@pytest.fixture
def package(originals: Path, tmp_path: Path) -> Path:
    """A copy whose version 1 is current."""
    folder = Path(shutil.copytree(originals, tmp_path / "m"))
    (folder / "current").write_text("1\n")
    return folder


@pytest.fixture
def version(package: Path) -> Path:
    """The folder of version 1."""
    return package / "versions" / "1"


def _refused(path: Path, trust: Trust, version: int | None = None) -> tuple[str, list[str]]:
    """The step that refused it, and those that it had passed."""
    passed: list[str] = []
    with pytest.raises(PackageError) as caught:
        open_package(path, version, trust=trust, witness=lambda step, found: passed.append(step))
    assert str(caught.value).startswith(f"step {caught.value.step}: ")
    return caught.value.step, passed


class TestSigned:
    """A version that somebody signed."""

    @pytest.mark.parametrize("trust", [TRUST, STRICT])
    def test_any_trusted_key_may_vouch(self, version: Path, trust: Trust) -> None:
        """And the opened package says which did."""
        opened = open_package(version, trust=trust)

        assert (OURS.public, ()) == (opened.signer, opened.notes)

    def test_steps_are_passed_in_the_contracts_order(self, version: Path) -> None:
        """Manifest, signature, hashes, and only then the model."""
        passed: list[str] = []

        open_package(version, trust=STRICT, witness=lambda step, found: passed.append(step))

        assert list(STEPS) == passed

    def test_signature_is_of_the_manifests_exact_bytes(self, version: Path) -> None:
        """64 bytes, as they are, for any tool to check."""
        signature = (version / "manifest.sig").read_bytes()

        assert 64 == len(signature)
        assert OURS.public.vouches(signature, (version / "manifest.json").read_bytes())

    def test_without_keys_it_opens_and_nobody_vouches(self, version: Path) -> None:
        """Even under a signature that is not one."""
        (version / "manifest.sig").write_bytes(b"")

        assert open_package(version).signer is None

    def test_wrong_signer_is_refused_with_the_trusted_fingerprints(self, version: Path) -> None:
        """Optional signature or not: a bad one is never passed over."""
        with pytest.raises(PackageError, match=THEIRS.public.fingerprint) as caught:
            open_package(version, trust=Trust((THEIRS.public,)))

        assert "signature" == caught.value.step


class TestUnsigned:
    """A version without a signature."""

    @pytest.fixture(autouse=True)
    def unsigned(self, version: Path) -> None:
        """The signature is gone."""
        (version / "manifest.sig").unlink()

    def test_is_refused_when_a_signature_is_required(self, version: Path, tmp_path: Path) -> None:
        """Before anything of it has run."""
        replace_file(version, "model.joblib", pickle.dumps(Canary(tmp_path / "fired")))

        assert ("signature", ["manifest"]) == _refused(version, STRICT)
        assert not (tmp_path / "fired").exists()

    def test_is_opened_and_noted_when_none_is_required(self, version: Path) -> None:
        """Some packages are signed, some not yet."""
        opened = open_package(version, trust=TRUST)

        assert opened.signer is None
        assert any("not signed" in note for note in opened.notes)

    def test_requirement_without_keys_refuses_all(self, version: Path) -> None:
        """Requiring a signature without any trusted key refuses every package."""
        assert ("signature", ["manifest"]) == _refused(version, Trust(require=True))


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class TestTampering:
    """What somebody with write access, and without the key, can do."""

    @pytest.mark.parametrize(
        ("name", "step"),
        [
            ("model.joblib", "hash"), ("features.avsc", "hash"), ("prediction.avsc", "hash"),
            ("golden.avro", "hash"), ("manifest.sig", "signature"),
        ],
    )  # fmt: skip
    def test_flipped_byte_is_refused(self, version: Path, name: str, step: str) -> None:
        """In every file that stands beside the manifest."""
        _flip(version / name)

        assert step == _refused(version, TRUST)[0]

    def test_every_flipped_byte_of_the_manifest_is_refused_before_loading(self, version: Path) -> None:
        """A hundred places all over it; whichever step sees it first."""
        content = (version / "manifest.json").read_bytes()
        steps = set()
        for place in range(0, len(content), max(1, len(content) // 100)):
            changed = bytearray(content)
            changed[place] ^= 1
            (version / "manifest.json").write_bytes(changed)
            steps.add(_refused(version, TRUST)[0])

        assert {"manifest", "signature"} == steps

    def test_malicious_pickle_with_matching_hashes_never_fires(self, version: Path, tmp_path: Path) -> None:
        """Manifest and hashes rewritten to match: the canary stays silent."""
        replace_file(version, "model.joblib", pickle.dumps(Canary(tmp_path / "fired")))

        assert ("signature", ["manifest"]) == _refused(version, TRUST)
        assert not (tmp_path / "fired").exists()

    def test_the_same_pickle_fires_without_keys(self, version: Path, tmp_path: Path) -> None:
        """Without keys the canary fires, so the test above can fail."""
        replace_file(version, "model.joblib", pickle.dumps(Canary(tmp_path / "fired")))

        assert "load" == _refused(version, Trust())[0]
        assert (tmp_path / "fired").exists()

    @pytest.mark.parametrize("name", ["model.joblib", "golden.avro", "features.avsc", "prediction.avsc"])
    def test_file_of_another_signed_version_is_refused(self, version: Path, package: Path, name: str) -> None:
        """Files of two versions that the same key signed can't be mixed."""
        other = (package / "versions" / "2" / name).read_bytes()
        if other == (version / name).read_bytes():
            other += b" "

        (version / name).write_bytes(other)

        assert "hash" == _refused(version, TRUST)[0]

    def test_manifest_of_another_signed_version_is_refused(self, version: Path, package: Path) -> None:
        """The folder's number differs from the manifest's."""
        shutil.copy(package / "versions" / "2" / "manifest.json", version)
        shutil.copy(package / "versions" / "2" / "manifest.sig", version)

        assert ("manifest", []) == _refused(version, TRUST)

    def test_signature_of_another_version_is_refused(self, version: Path, package: Path) -> None:
        """A signature is good for one manifest."""
        shutil.copy(package / "versions" / "2" / "manifest.sig", version)

        assert ("signature", ["manifest"]) == _refused(version, TRUST)

    def test_forgers_own_signature_is_refused(self, version: Path, tmp_path: Path) -> None:
        """Replaced manifest, matching hashes, a sound signature, by the wrong person."""
        replace_file(version, "model.joblib", pickle.dumps(Canary(tmp_path / "fired")))
        (version / "manifest.sig").write_bytes(THEIRS.sign((version / "manifest.json").read_bytes()))

        assert ("signature", ["manifest"]) == _refused(version, STRICT)
        assert not (tmp_path / "fired").exists()

    @pytest.mark.parametrize(
        # The last byte is 0 in one signature of sixteen: it is changed, not set.
        "change",
        [lambda s: s[:63], lambda s: s + b"\n", lambda s: b"", lambda s: s[:-1] + bytes([s[-1] ^ 1])],
    )
    def test_truncated_or_padded_signature_is_refused(
        self, version: Path, change: Callable[[bytes], bytes]
    ) -> None:
        """64 bytes, exactly."""
        (version / "manifest.sig").write_bytes(change((version / "manifest.sig").read_bytes()))

        assert ("signature", ["manifest"]) == _refused(version, TRUST)

    @pytest.mark.parametrize("name", ["manifest.sig", "manifest.json", "model.joblib", "golden.avro"])
    def test_link_is_refused_even_to_the_same_bytes(self, version: Path, name: str, tmp_path: Path) -> None:
        """What a link points at can change between two looks."""
        (version / name).rename(tmp_path / name)
        (version / name).symlink_to(tmp_path / name)

        expected = {"manifest.sig": "signature", "manifest.json": "manifest"}.get(name, "hash")
        assert expected == _refused(version, TRUST)[0]

    def test_dangling_signature_link_is_not_an_absent_signature(self, version: Path) -> None:
        """Otherwise a link could turn a bad signature into a missing one, which is tolerated."""
        (version / "manifest.sig").unlink()
        (version / "manifest.sig").symlink_to("nowhere")

        assert "signature" == _refused(version, TRUST)[0]

    def test_pipe_as_signature_is_refused_without_waiting(self, version: Path) -> None:
        """Nobody writes into it."""
        (version / "manifest.sig").unlink()
        os.mkfifo(version / "manifest.sig")

        assert "signature" == _refused(version, TRUST)[0]

    @pytest.mark.parametrize("name", ["../../../x", "/etc/passwd", "manifest.sig", "sub/x"])
    def test_path_in_the_manifest_is_refused_before_it_is_read(self, version: Path, name: str) -> None:
        """Names only; the signature can't be one of its own files either."""
        entry = {"sha256": "0" * 64, "size_bytes": 1}
        rewrite(version, lambda document: document["files"].update({name: entry}))

        assert ("manifest", []) == _refused(version, TRUST)

    def test_unknown_file_is_ignored_and_named(self, version: Path) -> None:
        """Nothing reads it; somebody should know that it is there."""
        (version / "sitecustomize.py").write_text("raise SystemExit")

        opened = open_package(version, trust=STRICT)

        assert ("ignored, since the manifest doesn't name them: 'sitecustomize.py'",) == opened.notes


class TestCurrent:
    """`current` is not signed: it can choose among signed versions, and nothing else."""

    @pytest.mark.parametrize(
        "text", ["9", "../../other/versions/1", "/tmp/versions/1", "versions/../1", "../versions/1", "", "\0"]
    )
    def test_pointing_at_nothing_or_outside_is_refused(self, package: Path, text: str) -> None:
        """`current` must name a version of this package, and no other place."""
        (package / "current").write_text(text)

        assert ("manifest", []) == _refused(package, Trust())

    @pytest.mark.parametrize("inside", [True, False])
    def test_link_is_followed_to_its_own_versions_only(
        self, package: Path, tmp_path: Path, inside: bool
    ) -> None:
        """An absolute one too."""
        elsewhere = Path(shutil.copytree(package, tmp_path / "elsewhere"))
        (package / "current").unlink()
        (package / "current").symlink_to((package if inside else elsewhere) / "versions" / "2")

        if inside:
            assert 2 == open_package(package, trust=STRICT).manifest.version
        else:
            assert ("manifest", []) == _refused(package, STRICT)

    def test_link_to_a_text_is_read(self, package: Path) -> None:
        """As mounted configuration maps have it."""
        (package / "current").rename(package / "..data")
        (package / "current").symlink_to("..data")

        assert 1 == open_package(package, trust=STRICT).manifest.version

    def test_link_to_nothing_is_refused(self, package: Path) -> None:
        """With the versions that there are."""
        (package / "current").unlink()
        (package / "current").symlink_to("versions/9")

        assert ("manifest", []) == _refused(package, Trust())

    @pytest.mark.parametrize("name", ["current", "versions"])
    def test_link_to_itself_is_refused(self, package: Path, name: str) -> None:
        """By way of another one, too."""
        (package / name).rename(package / "moved")
        (package / name).symlink_to("round")
        (package / "round").symlink_to(name)

        assert ("manifest", []) == _refused(package, Trust())

    def test_version_that_is_a_link_is_refused(self, package: Path) -> None:
        """A version never changes; a link does."""
        shutil.rmtree(package / "versions" / "2")
        (package / "versions" / "2").symlink_to("1")

        assert ("manifest", []) == _refused(package, Trust(), 2)

    def test_version_under_another_number_is_refused(self, package: Path) -> None:
        """An old one can't be passed off as a new one."""
        shutil.copytree(package / "versions" / "1", package / "versions" / "3")

        assert ("manifest", []) == _refused(package, STRICT, 3)


class TestSkops:
    """Types that a file without pickle may hold."""

    NAME = f"{Threshold.__module__}.Threshold"
    SCHEMA = '{"type": "record", "name": "R", "fields": [{"name": "x", "type": "double"}]}'

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """An estimator of the user's own class."""
        skops.io.dump(Threshold(), tmp_path / "model.skops")
        return tmp_path / "model.skops"

    def test_stranger_is_refused_by_name_and_setting(self, file: Path, tmp_path: Path) -> None:
        """The line to add is in the message."""
        with pytest.raises(PackageError) as caught:
            pack_estimator_file(file, PackRequest("m", tmp_path / "m"), schema=self.SCHEMA)

        assert "load" == caught.value.step
        assert f'[model] trusted_types = ["{self.NAME}"]' in str(caught.value)

    def test_trusted_type_is_packed_and_opened_where_it_is_trusted(self, file: Path, tmp_path: Path) -> None:
        """Each machine decides for itself; another name does not help."""
        request = PackRequest("m", tmp_path / "m", types=(self.NAME,))
        pack_estimator_file(file, request, schema=self.SCHEMA)

        assert "m@1" == open_package(tmp_path / "m", trust=Trust(types=(self.NAME,))).manifest.model
        assert "load" == _refused(tmp_path / "m", Trust(types=("os.system",)))[0]


class TestLibraries:
    """Versions that differ from those at pack time."""

    def test_are_named_when_golden_rows_no_longer_score_the_same(self, version: Path, package: Path) -> None:
        """The rows, and the likely reason."""
        replace_file(version, "model.joblib", (package / "versions" / "2" / "model.joblib").read_bytes())
        rewrite(version, lambda document: document["libraries"].update({"scikit-learn": "0.1"}))

        with pytest.raises(
            PackageError, match=r"row 0: expected .*, found .*scikit-learn 0\.1, running"
        ) as caught:
            open_package(version)

        assert "golden" == caught.value.step
