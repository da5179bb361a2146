"""
Tables and rows of foreign columns → predictions: what files, SQL and REST share.

Names, nulls and texts are taken as the contract has them ("Feature mapping"), whoever brings them; the answers
are those of `stream.scoring`, as on the stream.
"""

from stream.table.predictions import predict_columns
from stream.table.row_reader import record_reader
from stream.table.scorer import ScoredTable, TableScorer

__all__ = ["ScoredTable", "TableScorer", "predict_columns", "record_reader"]
