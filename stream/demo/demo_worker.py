"""`python -m stream.demo.demo_worker STREAM.TOML`: the worker as `stream worker` runs it; its page knows the truth."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from stream.app import build_app, run_worker, set_up_logging
from stream.configuration import load_settings
from stream.demo.truth import OUTCOMES, Truth
from stream.errors import StreamError

__all__ = ["main"]


def main(config: Path) -> int:
    """
    Run the worker until a signal; ends the process then.

    Args:
        config: its stream.toml; the demo's outcomes come beside it.
    Returns: 1, with the reason on stderr, when it could not begin.
    """
    # Until Faust handles the signals, nothing has begun that must be finished.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        settings = load_settings(config, os.environ)
        set_up_logging(settings.logging)
        run_worker(build_app(settings, truth=Truth(config.with_name(OUTCOMES))), settings)
    except StreamError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
