"""What the pages tell a reader to type is typed, on a real Kafka, and what they show is what comes."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import joblib
import pandas as pd
import pytest
from confluent_kafka.admin import AdminClient
from sklearn.linear_model import LinearRegression

from tests.conftest import Kafka
from tests.docs.session import Step, blocks, commands, missing, replaced, run, shape, shim
from tests.kafka.process import free_ports
from tests.platforms.environments import environment

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

SESSIONS = (
    "README.md",
    "docs/quickstart-data-scientist.md",
    "docs/operations.md",
    "docs/runbook.md",
    "docs/downstream.md",
    "docs/extending.md",
    "docs/rest.md",
    "docs/batch.md",
    "docs/trust.md",
    "docs/training.md",
    "docs/sql.md",
    "docs/strategies.md",
)
"""Pages with commands; each is one session in a shell."""

SLOW = (
    "docs/operations.md",
    "docs/extending.md",
    "docs/rest.md",
    "docs/trust.md",
    "docs/training.md",
    "docs/sql.md",
    "docs/batch.md",
    "docs/runbook.md",
)
"""A dozen commands of seconds each, whose own tests are elsewhere. CI runs them."""

PLATFORM = ("docs/strategies.md",)
"""Starts an MLflow server, which lives in an environment of its own."""

SESSIONS_AT_ONCE = 3
"""Most of a session is waiting; more of them than this starve each other's workers on two cores."""

ELSEWHERE = ("source .venv/bin/activate", "scripts/kafka")
"""Begin commands that a test's folder has no use for: the clone is here, its venv active, Kafka is the fixture's."""


@dataclass(frozen=True, slots=True)
class Session:
    """A page that was run: its steps, and the end of its worker's log."""

    steps: list[Step]
    log: str


def _place(folder: Path, page: str) -> Path:
    """A folder like a clone's, with `stream`, `faust` and `python` in its path."""
    folder.mkdir()
    shim(folder, "stream", "-m stream")
    shim(folder, "faust", "-m faust")
    shim(folder, "python", "")
    if page in PLATFORM:
        shim(folder, "mlflow", "-m mlflow", environment("mlflow") / "bin" / "python")
    shutil.copytree(ROOT / "models" / "flights", folder / "models" / "flights")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    _own_model(folder)
    return folder


def _own_model(folder: Path) -> None:
    """What the README calls a reader's own: an estimator in a file, and a sample."""
    rows = pd.DataFrame(
        {"row_id": ["a", "b", "c", "d"], "x": [1.0, 2.0, 3.0, 4.0], "y": [0.5, 0.1, 0.9, 0.3]}
    )
    rows.to_csv(folder / "rows.csv", index=False)
    joblib.dump(LinearRegression().fit(rows[["x", "y"]], rows["x"]), folder / "model.joblib")


def _names(bootstrap: str, own: str) -> Mapping[str, str]:
    """What a page's addresses, topics and groups are called in this run; the order counts."""
    port, rest, second, mlflow = free_ports(4)
    return {
        "localhost:9092": bootstrap,
        "flights.": f"flights-{own}.",
        f"flights-{own}.parquet": "flights.parquet",
        "tumours.features": f"tumours-{own}.features",
        "tumours.predictions": f"tumours-{own}.predictions",
        "tumours.deadletters": f"tumours-{own}.deadletters",
        "-scorer": f"-scorer-{own}",
        "late.features": f"late-{own}.features",
        "late.predictions": f"late-{own}.predictions",
        "late.deadletters": f"late-{own}.deadletters",
        "drill.": f"drill-{own}.",
        ":6066": f":{port}",
        "6067": str(second),
        ":8080": f":{rest}",
        "localhost:5000": f"localhost:{mlflow}",
        "--port 5000": f"--port {mlflow}",
        "~/mlflow/bin/mlflow": "mlflow",
        "scripts/demo": "stream demo",
    }


@pytest.fixture(scope="module")
def sessions(
    kafka: Kafka, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Mapping[str, Session]]:
    """The pages asked for, run side by side, since a session mostly waits. Their topics are deleted at the end."""
    asked = [
        name
        for name in SESSIONS
        if any(item.name.endswith(f"shows[{name}]") for item in request.session.items)
    ]
    own = secrets.token_hex(4)
    root = tmp_path_factory.mktemp("sessions")

    def play(name: str) -> Session:
        return _play(
            ROOT / name, root / Path(name).stem, _names(kafka.bootstrap, own + str(SESSIONS.index(name)))
        )

    with ThreadPoolExecutor(SESSIONS_AT_ONCE) as pool:
        yield dict(zip(asked, pool.map(play, asked), strict=True))
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})
    made = [name for name in admin.list_topics(timeout=60).topics if f"-{own}" in name]
    for future in admin.delete_topics(made).values() if made else ():
        future.result(60)


def _play(page: Path, folder: Path, names: Mapping[str, str]) -> Session:
    _files(page, _place(folder, str(page.relative_to(ROOT))), names)
    steps = [step for step in commands(page) if _here(step)]
    port = names[":6066"].removeprefix(":")
    ports = {"STREAM_WEB__PORT": port, "STREAM_SERVE__PORT": names[":8080"].removeprefix(":")}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    variables = {**ports, **quiet, "COLUMNS": "80", "PYTHONPATH": f"{folder}:{ROOT}"}
    run(steps, folder, variables, names)
    log = folder / "worker.log"
    return Session(steps, log.read_text()[-2000:] if log.exists() else "")


def _files(page: Path, folder: Path, names: Mapping[str, str]) -> None:
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(replaced(block.text, names), "utf-8")
            if block.file == "stream.toml":
                mine = replaced(block.text, {**names, "models/flights": "models/mine", "flights": "mine"})
                (folder / "mine.toml").write_text(mine, "utf-8")


def _here(step: Step) -> bool:
    return not step.command.startswith(ELSEWHERE)


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] * (name in SLOW) + [pytest.mark.platform] * (name in PLATFORM)


@pytest.mark.kafka
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [pytest.param(name, marks=_marks(name)) for name in SESSIONS])
def test_page_s_commands_do_what_it_shows(name: str, sessions: Mapping[str, Session]) -> None:
    """Every command ends with 0, and its output has the lines that the page shows, numbers aside."""
    session = sessions[name]

    for step in session.steps:
        given = "\n".join(step.given)
        assert 0 == step.exit_code, f"$ {step.command}\n{given}\nworker.log: {session.log}"
        assert [] == missing(step), f"$ {step.command}\n{given}"


@pytest.mark.parametrize("name", SESSIONS)
def test_every_program_of_a_page_is_run(name: str) -> None:
    """Python that a page shows is a file that its session runs."""
    words = {word.removesuffix(".py") for step in commands(ROOT / name) for word in step.command.split()}
    programs = [block.file for block in blocks(ROOT / name) if block.language == "python"]

    assert [] == [file for file in programs if file is None or file.removesuffix(".py") not in words]


def test_every_page_with_commands_is_run() -> None:
    """A console block on any page is part of a session above."""
    pages = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

    assert sorted(SESSIONS) == sorted(str(page.relative_to(ROOT)) for page in pages if commands(page))


def test_demo_script_is_the_command_that_runs_in_its_place() -> None:
    """`scripts/demo` hands its arguments to `stream demo`, which the sessions run instead."""
    assert 'exec .venv/bin/stream demo "$@"' in (ROOT / "scripts" / "demo").read_text()


def test_shape_forgets_numbers_and_values_only() -> None:
    """Two runs of one command have one shape; another message has another."""
    assert shape("2,000 events sent  to t") == shape("17 events sent to t")
    assert shape('{"a": 1, "b": "x"}') == shape('{"a": 2, "b": "y"}')
    assert shape('{"a": 1}') != shape('{"b": 1}')
    assert shape("lag 0") != shape("lead 0")


def test_line_that_is_not_given_is_missing() -> None:
    """The comparison can fail: a changed word and a changed order are found."""
    step = Step("x", shown=["one 1", "…", "two 2"], given=["one 7", "between", "two 8"])
    assert [] == missing(step)

    step.shown.reverse()
    assert ["one 1"] == missing(step)
