"""The model card: one file, complete, safe, the same in every run."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from stream.errors import SettingsError
from stream.manifest import Feature, Manifest, Proof
from stream.training.card import card_of, check_libraries, page
from stream.training.card.drawing import draw, label
from stream.training.importance import importances
from stream.training.slices import slice_columns, slices
from stream.training.trained import Trained

pytestmark = pytest.mark.slow  # matplotlib draws

_VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """What is on a page: its tags, their attributes, its texts; tags must be closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert [] == self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        assert tag == self._open.pop()

    def handle_data(self, data: str) -> None:
        """Text."""
        if data.strip():
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def pages(toy: Trained, several: Trained, numbers: Trained) -> dict[str, str]:
    """The card of each kind."""
    trained = {"toy": toy, "several": several, "numbers": numbers}
    return {name: card_of(one, None).html().decode() for name, one in trained.items()}


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("toy", ["ROC", "Calibration", "Scores", "Confusion", "What it relies on", "By colour"]),
        ("several", ["ROC", "Calibration", "Confusion", "What it relies on", "By shop", "By x"]),
        ("numbers", ["Predicted and actual", "Residuals", "What it relies on", "By sex", "By age"]),
    ],
)
def test_card_has_its_plots_and_nothing_from_elsewhere(
    pages: dict[str, str], name: str, titles: list[str]
) -> None:
    """Each kind has its plots; no script, no address to fetch, whatever names the data holds."""
    page = Page(pages[name])

    assert titles == re.findall(r"<figure><h3>(.*?)</h3>", pages[name])
    assert len(titles) == page.tags.count("svg")
    assert set() == {"script", "link", "img", "iframe", "object", "i"} & {*page.tags}
    links = [value for attribute, value in page.attributes if attribute in ("href", "src", "xlink:href")]
    assert [] == [link for link in links if not link.startswith("#")]
    assert [] == re.findall(r"url\((?!#)|@import", pages[name])


def test_names_of_the_data_are_texts(pages: dict[str, str]) -> None:
    """A class called like a script is shown as it is called; a mark that turns text around is spelled."""
    texts = "\n".join(Page(pages["several"]).texts)

    assert "<script>alert(1)</script>" in texts
    assert "$price$ <i>" in texts
    assert "日本" in texts
    assert "<b>bold</b> &" in texts
    assert "$a$ & b\\u202e\\x1b" in texts
    assert set() == {"\u202e", "\x1b"} & {*pages["several"]}


def test_card_has_metrics_intervals_rows_and_versions(pages: dict[str, str], toy: Trained) -> None:
    """What the numbers rest on stands beside them."""
    texts = Page(pages["toy"]).texts

    low, high = toy.intervals["auc"]
    assert {
        f"{toy.figures['auc']:.4g}",
        f"{low:.4g} – {high:.4g}",
        "319",
        "79",
        str(toy.facts["rows_sha256"]),
    } <= {*texts}


@pytest.mark.parametrize(
    ("proof", "said"), [(Proof(79), True), (Proof(79, 2, allowed=True), True), (None, False)]
)
def test_card_of_a_version_says_what_its_proof_found(
    toy: Trained, pages: dict[str, str], proof: Proof | None, said: bool
) -> None:
    """As the manifest has it; a card without a version, or of an older release, says nothing of it."""
    features = (Feature("x", "x", "double", "number", nullable=False),)
    manifest = Manifest("toy", 1, "2026-11-01T00:00:00Z", "classifier", "frame", features, 1, proof=proof)

    texts = Page(card_of(toy, None).html(manifest).decode()).texts

    assert said == (f"Proof when it was packed: {proof}." in texts)
    assert "Proof" not in pages["toy"]


def test_references_within_a_card_are_answered(pages: dict[str, str]) -> None:
    """Ids that nothing refers to are gone, those that something refers to are there."""
    for text in pages.values():
        used = {*re.findall(r'(?:xlink:href="#|url\(#)([\w-]+)', text)}
        assert set() == used - {*re.findall(r' id="([\w-]+)"', text)}


def test_same_model_has_the_same_card(toy: Trained, pages: dict[str, str]) -> None:
    """Two cards are equal to the last byte."""
    assert pages["toy"] == card_of(toy, None).html().decode()


def test_labels_are_no_formulas() -> None:
    """A dollar sign is not read as a formula, and a long name leaves room for the plot."""
    assert r"\$a\$" == label("$a$")
    assert 28 == len(label("x" * 100))
    assert "$x^2$" in draw(lambda axes: axes.set(xlabel=label("$x^2$")))


def test_missing_library_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is absent, how to get it, how to do without."""
    monkeypatch.setattr(page, "LIBRARIES", ("matplotlib", "no_such_library"))
    monkeypatch.setattr("sys.prefix", "/elsewhere")  # not in a clone

    with pytest.raises(SettingsError, match="the model card needs no_such_library") as caught:
        check_libraries()

    assert "pip install 'prediction-stream[train]', or give --no-card" == caught.value.hint


def test_importance_finds_the_column_that_counts(toy: Trained) -> None:
    """y depends on x, and not on the colour."""
    found = importances(toy)

    assert ["x", "colour"] == [one.column for one in found]
    assert found[0].loss > 0.5 > abs(found[1].loss)


def test_slices_hold_every_row_once(numbers: Trained) -> None:
    """Numbers by quarters in their order, others by frequency, the rare ones together, missing ones apart."""
    frame = numbers.held_out.assign(
        many=[f"v{min(i % 17, 12)}" for i in range(len(numbers.held_out))],
        gaps=pd.Series(["a", None] * 100)[: len(numbers.held_out)].to_numpy(),
    )
    for column, least in (("age", 4), ("many", 9), ("gaps", 2), ("sex", 2)):
        parts = slices(frame, column, numbers.sheet, "rmse", numbers.units, 0)
        assert (least, len(frame)) == (len(parts), sum(part.rows for part in parts))
    assert "all others" == slices(frame, "many", numbers.sheet, "rmse", numbers.units, 0)[-1].value
    assert ["a", "no value"] == [
        part.value for part in slices(frame, "gaps", numbers.sheet, "rmse", numbers.units, 0)
    ]


def test_columns_to_tell_apart_by_are_texts_and_flags() -> None:
    """Numbers only where the recipe asks; a column of one value tells nothing apart."""
    frame = pd.DataFrame({"n": np.arange(4), "t": list("abab"), "one": ["x"] * 4, "flag": [True, False] * 2})

    assert ["t", "flag"] == slice_columns(frame, ("n", "t", "one", "flag"), None)
    assert ["n"] == slice_columns(frame, ("n", "t"), ("n",))
