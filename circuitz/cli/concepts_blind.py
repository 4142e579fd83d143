"""``circuitz concepts blind``: words on units, held to what people see where no labels are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.concepts import concepts
from circuitz.cli.concepts_ask import (
    default_tasks_path,
    import_answers_from_csv,
    print_commands_for_answering,
)
from circuitz.cli.shell import Json, LexiconPath, Seed, Z, out, progress_bars, say
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import LabellingError

if TYPE_CHECKING:
    from circuitz.labelling.tasks.pack import TaskPack
    from circuitz.lexicon.lexicon import Lexicon


@concepts.command("blind")
def run_blind_word_test(
    z: Z,
    units: Annotated[
        list[str] | None,
        typer.Argument(help="Units to test; by default all annotated ones of the cut."),
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option(help="Test this word; by default those on each unit. Repeat."),
    ] = None,
    pairs: Annotated[
        int,
        typer.Option(help="Pictures a word the unit is active on, and as many hard ones.", min=1),
    ] = 20,
    raters: Annotated[int, typer.Option(help="Raters that answer each question.", min=1)] = 1,
    tasks: Annotated[
        Path | None, typer.Option(help="Where the questions are kept; beside Z by default.")
    ] = None,
    store: Annotated[
        str, typer.Option(help="Where answers are kept; beside the questions by default.")
    ] = "",
    here: Annotated[
        bool, typer.Option("--here", help="Answer in this terminal, picture by picture.")
    ] = False,
    rater: Annotated[str, typer.Option(help="Who answers with --here or --answers.")] = "",
    export: Annotated[
        Path | None, typer.Option(help="Write the questions to a CSV file, pictures beside it.")
    ] = None,
    answers: Annotated[
        list[Path] | None, typer.Option(help="Take over answers of such a file. Repeat.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when a word is flagged.")
    ] = False,
    seed: Seed = 0,
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Test words on units blind: does this picture show it, asked without telling which is which.

    Half of the pictures are those a unit is most active on, half hard ones it is not. Whoever
    answers sees neither. Run it again to see how it stands: there is a verdict once all is
    answered; it is kept in Z, and circuitz check judges by it where no label can.
    """
    from circuitz.labelling.concepts.blind_pack import (
        blind_test_finding,
        blind_test_results,
        with_finished_tests,
    )
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.store.address import open_store
    from circuitz.widgets.labelling.labelling import default_store_path
    from circuitz.z.bundle.load_save import load

    known = Lexicon.load(lexicon)
    place, pack = _open_or_make_blind_test_pack(
        z, units or [], word or [], tasks, known, pairs, raters, seed
    )
    kept = open_store(store or default_store_path(place))
    if export is not None:
        from circuitz.labelling.concepts.concept_csv import write_questions_csv_and_pictures

        write_questions_csv_and_pictures(pack, export)
    if answers:
        import_answers_from_csv(pack, kept, answers, rater)
    if here:
        from circuitz.cli.concepts_here import ask_questions_in_terminal

        ask_questions_in_terminal(pack, kept, rater)
    found = blind_test_results(pack, kept.rows(task=pack.task))
    findings = [blind_test_finding(one, pack) for one in found]
    if not all(one.open for one in found):
        now = load(z)
        made = with_finished_tests(now, found, pack)
        if made.notes != now.notes:
            made.save(z)
    flagged = any(f.verdict == "flagged" for f in findings)
    if as_json:
        facts: dict[str, Any] = {
            "tasks": str(place),
            "store": kept.address,
            "task": pack.task,
            "tests": [
                {
                    "unit": b.target, "word": b.word, "verdict": f.verdict, "sentence": f.sentence,
                    "accuracy": None if b.detection.accuracy != b.detection.accuracy else f.estimate,
                    "ci": list(f.ci), "p_fisher": b.detection.p, "p": f.p, "q": f.q,
                    "family": f.family, "power": f.power, "open": b.open, "raters": b.raters,
                    "simulated": b.simulated, "decide": f.decide, "id": f.id,
                }
                for b, f in zip(found, findings, strict=True)
            ],
        }  # fmt: skip
        print(json.dumps(facts, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            line = f"{finding.verdict}: {finding.sentence}"
            out.print(
                escape_control_characters(line), markup=False, highlight=False, soft_wrap=True
            )
            if finding.decide:
                out.print(
                    escape_control_characters(f"  {finding.decide}"),
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
        if export is not None:
            say.print(f"Questions written to {export}.", markup=False, highlight=False)
        if any(one.open for one in found):
            print_commands_for_answering(
                place, kept.address, f"circuitz concepts blind {z} --tasks {place}"
            )
    raise typer.Exit(1 if strict and flagged else 0)


def _open_or_make_blind_test_pack(
    z: Path,
    units: list[str],
    words: list[str],
    path: Path | None,
    lexicon: Lexicon,
    pairs: int,
    raters: int,
    seed: int,
) -> tuple[Path, TaskPack]:
    """Open the questions that are there, or make them."""
    from circuitz.labelling.concepts.blind_pack import make_blind_pack
    from circuitz.labelling.tasks.pack_io import open_pack, write_pack
    from circuitz.z.bundle.load_save import load

    if path is None:
        name = [*units, *words, *([str(seed)] if seed else [])] or ["all"]
        path = default_tasks_path(z, "blind", name)
    if path.exists():
        pack = open_pack(path)
        tested = {unit for facts in pack.plan.values() for unit in facts.get("tests", {})}
        if not set(units) <= tested:
            raise LabellingError(f"{path} holds other questions.", "Name another place: --tasks.")
        return path, pack
    with progress_bars() as steps:
        pack = make_blind_pack(
            load(z), units, lexicon=lexicon, words=words, pairs=pairs, overlap=raters, seed=seed,
            progress=steps,
        )  # fmt: skip
    write_pack(pack, path)
    return path, pack
