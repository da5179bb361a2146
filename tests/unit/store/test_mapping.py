"""The estimator's columns ↔ the schema's fields."""

from __future__ import annotations

import json

import pytest

from stream.codec import RecordSchema
from stream.errors import PackageError
from stream.scoring import KnownColumns
from stream.store.mapping import FeatureMapping, Wish, map_features


def _schema(*fields: object) -> RecordSchema:
    record = {"type": "record", "name": "Event", "fields": list(fields)}
    return RecordSchema(json.dumps(record))


def _field(name: str, kind: object = "double", feature: str | None = None) -> dict[str, object]:
    return {"name": name, "type": kind, **({} if feature is None else {"feature": feature})}


NUMBERS = _schema(_field("z"), _field("a"), _field("b_x", feature="b x"), _field("word", "string"))


def _mapped(known: KnownColumns, schema: RecordSchema = NUMBERS, **wish: object) -> FeatureMapping:
    return map_features(object(), known, schema, Wish(**wish))  # type: ignore[arg-type]


def _refused(known: KnownColumns, schema: RecordSchema = NUMBERS, **wish: object) -> str:
    with pytest.raises(PackageError) as caught:
        _mapped(known, schema, **wish)
    assert "manifest" == caught.value.step
    return str(caught.value)


ARRAY = KnownColumns("array", width=2)
UNKNOWN = KnownColumns("unknown")
NAMED = KnownColumns("table", ("b x", "a"), 2)


@pytest.mark.parametrize("told", [("b x", "a"), ("b_x", "a")])
def test_columns_that_are_named_are_taken_in_their_order(told: tuple[str, ...]) -> None:
    """By original or Avro names; the table has the original ones, and the mapping is told."""
    mapping = _mapped(UNKNOWN, columns=told)

    assert ("frame", ("matrix",)) == (mapping.inputs, mapping.instead)
    assert [("b x", "b_x"), ("a", "a")] == [(each.name, each.path) for each in mapping.features]
    assert "1 b_x, 2 a" in mapping.message


def test_columns_of_nested_records_are_named_by_dotted_paths() -> None:
    """As carried fields are."""
    inner = {"type": "record", "name": "Inner", "fields": [_field("a"), _field("b")]}
    mapping = _mapped(ARRAY, _schema(_field("in", inner)), columns=("in.b", "in.a"))

    assert ("matrix", ["in.b", "in.a"]) == (mapping.inputs, [each.path for each in mapping.features])


@pytest.mark.parametrize("told", [("b x", "a"), ("b_x", "a")])
def test_columns_that_the_model_says_too_change_nothing(told: tuple[str, ...]) -> None:
    """They may be given."""
    assert _mapped(NAMED) == _mapped(NAMED, columns=told)


@pytest.mark.parametrize(
    ("known", "told", "message"),
    [
        (NAMED, ("a", "b x"), "--columns says a, b x, but the estimator was fitted on b x, a"),
        (NAMED, ("z", "a"), "but the estimator was fitted on b x, a"),
        (ARRAY, ("a",), "--columns names 1 columns, the estimator takes 2"),
        (ARRAY, ("a", "a"), "--columns names a more than once"),
        (ARRAY, ("b x", "b_x"), "--columns names a field twice"),
        (ARRAY, ("a", "bx"), r"lacks 1 of the 2 columns of --columns: 'bx' \(nearest: 'b x'"),
        (
            KnownColumns("texts", reads_texts=True),
            ("a",),
            "--columns a: the estimator reads one column of texts",
        ),
        (KnownColumns("texts", reads_texts=True), ("word", "a"), "reads one column of texts"),
    ],
)
def test_columns_that_contradict_model_or_schema_are_refused(
    known: KnownColumns, told: tuple[str, ...], message: str
) -> None:
    """The model's own names hold, and nothing is guessed."""
    with pytest.raises(PackageError, match=message):
        _mapped(known, columns=told)


def test_columns_and_an_array_field_exclude_each_other() -> None:
    """The array holds all columns."""
    assert "exclude each other" in _refused(ARRAY, vector="a", columns=("a", "b x"))


def test_fields_are_taken_by_position_only_where_the_number_is_known_and_met() -> None:
    """The mapping is told; neither names nor a number, or another number, is refused with what to do."""
    mapping = _mapped(KnownColumns("array", width=3))

    assert ("matrix", ["z", "a", "b_x"]) == (mapping.inputs, [each.path for each in mapping.features])
    assert "by position): 1 z, 2 a, 3 b_x" in mapping.message
    for known in (ARRAY, UNKNOWN):
        assert "--columns A,B,C" in _refused(known)


def test_step_of_ones_own_that_says_a_number_gets_a_table() -> None:
    """With the fields' names; the array is asked with if it raises."""
    mapping = _mapped(KnownColumns("unknown", width=3))

    assert ("frame", ("matrix",)) == (mapping.inputs, mapping.instead)
    assert ["z", "a", "b x"] == [each.name for each in mapping.features]


def test_made_up_names_are_found_where_a_table_has_them() -> None:
    """`Column_0` may be a column's name; where it isn't, the number of columns counts."""
    known = KnownColumns("array", width=2, made_up=("Column_0", "Column_1"))
    table = _schema(_field("Column_1"), _field("Column_0"))

    assert ["Column_0", "Column_1"] == [each.path for each in _mapped(known, table).features]
    assert "matrix" == _mapped(known, _schema(_field("x"), _field("y"))).inputs


def test_name_that_lightgbm_wrote_otherwise_is_found() -> None:
    """The table has the blank."""
    known = KnownColumns("table", ("b_x_(cm)", "a"), 2, mangled=True)
    mapping = _mapped(known, _schema(_field("a"), _field("b_x__cm_", feature="b x (cm)")))

    assert ["b x (cm)", "a"] == [each.name for each in mapping.features]


def test_names_behind_a_step_of_ones_own_are_to_be_proven() -> None:
    """Where the schema has them all; else they were made on the way."""
    assert _mapped(KnownColumns("unknown", inner=("a", "b x"))).doubtful
    assert "--columns A,B,C" in _refused(KnownColumns("unknown", inner=("a", "a_by_b")))


def test_parts_that_disagree_are_refused_with_both_lists() -> None:
    """Neither is believed."""
    assert "b x, a and z, a" in _refused(KnownColumns("table", ("b x", "a"), 2, others=("z", "a")))


def test_model_of_dicts_is_refused_with_what_to_fit_instead() -> None:
    """A row here is columns."""
    assert "OneHotEncoder" in _refused(KnownColumns("dicts"))


@pytest.mark.parametrize(
    ("known", "shapes"),
    [
        (KnownColumns("texts", reads_texts=True), ("series",)),
        (KnownColumns("unknown", reads_texts=True), ("series", "frame")),
    ],
)
def test_only_text_of_the_schema_is_the_series(known: KnownColumns, shapes: tuple[str, ...]) -> None:
    """A missing text is what pandas has for it; one that is carried counts only if there is no other."""
    two = _schema(_field("id", "string"), _field("review", "string"))
    for mapping in (
        _mapped(known),
        _mapped(known, two, carry=("id",)),
        _mapped(known, two, columns=("review",)),
    ):
        assert shapes == (mapping.inputs, *mapping.instead)
        assert ["NaN"] == [each.null for each in mapping.features]


def test_several_texts_are_refused_with_the_option_that_says_which() -> None:
    """None is refused too."""
    texts = KnownColumns("texts", reads_texts=True)

    assert "has 2: id, review" in _refused(texts, _schema(_field("id", "string"), _field("review", "string")))
    assert "has 0: none" in _refused(texts, _schema(_field("x")))
