"""The command line: ``circuitz demo``, ``check``, ``search``, ``export``, ``lab``, ``data``."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from rich.table import Table

from circuitz import __version__
from circuitz.errors import CircuitzError, ExportRefusedError

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

app = typer.Typer(
    help="See what a neural network relies on: words on its units, checked against the wiring.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data = typer.Typer(help="Make and look at data.", no_args_is_help=True)
app.add_typer(data, name="data")

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
        code = app(standalone_mode=False)
    except CircuitzError as problem:
        say.print(f"[bold red]{problem.code}[/] ", end="")
        say.print(problem.message, markup=False, highlight=False)
        if problem.hint:
            say.print(problem.hint, markup=False, highlight=False)
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


def _version(wanted: bool) -> None:
    if wanted:
        out.print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    pass


class Steps:
    """One progress bar a step, made when the step begins."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` steps of ``what`` are done."""
        if what not in self._tasks:
            for task in self._tasks.values():
                self._bars.stop_task(task)
            self._tasks[what] = self._bars.add_task(what, total=max(total, 1))
        self._bars.update(self._tasks[what], completed=done, total=max(total, 1))


@contextmanager
def progress(quiet: bool = False) -> Generator[Steps]:
    """Show progress bars on standard error."""
    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=say, disable=quiet) as bars:
        yield Steps(bars)


@app.command()
def demo(
    where: Annotated[
        Path, typer.Option("--out", help="Folder for the bundles and the report.")
    ] = Path("circuitz-demo"),
    seed: Seed = 0,
    full: Annotated[
        bool, typer.Option("--full", help="More data and training, the same steps.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Watch a network caught relying on snow, repaired, exported and used to label D′."""
    from circuitz.demo.report import write_report
    from circuitz.demo.run import run

    with progress() as steps:
        story = run(where, seed=seed, full=full, progress=steps)
    write_report(story, where / "report.html")
    text = json.dumps(story.summary, indent=1, ensure_ascii=False)
    (where / "report.json").write_text(f"{text}\n", encoding="utf-8")
    if as_json:
        print(text)
        return
    _tell(story.summary, where)


def _tell(summary: dict[str, Any], where: Path) -> None:
    table = Table(title="The husky story", title_justify="left", box=None, pad_edge=False)
    for name in ("", "D", "D′", "D′ worst group", "husky off snow"):
        table.add_column(name, justify="left" if not name else "right")
    keys = ("d_accuracy", "d_prime_accuracy", "d_prime_worst_group", "husky_off_snow")
    for row, name in (
        ("before", "as trained on D"),
        ("after", "z*, after the search"),
        ("oracle", "oracle: trained without the shortcut"),
    ):
        table.add_row(name, *(f"{summary[row][key]:.2f}" for key in keys))
    for name, value in summary["controls"].items():
        table.add_row(f"control: {name.replace('_', ' ')}", "", "", f"{value:.2f}", "")
    out.print(table)
    flagged = [f for f in summary["findings"] if f["verdict"] == "flagged"]
    out.print(f"\nFlagged before the search ({len(flagged)}):")
    for finding in flagged[:5]:
        out.print(f"  {finding['kind']}: {finding['sentence']}", markup=False, highlight=False)
    labels = summary["labels"]
    told = Table(
        title="\nD′ labelled by a simulated rater", title_justify="left", box=None, pad_edge=False
    )
    told.add_column("")
    told.add_column("right", justify="right")
    for key, name in (
        ("rater_no_card", "without a card"),
        ("rater_unrepaired", "with the card of the network as trained"),
        ("rater_permuted", "with z*'s card, words permuted"),
        ("rater_notes", "with notes from 60 labelled images of D"),
        ("rater_zstar", "with z*'s card"),
        ("m_l_test_accuracy", f"M_L_test, from {labels['judgements']} answers"),
        ("m_l_test_worst_group", "M_L_test, worst group"),
    ):
        told.add_row(name, f"{labels[key]:.2f}")
    out.print(told)
    out.print(
        f"\n{summary['seconds']:.0f} s. Written to {where}: husky.z, zstar.z, report.html, report.json"
    )
    out.print("Look at the report:  ", end="")
    out.print(str(where / "report.html"), markup=False)
    out.print("Look at the units:   ", end="")
    out.print(f"circuitz lab {where / 'husky.z'}", markup=False)


@app.command()
def check(
    z: Z,
    split: Annotated[str, typer.Option(help="Images the verdicts rest on.")] = "test",
    delta: Annotated[float, typer.Option(help="Effects below this share count as none.")] = 0.10,
    q: Annotated[float, typer.Option(help="False discovery rate within a kind.")] = 0.05,
    lexicon: LexiconPath = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when something is flagged.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Do words and wiring agree? Judges what was measured; no network is run."""
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.plausibility.check import check as run_check
    from circuitz.plausibility.reads import log_reads
    from circuitz.z.bundle import load

    model = load(z)
    report = run_check(model, split=split, delta=delta, q=q, lexicon=Lexicon.load(lexicon))
    if report.reads:
        _record(log_reads(model, report, why="circuitz check"), z)
    if as_json:
        print(report.to_json())
    else:
        out.print(repr(model), markup=False, highlight=False)
        out.print(repr(report), markup=False, highlight=False)
    raise typer.Exit(report.exit_code() if strict else 0)


@app.command()
def search(
    z: Z,
    where: Annotated[Path, typer.Option("--out", help="Bundle to write the best z to.")],
    rounds: Annotated[int, typer.Option(help="Most weight steps.", min=1)] = 3,
    epochs: Annotated[int, typer.Option(help="Passes over D in a weight step.", min=1)] = 8,
    lam: Annotated[float, typer.Option("--lambda", help="Weight of the prior.", min=0)] = 1.0,
    rate: Annotated[float, typer.Option(help="Largest learning rate.", min=0)] = 1e-2,
    flip: Annotated[
        bool, typer.Option("--flip/--no-flip", help="Mirror half of the training images.")
    ] = True,
    seed: Seed = 0,
    data_path: Annotated[
        Path | None, typer.Option("--data", help="D, when it is not where z says.")
    ] = None,
    lexicon: LexiconPath = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew instead of going on where a search stopped.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Search for the z that explains D and is plausible. Ctrl-C keeps finished rounds."""
    import shutil

    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.search.loop import Settings
    from circuitz.search.loop import search as run_search
    from circuitz.z.bundle import load
    from circuitz.z.inputs_io import read_inputs

    model = load(z)
    if data_path is not None:
        model = model.with_(data=read_inputs(data_path))
    state = where.with_name(f"{where.name}.search")
    if fresh and state.exists():
        shutil.rmtree(state)
    settings = Settings(rounds=rounds, epochs=epochs, rate=rate, flip=flip, lam=lam, seed=seed)
    try:
        with progress() as steps:
            found = run_search(
                model, settings=settings, lexicon=Lexicon.load(lexicon), state=state, progress=steps
            )
    except KeyboardInterrupt:
        say.print(f"Stopped. Finished rounds are kept in {state}; the same command goes on.")
        raise
    found.z.save(where)
    shutil.rmtree(state, ignore_errors=True)
    if as_json:
        print(json.dumps(found.z.notes["search"], indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("round", "log prior", "log likelihood", "log posterior", "flagged", ""):
        table.add_column(name, justify="right")
    for i, s in enumerate(found.scores):
        table.add_row(
            str(i), f"{s.prior:.3f}", f"{s.likelihood:.1f}", f"{s.posterior(lam):.1f}",
            str(s.flagged), "← kept" if i == found.best else "",
        )  # fmt: skip
    out.print(table)
    out.print(f"Written to {where}. Next: circuitz export {where} --out ZSTAR.z", markup=False)


@app.command()
def export(
    z: Z,
    where: Annotated[Path, typer.Option("--out", help="Bundle to write z* to.")],
    waive: Annotated[
        list[str] | None,
        typer.Option("--waive", help="Id of a finding to let stand; give --author and --reason."),
    ] = None,
    author: Annotated[str, typer.Option(help="Who exports, and lets findings stand.")] = "",
    reason: Annotated[str, typer.Option(help="Why the waived findings may stand.")] = "",
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Write z* for others to label with, decided on the audit split."""
    from circuitz.labelling.export import export as run_export
    from circuitz.labelling.export import waive as waiver
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.bundle import load

    model = load(z)
    waivers = [waiver(finding, author=author, reason=reason) for finding in waive or []]
    try:
        made = run_export(
            model, where, lexicon=Lexicon.load(lexicon), waivers=waivers, author=author
        )
    except ExportRefusedError as refused:
        # The look at the audit split counts, whatever it led to.
        if refused.z is not None:
            _record(refused.z, z)
        raise
    _record(model.with_(notes={**model.notes, "audit_reads": made.notes["audit_reads"]}), z)
    if as_json:
        print(json.dumps({"out": str(where), "hash": made.hash, "findings": len(made.findings)}))
    else:
        out.print(f"Written to {where}: {made!r}", markup=False, highlight=False)


def _record(model: AnnotatedModel, place: Path) -> None:
    """Save a reading of *audit*; where that cannot be, say so and go on."""
    try:
        model.save(place)
    except CircuitzError as problem:
        say.print(f"The reading of audit could not be put on record: {problem}", markup=False)


@app.command()
def lab(
    z: Annotated[Path, typer.Argument(help="A bundle.")] = Path("circuitz-demo/husky.z"),
    port: Annotated[int, typer.Option(help="Port; any free one by default.", min=0)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Open a z in JupyterLab."""
    from circuitz.widgets.lab import lab as run_lab

    raise typer.Exit(run_lab(z, port=port, open_browser=browser))


@data.command()
def dogs(
    sheet: Annotated[Path, typer.Option(help="Picture to write: breeds, D, D′ and mongrels.")],
    seed: Seed = 0,
    shortcut: Annotated[str, typer.Option(help="ground, collar, light, tag or two.")] = "ground",
    track: Annotated[
        float, typer.Option(help="Share of D that follows the shortcut.", min=0, max=1)
    ] = 1.0,
) -> None:
    """Draw a contact sheet of the dog world."""
    from circuitz.data.sheet import sheet as draw

    draw(sheet, seed=seed, shortcut=shortcut, track=track)
    out.print(f"Written to {sheet}", markup=False)
