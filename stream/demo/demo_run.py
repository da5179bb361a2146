"""The demo from beginning to end: a broker, a worker, flights in, predictions out, every event counted."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from stream.codec import RecordSchema, read_row
from stream.deadletter import Letter
from stream.deadline import Deadline
from stream.demo.browsing import show_page
from stream.demo.child import Child
from stream.demo.encore import Encore
from stream.demo.feed import prepare
from stream.demo.ledger import Ledger, Summary
from stream.demo.sender import Sender
from stream.demo.stage import Names, choose_port, create_topics, find_assets, passed_on, write_config
from stream.demo.truth import OUTCOMES, write_outcomes
from stream.demo.view import Facts, View
from stream.errors import StartupTimeout, Stopped
from stream.records import Batch
from stream.resources import package_schema, prefix_of
from stream.settings import Settings
from stream.transport import EmbeddedBroker, Reader, Sink

__all__ = ["DemoOptions", "run_demo"]

READY_S = 90.0
"""For the worker to be ready; 5-10 s on an idle machine."""

SILENCE_S = 30.0
"""The run is over when nothing has come back for this long."""

POLL_S = 0.05
"""How long one poll for predictions waits."""

CHECK_S = 0.5
"""Between two checks of the worker's process."""

NAMED = 5
"""Missing events named in the error at most."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """
    What the command asks for.

    Attributes:
        events: how many to send, the spoiled ones included.
        rate: events per second.
        kafka: `host:port` of a real broker; None = the embedded one.
        port: of the worker's web; None = 6066 or a free one.
        leave: end when the events are through, instead of keeping the worker running.
        browser: open the live page in a browser, if a person sits there.
    """

    events: int
    rate: float
    kafka: str | None
    port: int | None
    leave: bool
    browser: bool


def run_demo(
    request: DemoOptions, view: View, environ: Mapping[str, str], tell: Callable[[Summary], object]
) -> None:
    """
    Run the demo. Blocks until it is over, and without `request.leave` until KeyboardInterrupt.

    1 choose a port, start a broker, make topics. 2 start the worker, prepare the flights meanwhile, open the live page.
    3 send them and read what comes back. 4 give the result; keep the worker running, on the embedded broker with the
    flights over again. Whatever happens, the worker is ended, then the broker, then the folder removed.

    Args:
        request: what the command asks for.
        view: what people see.
        environ: the process's environment.
        tell: called with the result, once.
    Raises: Refused for a port that is taken, more events than flights, or a missing model; Stopped when the
        worker died, no broker answers, or an event did not come back.
    """
    assets, port = find_assets(), choose_port(request.port)  # 1
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stream-demo-")))
        embedded = None if request.kafka else stack.enter_context(closing(EmbeddedBroker()))
        bootstrap = embedded.bootstrap_servers if embedded is not None else str(request.kafka)
        names = Names.under("flights") if embedded is not None else Names.fresh()
        kept = passed_on(environ, real_broker=embedded is None)
        config = folder / "stream.toml"
        settings = write_config(config, bootstrap, names, assets, port, kept, embedded=embedded is not None)
        create_topics(settings, embedded)
        _announce(view, embedded is not None, settings)
        child = stack.enter_context(Child(config, settings, kept))  # 2
        with view.waiting(f"starting a worker ({child.url}) and loading the flights …"):
            feed = prepare(request.events, assets.schema)
            write_outcomes(folder / OUTCOMES, feed.late)
            _await_ready(child)
        _show_page(request, view, child.url, environ)
        where = "the embedded broker" if embedded is not None else bootstrap
        facts = Facts(child.model, f"{where}, {settings.delivery.guarantee}", child.url)
        ledger = Ledger(feed)
        with view.watching(ledger, facts):  # 3
            _exchange(ledger, settings, request.rate, child, view)
        _close(ledger, view, tell)  # 4
        if not request.leave:
            _linger(ledger, settings, request.rate if embedded is not None else None, child, view)


def _show_page(request: DemoOptions, view: View, url: str, environ: Mapping[str, str]) -> None:
    """Say where the live page is, and open it for a person who stays."""
    view.say(f"live page: {url}/")
    if request.browser and not request.leave and view.console.is_terminal:
        show_page(f"{url}/", environ)


def _announce(view: View, embedded: bool, settings: Settings) -> None:
    if embedded:
        view.say(
            "embedded broker (librdkafka's mock cluster), nothing is kept. It has no real transactions, so the"
            " worker runs at-least-once."
        )
        return
    view.say(
        f"Kafka at {settings.kafka.bootstrap_servers}, {settings.delivery.guarantee}: topics"
        f" {', '.join(settings.topics)}, group {settings.kafka.group}."
        " They are this run's own and stay when it is over."
    )


def _await_ready(child: Child) -> None:
    deadline = Deadline.after(READY_S)
    while not child.ready:
        child.check()
        if deadline.over:
            raise StartupTimeout(
                f"the worker was not ready within {READY_S:g} s; the end of its log:", quoted=child.tail()
            )
        time.sleep(0.1)


def _exchange(ledger: Ledger, settings: Settings, rate: float, child: Child, view: View) -> None:
    """Send all, and read until all have come back or nothing comes any more."""
    schema = package_schema(settings, "prediction.avsc")
    prefix = prefix_of(settings, "output", schema)
    with (
        closing(Reader(settings.kafka, settings.output.topic, "earliest")) as predictions,
        closing(Reader(settings.kafka, settings.dead_letters.topic, "earliest")) as letters,
        closing(Sink(settings.kafka)) as sink,
        Sender(ledger, sink, settings.input.topic, rate) as sender,
    ):
        quiet, look = Deadline.after(SILENCE_S), Deadline.after(CHECK_S)
        while not (sender.check() and ledger.complete) and not quiet.over:
            found = _take_predictions(ledger, predictions.poll(POLL_S), schema, len(prefix))
            if found + _take_letters(ledger, letters.poll(0)):
                quiet = Deadline.after(SILENCE_S)
            if look.over:
                child.check()
                look = Deadline.after(CHECK_S)
            view.tick(ledger)


def _take_predictions(ledger: Ledger, batch: Batch, schema: RecordSchema, prefix_bytes: int) -> int:
    now = time.monotonic()
    for value in batch.values:
        if value is not None:
            ledger.predicted(read_row(schema, value[prefix_bytes:]), now)
    return len(batch)


def _take_letters(ledger: Ledger, batch: Batch) -> int:
    now = time.monotonic()
    for i in range(len(batch)):
        ledger.dead(Letter.read(batch, i), now)
    return len(batch)


def _close(ledger: Ledger, view: View, tell: Callable[[Summary], object]) -> None:
    """Give the result, then judge it."""
    view.conclude(ledger)
    tell(ledger.summary())
    missing = ledger.missing()
    if missing:
        shown = ", ".join(missing[:NAMED]) + (" …" if len(missing) > NAMED else "")
        raise Stopped(
            f"{len(missing)} of {ledger.events} events came back neither as a prediction nor as a dead letter"
            f" (nothing came for {SILENCE_S:g} s): {shown}",
            hint="run `stream demo` again; if it happens again, report it as a bug with these ids",
        )
    if ledger.unexpected:
        raise Stopped(
            f"{len(ledger.unexpected)} records came back that were never sent, such as {ledger.unexpected[0]}",
            hint="does anything else write to these topics?",
        )


def _linger(ledger: Ledger, settings: Settings, rate: float | None, child: Child, view: View) -> None:
    """Keep the worker running until Ctrl-C; with a rate, the flights come again and again, and nobody counts them."""
    view.say()
    more = "The flights go on" if rate is not None else "The worker keeps running"
    view.say(f"{more}; Ctrl-C ends it. Live page: {child.url}/ and /api/status /metrics /health/ready")
    with ExitStack() as stack:
        sending = None
        if rate is not None:
            sink = stack.enter_context(closing(Sink(settings.kafka)))
            sending = stack.enter_context(Encore(ledger.feed.messages, sink, settings.input.topic, rate))
        try:
            while True:
                child.check()
                if sending is not None:
                    sending.check()
                time.sleep(CHECK_S)
        except KeyboardInterrupt:
            view.say("ending the worker")
