"""Files → predictions, as a run that is there whole or not at all; `stream batch`."""

from stream.batch.assignment import FORMATS, Format, Job
from stream.batch.history import past_runs, run_folders
from stream.batch.input_files import Input, find_inputs
from stream.batch.local import run_local
from stream.batch.plan import Plan, plan_inputs
from stream.batch.record import RunRecord
from stream.batch.run_folder import Run, open_run
from stream.batch.work import Work

__all__ = [
    "FORMATS",
    "Format",
    "Input",
    "Job",
    "Plan",
    "Run",
    "RunRecord",
    "Work",
    "find_inputs",
    "open_run",
    "past_runs",
    "plan_inputs",
    "run_folders",
    "run_local",
]
