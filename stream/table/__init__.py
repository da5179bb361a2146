"""
Tables and rows of foreign columns → predictions: what files, SQL and REST share.

Column names, nulls and texts mean the same wherever a row comes from, and the answers are those of
`stream.scoring`, as on the stream.
"""

from stream.table.column_reader import ColumnReader
from stream.table.missing_columns import Absent, AnyOf, absent_columns, lacking, quoted, rows_lack
from stream.table.pandas_columns import UNREADABLE, Part, frame_rows
from stream.table.python_values import plain_row
from stream.table.row_reader import names_of, record_reader
from stream.table.scorer import ScoredTable, TableScorer, predict_columns, predict_quickly
from stream.table.struct_scorer import StructScorer

__all__ = [
    "UNREADABLE",
    "Absent",
    "AnyOf",
    "ColumnReader",
    "Part",
    "ScoredTable",
    "StructScorer",
    "TableScorer",
    "absent_columns",
    "frame_rows",
    "lacking",
    "names_of",
    "plain_row",
    "predict_columns",
    "predict_quickly",
    "quoted",
    "record_reader",
    "rows_lack",
]
