"""The pictures of docs/strategies.md: every arrow has its boxes, every text its room, every picture its place."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from docs.reference.pictures import PICTURES, svg

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

NAME_PX, ABOUT_PX = 8.4, 6.6
"""Of a letter on average, in the widest of the fonts that the style names; 14 and 12 px high."""

_NS = "{http://www.w3.org/2000/svg}"

every = pytest.mark.parametrize("name", PICTURES)


@every
def test_texts_fit_their_boxes_and_boxes_the_paper(name: str) -> None:
    """Nothing is cut, and no two boxes touch."""
    tree = ET.fromstring(svg(PICTURES[name]))
    _, _, width, height = map(float, tree.attrib["viewBox"].split())
    boxes = [
        tuple(float(each.attrib[key]) for key in ("x", "y", "width", "height"))
        for each in tree.iter(f"{_NS}rect")
        if each.attrib["class"] != "paper"
    ]

    assert len(PICTURES[name].nodes) == len(boxes) == len(set(boxes))
    for x, y, wide, high in boxes:
        assert 0 < x < x + wide < width
        assert 0 < y < y + high < height
        assert not any(abs(x - a) < wide and abs(y - b) < high for a, b, _, _ in boxes if (a, b) != (x, y))
    for node in PICTURES[name].nodes:
        assert len(node.name) * NAME_PX < boxes[0][2], node.name
        assert len(node.about) * ABOUT_PX < boxes[0][2], node.about


@every
def test_arrows_lead_from_box_to_box(name: str) -> None:
    """Each name is a box's, no box stands alone, and a label fits between two columns."""
    picture = PICTURES[name]
    named = {key for arrow in picture.arrows for key in (arrow.start, arrow.end)}

    assert named == {node.key for node in picture.nodes}
    assert all(len(arrow.label) * ABOUT_PX < 92 for arrow in picture.arrows)


def test_page_shows_every_picture_and_says_what_it_shows() -> None:
    """With the picture's own title as the text for those who can't see it."""
    shown = re.findall(
        r"!\[([^\]]*)\]\(images/strategies/([\w-]+)\.svg\)", (DOCS / "strategies.md").read_text()
    )

    assert {name: picture.title for name, picture in PICTURES.items()} == {name: alt for alt, name in shown}


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_texts_stand_out_from_their_boxes(mode: str) -> None:
    """A contrast of 4.5 to 1 at least, in light and dark (WCAG 2.2, 1.4.3)."""
    style = re.search(r"<style>(.*?)</style>", svg(PICTURES["rest"]), re.DOTALL)
    assert style is not None
    light, _, dark = style[1].partition("@media")
    rules = {"light": light, "dark": dark}[mode]
    colours = dict(re.findall(r"([\w., ]+) \{[^}]*?fill: (#\w{6})", rules))
    texts = [value for key, value in colours.items() if key.strip() in ("text", ".about, .label")]
    boxes = [value for key, value in colours.items() if key.strip() in (".ours", ".yours", ".kept", ".paper")]

    assert (2, 4) == (len(texts), len(boxes))
    for text in texts:
        for box in boxes:
            bright, dim = sorted((_luminance(text), _luminance(box)), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (text, box)


def _luminance(colour: str) -> float:
    """Relative luminance of a colour. Source: WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
