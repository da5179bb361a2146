"""The page's files: all of the folder, and in every wheel."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

from stream.live import page_files

ROOT = Path(__file__).parents[3]


def test_all_that_is_in_the_folder_is_served() -> None:
    """A file of another type would not be; each has its path."""
    folder = {one.name for one in files("stream.live").joinpath("page").iterdir()}

    assert {"/"} | {f"/live/{name}" for name in folder - {"index.html"}} == set(page_files())


def test_wheel_has_the_page() -> None:
    """Also where no clone is."""
    wheel = {one.distribution_path for one in WheelBuilder(str(ROOT)).recurse_included_files()}
    names = {"index.html", *(path.removeprefix("/live/") for path in page_files() if path != "/")}

    assert set() == {f"stream/live/page/{name}" for name in names} - wheel
