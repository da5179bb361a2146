"""Files → predictions, as a run that is published whole or not at all; `stream batch`."""

from stream.batch.fingerprint import BlockHashes, Fingerprint
from stream.batch.headers import Needs, check_columns
from stream.batch.input_files import Input, find_inputs
from stream.batch.local import run_local
from stream.batch.output import output_avro
from stream.batch.plan import Plan, Unit, check_unchanged, plan_inputs
from stream.batch.record import RunRecord, past_runs, run_folders, scored_hashes
from stream.batch.run_folder import Run, Title, open_run
from stream.batch.run_key import key_held, new_files_held, run_of_key
from stream.batch.work import Done, Job, Work, done_name, unit_files

__all__ = [
    "BlockHashes",
    "Done",
    "Fingerprint",
    "Input",
    "Job",
    "Needs",
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
    "key_held",
    "new_files_held",
    "open_run",
    "output_avro",
    "past_runs",
    "plan_inputs",
    "run_folders",
    "run_local",
    "run_of_key",
    "scored_hashes",
    "unit_files",
]
