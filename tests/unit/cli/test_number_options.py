"""Options that take a number: what is no number is refused where it is written."""

from __future__ import annotations

import pytest

from stream.cli import main


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-nan", "1e999"])
@pytest.mark.parametrize(
    "command",
    [
        ("backfill", "--from", "0", "--to", "1", "--rate"),
        ("deadletters", "replay", "--rate"),
        ("demo", "--rate"),
        ("produce", __file__, "--rate"),
        ("status", "--over"),
    ],
)
def test_number_that_is_not_finite_is_refused(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], value: str
) -> None:
    """Python reads `nan` and `inf` as numbers, and neither is below a limit."""
    with pytest.raises(SystemExit) as end:
        main([*command[:-1], f"{command[-1]}={value}"])

    assert 2 == end.value.code
    assert f"Invalid value for '{command[-1]}'" in capsys.readouterr().err
