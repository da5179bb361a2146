"""Files → predictions, as a run that is there whole or not at all; `stream batch`."""

from stream.batch.headers import check_columns
from stream.batch.history import past_runs, run_folders, scored_hashes
from stream.batch.input_files import Input, find_inputs
from stream.batch.job import Job
from stream.batch.local import run_local
from stream.batch.output import instants
from stream.batch.plan import Plan, check_unchanged, plan_inputs
from stream.batch.record import RunRecord
from stream.batch.run_folder import Run, Title, open_run
from stream.batch.unit import Unit
from stream.batch.work import Done, Work, done_name

__all__ = [
    "Done",
    "Input",
    "Job",
    "Plan",
    "Run",
    "RunRecord",
    "Title",
    "Unit",
    "Work",
    "check_columns",
    "check_unchanged",
    "done_name",
    "find_inputs",
    "instants",
    "open_run",
    "past_runs",
    "plan_inputs",
    "run_folders",
    "run_local",
    "scored_hashes",
]
