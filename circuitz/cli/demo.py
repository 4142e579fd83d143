"""``circuitz demo``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from circuitz.cli.shell import Json, Seed, app, out, progress_bars, say

# Measured on two cores by `circuitz demo --json` (its "seconds"), rounded up.
_MINUTES = {"shortcut": 5, "induction": 2}


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option("--out", help="Folder for the bundles and the report.")
    ] = Path("circuitz-demo"),
    world: Annotated[
        str, typer.Option(help="dogs, birds, or induction: token sequences.")
    ] = "dogs",
    shortcut: Annotated[
        str,
        typer.Option(help="ground, light, tag or two; collar of the dogs; ring of the birds."),
    ] = "ground",
    track: Annotated[
        float, typer.Option(help="Share of D that follows the shortcut.", min=0, max=1)
    ] = 1.0,
    seed: Seed = 0,
    full: Annotated[
        bool, typer.Option("--full", help="More data and training, the same steps.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Watch a network caught relying on a shortcut, repaired, exported and used to label D′.

    --world induction tells of two small transformers that continue sequences, one of them by a
    shortcut: their heads are named, wired and checked (--shortcut and --track are for pictures).
    """
    if world == "induction":
        _run_induction_demo(folder, seed, full, as_json)
        return
    from circuitz.demo.husky_report import write_husky_report
    from circuitz.demo.husky_story import CHAPTERS, run_husky_story

    _say_how_long(_MINUTES["shortcut"], full, len(CHAPTERS))
    with progress_bars(chapters=CHAPTERS) as steps:
        story = run_husky_story(
            folder,
            world=world,
            shortcut=shortcut,
            track=track,
            seed=seed,
            full=full,
            progress=steps,
        )
    write_husky_report(story, folder / "report.html")
    text = json.dumps(story.summary, indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(f"{text}\n", encoding="utf-8")
    if as_json:
        print(text)
        return
    _print_shortcut_story_summary(story.summary, folder)


def _say_how_long(minutes: int, full: bool, steps: int) -> None:
    long = f"longer than the {minutes} minutes" if full else f"about {minutes} minutes"
    say.print(f"{steps} steps, {long} {'of the quick story ' if full else ''}on two cores.")


def _run_induction_demo(folder: Path, seed: int, full: bool, as_json: bool) -> None:
    from circuitz.demo.induction.induction_report import write_induction_report
    from circuitz.demo.induction.induction_run import name_chapters, run_induction_story

    chapters = name_chapters(full)
    _say_how_long(_MINUTES["induction"], full, len(chapters))
    with progress_bars(chapters=chapters) as steps:
        story = run_induction_story(folder, seed=seed, full=full, progress=steps)
    write_induction_report(story, folder / "report.html")
    text = json.dumps(story.summary, indent=1, ensure_ascii=False)
    (folder / "report.json").write_text(f"{text}\n", encoding="utf-8")
    if as_json:
        print(text)
        return
    table = Table(title="Two models that go on rightly", title_justify="left", box=None)
    for name in ("", "D", "D′", "words supported", "flagged"):
        table.add_column(name, justify="left" if not name else "right")
    for name in ("induction", "fixed"):
        found = story.summary[name]
        words = [f["verdict"] for f in found["findings"] if f["kind"] == "mislabelled-unit"]
        table.add_row(
            name, f"{found['d_accuracy']:.2f}", f"{found['d_prime_accuracy']:.2f}",
            str(words.count("supported")), str(words.count("flagged")),
        )  # fmt: skip
    out.print(table)
    for title, findings in (
        ("Flagged where words were exchanged", story.summary["swapped"]),
        ("Flagged where heads were named by their score on D", story.summary["fixed"]["findings"]),
    ):
        out.print(f"\n{title}:")
        for found in findings:
            if found["verdict"] == "flagged" and found["kind"] == "mislabelled-unit":
                out.print(f"  {found['sentence']}", markup=False, highlight=False)
    seconds = story.summary["seconds"]
    out.print(
        f"\n{seconds:.0f} s. Written to {folder}: induction.z, fixed.z, report.html, report.json"
    )
    out.print("Look at the report:  ", end="")
    out.print(str(folder / "report.html"), markup=False)
    out.print("Look at the heads:   ", end="")
    out.print(f"circuitz lab {folder / 'induction.z'}", markup=False)


def _print_shortcut_story_summary(summary: dict[str, Any], folder: Path) -> None:
    from circuitz.data.worlds.world_by_name import world_by_name

    about = world_by_name(summary["world"]).world
    first, off = about.classes[0], about.ties[summary["shortcut"]].off
    table = Table(title=f"The {first} story", title_justify="left", box=None, pad_edge=False)
    for name in ("", "D", "D′", "D′ worst group", f"{first} {off}"):
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
    left = summary["audit"]["waived"]
    if left:
        out.print(f"\nNot repaired, and let stand on export ({len(left)}):")
        for sentence in left[:5]:
            out.print(f"  {sentence}", markup=False, highlight=False)
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
        f"\n{summary['seconds']:.0f} s. Written to {folder}: {first}.z, zstar.z, report.html, report.json"
    )
    out.print("Look at the report:  ", end="")
    out.print(str(folder / "report.html"), markup=False)
    out.print("Look at the units:   ", end="")
    out.print(f"circuitz lab {folder / f'{first}.z'}", markup=False)
