"""What every command shares: the application, its options, progress bars, errors in words."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from circuitz import __version__
from circuitz.data.folders.input_warnings import show_input_warnings
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import CircuitzError

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

app = typer.Typer(
    help="See what a neural network relies on: words on its units, checked against the wiring.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# What a person watches goes to standard error; standard output is for results alone.
say = Console(stderr=True)
out = Console()

Z = Annotated[Path, typer.Argument(help="A bundle: NAME.z or NAME.z.zip.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
LexiconPath = Annotated[
    Path | None, typer.Option("--lexicon", help="A lexicon of your own (YAML) on top of ours.")
]


def main() -> None:
    """Run the command line; errors of ours are told in words, without a traceback."""
    try:
        # Without its standalone mode typer returns exit codes, Ctrl-C's too, instead of exiting.
        with show_input_warnings(say_remark):
            code = app(_move_trust_code_to_front(sys.argv[1:]), standalone_mode=False)
    except CircuitzError as problem:
        say.print(f"[bold red]{problem.code}[/] ", end="")
        say.print(escape_control_characters(problem.message), markup=False, highlight=False)
        if problem.hint:
            say.print(escape_control_characters(problem.hint), markup=False, highlight=False)
        sys.exit(1)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        say.print("Stopped.")
        sys.exit(130)
    except OSError as problem:
        say.print(f"[bold red]files[/] {problem.strerror}: ", end="")
        say.print(str(problem.filename or ""), markup=False, highlight=False)
        sys.exit(1)
    except Exception as problem:
        # click's own complaints about arguments know how to show themselves.
        show = getattr(problem, "show", None)
        if show is None:
            raise
        show()
        sys.exit(getattr(problem, "exit_code", 2))
    sys.exit(code if isinstance(code, int) else 0)


def say_remark(text: str) -> None:
    """Say what was left out or guessed, as a line of its own."""
    say.print(escape_control_characters(text), markup=False, highlight=False, soft_wrap=True)


def _move_trust_code_to_front(args: list[str]) -> list[str]:
    """Move ``--trust-code NAME`` before the command, so that it may be written anywhere."""
    for i, arg in enumerate(args):
        if arg == "--":
            break
        if arg == "--trust-code" or arg.startswith("--trust-code="):
            end = i + (2 if arg == "--trust-code" else 1)
            return [*args[i:end], *_move_trust_code_to_front([*args[:i], *args[end:]])]
    return args


def _add_trusted_functions_to_environment(names: list[str] | None) -> None:
    """Tell this process, and kernels it starts, which functions may build networks."""
    known = os.environ.get("CIRCUITZ_TRUST_CODE", "")
    if names:
        os.environ["CIRCUITZ_TRUST_CODE"] = ",".join([*filter(None, [known]), *names])


def _print_version_and_exit(requested: bool) -> None:
    if requested:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def _apply_global_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version_and_exit, is_eager=True
        ),
    ] = False,
    trust_code: Annotated[
        list[str] | None,
        typer.Option(
            "--trust-code",
            metavar="PACKAGE.MODULE:FUNCTION",
            help="Let this function of yours build the network of a bundle that names it.",
        ),
    ] = None,
) -> None:
    del version  # its callback has printed it and left
    _add_trusted_functions_to_environment(trust_code)


class StepProgressBars:
    """One progress bar a step, made when the step begins; a line a step where nobody sees bars move.

    Parameters
    ----------
    bars
        What draws them.
    stopped
        Whether somebody pressed Ctrl-C.
    chapters
        Beginnings of the names of all steps in their order, where they are known beforehand: each
        step then says which it is of how many.
    lines
        Whether to print a line when a step begins.
    """

    def __init__(
        self,
        bars: Progress,
        stopped: Callable[[], bool] = lambda: False,
        chapters: Sequence[str] = (),
        lines: bool = False,
    ) -> None:
        self._bars = bars
        self._stopped = stopped
        self._chapters = chapters
        self._tasks: dict[str, TaskID] = {}
        self._lines = lines
        self._start = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps of ``what`` are done."""
        if self._stopped():
            raise KeyboardInterrupt
        if what not in self._tasks:
            for task in self._tasks.values():
                self._bars.stop_task(task)
            label = self._numbered(what)
            self._tasks[what] = self._bars.add_task(label, total=max(total, 1))
            if self._lines:
                seconds = time.monotonic() - self._start
                self._bars.console.print(f"{seconds:5.0f} s  {label}", markup=False)
        self._bars.update(self._tasks[what], completed=done, total=max(total, 1))

    def _numbered(self, what: str) -> str:
        """Name a step with its number, where the steps are known beforehand."""
        for k, chapter in enumerate(self._chapters, 1):
            if what == chapter or what.startswith(f"{chapter}:"):
                return f"step {k} of {len(self._chapters)}: {what}"
        return what


@contextmanager
def progress_bars(quiet: bool = False, chapters: Sequence[str] = ()) -> Generator[StepProgressBars]:
    """Show progress bars on standard error, or a line a step where that is no terminal."""
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    lines = not quiet and not say.is_terminal
    with (
        Progress(*columns, console=say, disable=quiet or lines) as bars,
        _remember_ctrl_c() as stopped,
    ):
        yield StepProgressBars(bars, stopped, chapters, lines)


@contextmanager
def _remember_ctrl_c() -> Generator[Callable[[], bool]]:
    """Remember Ctrl-C: what it raises is lost where somebody's import catches everything."""
    pressed: list[int] = []

    def note_interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note_interrupt)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def save_audit_reading_or_warn(model: AnnotatedModel, path: Path) -> None:
    """Save a reading of *audit*; where that cannot be, say so and go on."""
    try:
        model.save(path)
    except CircuitzError as problem:
        say.print(f"The reading of audit could not be put on record: {problem}", markup=False)
