"""Recipe files: what they may say, and what is said about those that can't be used."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from stream.errors import Refused, SampleError, SettingsError
from stream.training.names import NAMES
from stream.training.recipe import read_recipe
from stream.training.split import Split
from stream.training.training_rows import load_rows
from tests.unit.training.recipes import write_recipe


@pytest.mark.parametrize(
    ("name", "near"), [("FEATUERS", "FEATURES"), ("CARY", "CARRY"), ("HOLDOUT", "HOLD_OUT")]
)
def test_misspelt_constant_is_refused(tmp_path: Path, name: str, near: str) -> None:
    """It would otherwise be ignored; the recipe's own constants are not near, or begin with an underscore."""
    path = write_recipe(tmp_path, ('NAME = "toy"', f'NAME = "toy"\nLIMIT_KM = 3\n_{name} = 1'))
    assert "toy" == read_recipe(path).name

    with pytest.raises(SettingsError, match=rf"{name} is not a name of a recipe \(nearest: {near}\)"):
        read_recipe(write_recipe(tmp_path, ('NAME = "toy"', f'NAME = "toy"\n{name} = [1]')))


def test_recipe_gives_its_names_and_defaults(tmp_path: Path) -> None:
    """Everything that the file defines is taken, what it leaves out has its default."""
    recipe = read_recipe(write_recipe(tmp_path))

    assert ("toy", tmp_path / "point.avsc", ("x", "colour"), "y", ("id",), None) == (
        recipe.name, recipe.schema, recipe.features, recipe.target, recipe.carry, recipe.scoring,
    )  # fmt: skip
    assert Split("time", "at", hold_out=0.2, folds=3, seed=0) == recipe.split
    assert "A toy: y is whether x is above a half, mostly." == recipe.about


def test_relative_path_from_another_folder_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe may be named relative to where one stands, and finds its schema by its own place."""
    write_recipe(
        tmp_path,
        ('SCHEMA = "point.avsc"', "from pathlib import Path\nSCHEMA = Path(__file__).parent / 'point.avsc'"),
    )
    monkeypatch.chdir(tmp_path.parent)

    schema = read_recipe(Path(tmp_path.name) / "toy.py").schema

    assert schema is not None
    assert schema.is_file()


@pytest.mark.parametrize("name", sorted(name for name, named in NAMES.items() if named.required))
def test_missing_name_is_told_with_file_and_meaning(tmp_path: Path, name: str) -> None:
    """A recipe without a name that it needs is refused: file, name and what it should be."""
    path = write_recipe(tmp_path)
    path.write_text(path.read_text() + f"\ndel {name}\n")

    with pytest.raises(SettingsError) as caught:
        read_recipe(path)

    assert (f"{path}: the recipe has no {name}", f"define {name}: {NAMES[name].meaning}") == (
        caught.value.message, caught.value.hint,
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(NAMES))
def test_wrong_type_is_told_with_file_and_name(tmp_path: Path, name: str) -> None:
    """A name of the wrong type is refused, not tried."""
    path = write_recipe(tmp_path)
    path.write_text(path.read_text() + f"\n{name} = 1j\n")

    with pytest.raises(SettingsError, match=rf"toy\.py: {name} is "):
        read_recipe(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("HOLD_OUT = 1.0", "HOLD_OUT is 1.0"),
        ("HOLD_OUT = 0.0", "HOLD_OUT is 0.0"),
        ("FOLDS = 1", "FOLDS is 1"),
    ],
)
def test_number_out_of_range_is_refused(tmp_path: Path, line: str, said: str) -> None:
    """A share or a number of folds that leaves nothing to do is refused with its range."""
    path = write_recipe(tmp_path)
    path.write_text(path.read_text() + f"\n{line}\n")

    with pytest.raises(SettingsError, match=said):
        read_recipe(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A recipe that isn't there is named."""
    with pytest.raises(SettingsError, match=r"nothing\.py: there is no such recipe"):
        read_recipe(tmp_path / "nothing.py")


def test_missing_schema_is_refused(tmp_path: Path) -> None:
    """A schema that isn't there is named with its full path."""
    with pytest.raises(SettingsError, match=r"SCHEMA: /.*other\.avsc: can.t be read: No such file"):
        read_recipe(write_recipe(tmp_path, ("point.avsc", "other.avsc")))


def test_file_that_is_not_a_schema_is_refused(tmp_path: Path) -> None:
    """A broken schema is found before the training, not after it."""
    path = write_recipe(tmp_path)
    (tmp_path / "point.avsc").write_text('{"type": "record"}')

    with pytest.raises(SettingsError, match=r"toy\.py: SCHEMA or CARRY: .*point\.avsc"):
        read_recipe(path)


def test_carried_field_that_no_event_has_is_refused(tmp_path: Path) -> None:
    """What a prediction is to repeat must be in the event's schema; the target is not."""
    with pytest.raises(SettingsError, match=r"toy\.py: SCHEMA or CARRY: (?s:.*)y"):
        read_recipe(write_recipe(tmp_path, ('CARRY = ["id"]', 'CARRY = ["y"]')))


@pytest.mark.parametrize("fault", ["1 / 0", "import no_such_library", "def (:", "raise RuntimeError('no')"])
def test_recipe_that_raises_is_refused_with_its_cause(tmp_path: Path, fault: str) -> None:
    """Whatever the file's code raises is told as the recipe's, the cause kept for --debug."""
    path = write_recipe(tmp_path, ('NAME = "toy"', fault))

    with pytest.raises(Refused, match=r"toy\.py: the recipe raised ") as caught:
        read_recipe(path)

    assert caught.value.__cause__ is not None


def test_load_that_raises_is_refused_with_its_cause(tmp_path: Path) -> None:
    """An error in load() names the recipe and the function."""
    recipe = read_recipe(write_recipe(tmp_path, ("default_rng(7)", "no_such_name(7)")))

    with pytest.raises(Refused, match=r"toy\.py: load\(\) raised AttributeError") as caught:
        load_rows(recipe)

    assert isinstance(caught.value.__cause__, AttributeError)


def test_our_own_errors_pass_unchanged(tmp_path: Path) -> None:
    """A SampleError of a loader keeps its own message and hint."""
    recipe = read_recipe(
        write_recipe(
            tmp_path,
            (
                "    random = ",
                "    from stream.errors import SampleError\n    raise SampleError('gone')\n    random = ",
            ),
        )
    )

    with pytest.raises(SampleError, match=r"^gone$"):
        load_rows(recipe)


DATACLASS = """
from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Colour:
    name: str
"""

OWN_FUNCTION = """
def double(x):
    return 2 * x


def estimator():
    from sklearn.preprocessing import FunctionTransformer

    return FunctionTransformer(double)
"""


def test_recipe_may_use_dataclasses(tmp_path: Path) -> None:
    """The recipe is a proper module while it runs."""
    path = write_recipe(tmp_path)
    path.write_text(DATACLASS + path.read_text())

    assert "toy" == read_recipe(path).name


def test_functions_of_the_recipe_cant_be_pickled(tmp_path: Path) -> None:
    """What would open only where the recipe is can't get into a package."""
    path = write_recipe(tmp_path)
    path.write_text(path.read_text() + OWN_FUNCTION)

    with pytest.raises((pickle.PicklingError, AttributeError, ImportError)):
        pickle.dumps(read_recipe(path).estimator())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([('TIME = "at"', "")], "nothing says how rows are held out"),
        ([('TIME = "at"', 'TIME = "at"\nGROUP = "id"')], "TIME and GROUP are both defined"),
        ([('TIME = "at"', 'SPLIT = "stratified"')], "SPLIT is 'stratified'"),
        ([("def load():", "def other():")], "no load and no DATA"),
        ([('NAME = "toy"', 'NAME = "a toy"')], "NAME is 'a toy'"),
        ([('FEATURES = ["x", "colour"]', "FEATURES = []")], "FEATURES is empty"),
        ([('FEATURES = ["x", "colour"]', 'FEATURES = ["x", 3]')], "FEATURES holds 3"),
        ([('FEATURES = ["x", "colour"]', 'FEATURES = ["x", "x"]')], "FEATURES holds 'x' twice"),
        (
            [('FEATURES = ["x", "colour"]', 'FEATURES = ["x", "color"]')],
            "no field 'color' \\(nearest: 'colour'\\)",
        ),
        ([('CARRY = ["id"]', 'CARRY = ["label"]')], "CARRY"),
        ([("FOLDS = 3", "FOLDS = True")], "FOLDS is a bool, expected int"),
        ([("FOLDS = 3", "FOLDS = 1")], "FOLDS is 1"),
        ([("FOLDS = 3", "HOLD_OUT = 1.0")], "HOLD_OUT is 1.0"),
        ([("FOLDS = 3", "SEED = -1")], "SEED is -1"),
        ([("FOLDS = 3", "GRID = [1, 2]")], "GRID holds 1"),
        ([("FOLDS = 3", "JUDGE = 'beauty'")], "JUDGE is 'beauty'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_contradictions_are_found_before_any_row_is_read(
    tmp_path: Path, changes: list[tuple[str, str]], said: str
) -> None:
    """What can be said of a recipe at once is said at once, with what to do."""
    with pytest.raises(SettingsError, match=said) as caught:
        read_recipe(write_recipe(tmp_path, *changes))

    assert "toy.py: " in caught.value.message
    assert caught.value.hint


def test_recipe_that_exits_is_refused(tmp_path: Path) -> None:
    """sys.exit in a recipe is its fault, not the end of the command."""
    with pytest.raises(Refused, match=r"raised SystemExit: 3 \(line 11\)"):
        read_recipe(write_recipe(tmp_path, ('NAME = "toy"', "raise SystemExit(3)")))


def test_folder_is_not_a_recipe(tmp_path: Path) -> None:
    """A folder is said to be one."""
    with pytest.raises(SettingsError, match="is a folder"):
        read_recipe(tmp_path)
