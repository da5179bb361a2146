"""The prompt of `stream sql`: statements of several lines, with a history; a failing statement does not end it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stream.cli.terminal import say
from stream.errors import StreamError
from stream.extras import require

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from stream.sql import Result, Session, Tally

__all__ = ["converse", "history_file"]

WELCOME = "SQL, ended by a semicolon; predict(f) asks the model. Ctrl-D ends."
_ENDS = ("exit", "quit", ".exit", ".quit", "\\q")


def history_file() -> Path:
    """Where the statements are kept: `$XDG_STATE_HOME/prediction-stream/sql_history`; its folder is created."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(state) / "prediction-stream"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / "sql_history"


def converse(session: Session, show: Callable[[Result], None], say_faults: Callable[[Tally], object]) -> int:
    """
    Ask for statements until the input ends.

    Args:
        session: runs them.
        show: prints a statement's rows.
        say_faults: prints which rows of a statement have no prediction, and why.
    Returns: the exit code, always 0: failures were shown to the person at the prompt.
    Raises: SettingsError when the prompt's library is not installed.
    """
    require("the prompt", "sql", "prompt_toolkit")
    prompt = _prompt()
    say(WELCOME)
    while True:
        try:
            script = prompt.prompt()
        except KeyboardInterrupt:
            continue  # as in a shell: the line is dropped
        except EOFError:
            return 0
        if script.strip().rstrip(";") in _ENDS:
            return 0
        session.registered.tally.clear()
        try:
            for result in session.run(script):
                show(result)
        except StreamError as error:
            say(f"error: {error.message}", *error.lines[1:])
        except KeyboardInterrupt:
            say("interrupted")
        say_faults(session.registered.tally)


def _prompt() -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.sql import SqlLexer

    prompt: PromptSession[str] = PromptSession(
        "stream> ",
        history=FileHistory(str(history_file())),
        lexer=PygmentsLexer(SqlLexer),
        prompt_continuation="   ...> ",
        # Enter ends the statement where it is complete, and begins a line where it isn't.
        multiline=Condition(lambda: not _complete(prompt.default_buffer.text)),
        enable_open_in_editor=True,
    )
    return prompt


def _complete(text: str) -> bool:
    bare = text.strip()
    return not bare or bare.endswith(";") or bare in _ENDS
