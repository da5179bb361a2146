"""
`python -m tests.faults.launch worker --config …`: the command `stream`, with faults planted in its Kafka clients.

The product knows nothing of this: confluent-kafka's Producer and Consumer are replaced by subclasses before
`stream` is imported, and each step that a fault names leaves a mark and then does what the fault says.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from tests.faults.plan import VARIABLE, Fault, When, load

__all__ = ["main", "plant", "planted"]

CALLBACKS = ("on_assign", "on_revoke", "on_lost")

_lock = threading.Lock()
_calls: Counter[str] = Counter()
_fired: Counter[Fault] = Counter()


def planted(kind: type, faults: Sequence[Fault]) -> type:
    """The client's class with the faults in it; steps without a fault are left as they are."""
    mine = [fault for fault in faults if fault.client == kind.__name__]
    methods: dict[str, Any] = {
        step: _method(getattr(kind, step), step, [fault for fault in mine if fault.step == step])
        for step in {fault.step for fault in mine} - {*CALLBACKS}
    }
    if any(fault.step in CALLBACKS for fault in mine):
        methods["subscribe"] = _subscribing(kind, mine)
    return type(kind.__name__, (kind,), methods)


def _method(original: Callable[..., Any], step: str, faults: Sequence[Fault]) -> Callable[..., Any]:
    def fire(when: When, call: int) -> None:
        for fault in faults:
            if fault.when == when and fault.nth <= call < fault.nth + fault.times:
                _fire(fault, call)

    def called(*arguments: Any, **named: Any) -> Any:
        with _lock:
            _calls[step] += 1
            call = _calls[step]
        fire("before", call)
        over = threading.Event()
        for fault in faults:
            if fault.when == "during" and call >= fault.nth:
                threading.Thread(target=_fire_during, args=(fault, call, over), daemon=True).start()
        try:
            answer = original(*arguments, **named)
        except (BufferError, KafkaException):
            fire("failed", call)
            raise
        finally:
            over.set()
        fire("after", call)
        return answer

    return called


def _subscribing(kind: Any, faults: Sequence[Fault]) -> Callable[..., Any]:
    def subscribe(self: Any, topics: list[str], **callbacks: Any) -> None:
        for step in CALLBACKS:
            own = [fault for fault in faults if fault.step == step]
            if own:
                callbacks[step] = _method(callbacks[step], step, own)
        kind.subscribe(self, topics, **callbacks)

    return subscribe


def _fire_during(fault: Fault, call: int, over: threading.Event) -> None:
    if not over.wait(fault.number):
        with _lock:
            due = _fired[fault] < fault.times
            _fired[fault] += 1
        if due:
            _fire(fault, call)


def _fire(fault: Fault, call: int) -> None:
    """Leave the mark, then do it."""
    line = json.dumps({"at": time.monotonic(), "step": fault.step, "call": call, "action": fault.action})
    with Path(fault.mark).open("a") as mark:
        mark.write(f"{line}\n")
        mark.flush()
        os.fsync(mark.fileno())
    signals = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "freeze": signal.SIGSTOP}
    if fault.action in signals:
        os.kill(os.getpid(), signals[fault.action])
    elif fault.action == "sleep":
        time.sleep(fault.number)
    elif fault.action == "raise":
        raise KafkaException(KafkaError(int(fault.number), f"planted at {fault.step}"))


def main() -> None:
    """Plant what the environment says, then be `stream`."""
    plant(load(os.environ[VARIABLE]))
    from stream.cli import main as command  # only now: it takes the classes by name

    sys.argv[0] = "stream"
    command()


def plant(faults: Sequence[Fault]) -> None:
    """Put the faults into the classes that `stream` will take, or, in a fork, has taken already."""
    for name in ("Producer", "Consumer"):
        plain = getattr(confluent_kafka, name)
        spoilt = planted(plain, faults)
        for module in [confluent_kafka, *(m for n, m in sys.modules.items() if n.startswith("stream."))]:
            if getattr(module, name, None) is plain:
                setattr(module, name, spoilt)


if __name__ == "__main__":
    main()
