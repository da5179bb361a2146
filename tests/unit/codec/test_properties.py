"""For any schema: the fast path, the strict path and fastavro agree; for any bytes: n in, n out, nothing raised."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.codec import Decoder, Encoder, RecordSchema
from stream.codec.fallback import SlowReader
from stream.codec.strict import Checker
from tests.unit.codec.drawn import FRAMINGS, QUICK, batches, bits, decoder_of, spoiled, walk
from tests.unit.codec.samples import read_back


class TestValid:
    """Valid values of any schema."""

    @QUICK
    @given(batches())
    def test_batch_one_by_one_and_fastavro_agree(self, batch: tuple[RecordSchema, list[bytes]]) -> None:
        """Each column is what fastavro reads, on both paths."""
        of, bodies = batch
        decoder = decoder_of(of)
        whole = decoder.decode(bodies)
        alone = [decoder.decode([body]) for body in bodies]
        oracle = [read_back(of, body) for body in bodies]

        assert {} == whole.faults
        for leaf in of.leaves():
            expected = [walk(record, leaf.path) for record in oracle]
            column = leaf.type.from_storage(pa.array(expected, leaf.type.storage))
            assert leaf.arrow == whole.columns[leaf.path].type
            assert bits(column) == bits(whole.columns[leaf.path])
            assert bits(column) == [one for each in alone for one in bits(each.columns[leaf.path])]

    @QUICK
    @given(batches(taken=True))
    def test_schemas_of_the_subset_never_leave_the_fast_path(
        self, batch: tuple[RecordSchema, list[bytes]]
    ) -> None:
        """Whatever the generator makes of taken types is read by the Rust codec, each row of it."""
        of, bodies = batch

        def never(reader: SlowReader, rows: list[int], values: list[bytes]) -> None:
            pytest.fail(f"{len(rows)} rows left the fast path")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SlowReader, "read", never)
            decoded = decoder_of(of).decode(bodies)

        assert of.rust
        assert list(range(len(bodies))) == list(decoded.rows)

    @QUICK
    @given(batches())
    def test_encoding_what_was_decoded_gives_the_same_bytes(
        self, batch: tuple[RecordSchema, list[bytes]]
    ) -> None:
        """Decode, encode: the same bytes, in a batch and one by one."""
        of, bodies = batch
        if len(of.leaves()) < len(of.fields) or any("." in leaf.path for leaf in of.leaves()):
            return
        columns = decoder_of(of).decode(bodies).columns

        assert bodies == Encoder(of).encode(columns)
        one = {path: column.slice(0, 1) for path, column in columns.items()}
        assert bodies[:1] == Encoder(of).encode(one)


class TestAnyBytes:
    """Bytes that may be anything."""

    @settings(QUICK, max_examples=150)
    @given(spoiled())
    def test_every_value_is_a_row_or_a_fault_as_it_would_be_alone(
        self, batch: tuple[RecordSchema, list[bytes]]
    ) -> None:
        """Rows and faults are n together; what the strict check passes is a row, or no value of its field's type."""
        of, bodies = batch
        decoder, checker = decoder_of(of), Checker(of.root)
        whole = decoder.decode(bodies)

        assert list(range(len(bodies))) == sorted([*whole.rows, *whole.faults])
        assert sorted(whole.rows) == list(whole.rows)
        misfits = [i for i, fault in whole.faults.items() if fault.stage == "contract"]
        assert {"value_out_of_range"} >= {whole.faults[i].reason for i in misfits}
        assert [i for i, body in enumerate(bodies) if checker.check(body) is None] == sorted(
            [*whole.rows, *misfits]
        )
        for i, fault in whole.faults.items():
            assert {0: fault} == decoder.decode([bodies[i]]).faults
        for path, column in whole.columns.items():
            alone = [decoder.decode([bodies[i]]).columns[path] for i in whole.rows]
            assert [one for each in alone for one in bits(each)] == bits(column)

    @settings(QUICK, max_examples=100)
    @given(batches(), st.lists(st.binary(max_size=30), min_size=1, max_size=12))
    def test_arbitrary_bytes_never_raise(
        self, batch: tuple[RecordSchema, list[bytes]], values: list[bytes]
    ) -> None:
        """In each framing, n values are n rows and faults."""
        of, _ = batch
        for framing in FRAMINGS:
            decoded = Decoder(of, [leaf.path for leaf in of.leaves()], framing, of).decode(values)
            assert len(values) == len(decoded.rows) + len(decoded.faults)
