"""``circuitz concepts ask``: what people see in pictures becomes labels that units are held to."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.concepts import concepts
from circuitz.cli.concepts_on import PopulationName, open_or_make_population_pack
from circuitz.cli.shell import Json, LexiconPath, Seed, Z, out, progress_bars, say
from circuitz.disk.safe_text import escape_control_characters
from circuitz.errors import LabellingError

if TYPE_CHECKING:
    from circuitz.labelling.concepts.concept_labels import AppliedAnswers
    from circuitz.labelling.tasks.pack import TaskPack
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.store.judgement_store import JudgementStore
    from circuitz.z.model import AnnotatedModel


@concepts.command("ask")
def ask_people_about_words(
    z: Z,
    words: Annotated[
        list[str] | None, typer.Argument(help="Concepts to ask about, quoted where of two words.")
    ] = None,
    n: Annotated[int, typer.Option("--n", help="Pictures a word.", min=1)] = 240,
    raters: Annotated[int, typer.Option(help="Raters that answer each question.", min=1)] = 1,
    unit: Annotated[
        list[str] | None,
        typer.Option(help="Unit said to mean it; by default those annotated with it. Repeat."),
    ] = None,
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
    take: Annotated[
        bool, typer.Option("--take", help="Write what was answered so far into Z.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Answers win over labels that were there before.")
    ] = False,
    on: Annotated[
        PopulationName | None,
        typer.Option(
            "--on",
            help="Ask about pictures of D, or of the shifted set, that decide whether the words "
            "on units hold there; circuitz words reads the answers.",
        ),
    ] = None,
    shifted: Annotated[
        Path | None, typer.Option(help="D′, with --on shifted: a folder of pictures.")
    ] = None,
    half: Annotated[
        str, typer.Option(help="With --on: which half of the pictures, search or audit.")
    ] = "search",
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the labels back that were written last.")
    ] = False,
    seed: Seed = 0,
    lexicon: LexiconPath = None,
    as_json: Json = False,
) -> None:
    """Ask people whether pictures show a word, and label z's concept set with what they say.

    Run it again to go on: the same words find the same questions. Answer on a screen
    (circuitz serve --tasks), here (--here), or elsewhere (--export, then --answers). Answers are
    written into Z after --here and --answers; after a screen, --take writes them.
    """
    from circuitz.labelling.concepts.concept_answers import summarise_answers_by_word
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.store.address import open_store
    from circuitz.widgets.labelling.labelling import default_store_path
    from circuitz.z.bundle.load_save import load

    if undo:
        _undo_last_labels_and_save(z, as_json)
        return
    known = Lexicon.load(lexicon)
    model = load(z)
    if on is not None:
        if take or replace:
            raise LabellingError(
                "Answers about D or D′ are no labels of the concept set.",
                "circuitz words Z --store PLACE reads them.",
            )
        place, pack = open_or_make_population_pack(
            z, model, words or [], tasks, on, shifted, half, n=n, raters=raters, seed=seed
        )
    else:
        place, pack = _open_or_make_question_pack(
            z, model, words or [], tasks, known, n=n, raters=raters, units=unit or [], seed=seed
        )
    kept = open_store(store or default_store_path(place))
    facts: dict[str, Any] = {"tasks": str(place), "store": kept.address, "task": pack.task}
    if export is not None:
        from circuitz.labelling.concepts.concept_csv import write_questions_csv_and_pictures

        facts |= {
            "file": str(export),
            "pictures": str(write_questions_csv_and_pictures(pack, export)),
        }
    if answers:
        facts["new_answers"] = import_answers_from_csv(pack, kept, answers, rater)
    if here:
        from circuitz.cli.concepts_here import ask_questions_in_terminal

        ask_questions_in_terminal(pack, kept, rater)
    facts["words"] = summarise_answers_by_word(pack, kept.rows(task=pack.task))
    if on is None and (take or here or answers):
        done = _label_bundle_with_answers(z, pack, kept, known, replace)
        facts["labels"] = [one.to_json() for one in done]
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    _print_answer_progress_and_labels(z, facts, pack, known)
    if on is not None:
        of_shift = f" --shifted {shifted}" if shifted is not None else ""
        then = f"then: circuitz words {z} --store {facts['store']}{of_shift}"
        out.print(then, markup=False, highlight=False, soft_wrap=True)


def _open_or_make_question_pack(
    z: Path,
    model: AnnotatedModel,
    words: list[str],
    path: Path | None,
    lexicon: Lexicon,
    *,
    n: int,
    raters: int,
    units: list[str],
    seed: int,
) -> tuple[Path, TaskPack]:
    """Open the questions that are there, or make them."""
    from circuitz.labelling.concepts.concept_pack import concept_column_name, make_concept_pack
    from circuitz.labelling.tasks.pack_io import open_pack, write_pack

    if path is None:
        if not words:
            raise LabellingError(
                "No word was given.", "circuitz concepts ask Z snow asks about snow."
            )
        path = default_tasks_path(z, "ask", [concept_column_name(word) for word in words])
    if path.exists():
        pack = open_pack(path)
        wanted = {concept_column_name(word) for word in words}
        if not pack.words or not wanted <= set(pack.words):
            raise LabellingError(
                f"{path} holds other questions"
                + (f": about {', '.join(pack.words)}." if pack.words else "."),
                "Name another place: --tasks.",
            )
        return path, pack
    with progress_bars() as steps:
        pack = make_concept_pack(
            model, words, lexicon=lexicon, units=units, n=n, overlap=raters, seed=seed,
            progress=steps,
        )  # fmt: skip
    write_pack(pack, path)
    return path, pack


def default_tasks_path(z: Path, what: str, names: list[str]) -> Path:
    """Where questions go when nobody says: beside the bundle, named by what is asked."""
    stem = z.name.removesuffix(".zip").removesuffix(".z")
    slug = "-".join("".join(c if c.isalnum() else "-" for c in name) for name in names)
    return z.absolute().with_name(f"{stem}.{what}-{slug[:60]}")


def import_answers_from_csv(
    pack: TaskPack, store: JudgementStore, files: list[Path], rater: str
) -> int:
    """Read every file before anything is kept: all of them or none."""
    from circuitz.labelling.concepts.concept_csv import read_answers_csv, store_new_csv_answers

    rows = [row for path in files for row in read_answers_csv(pack, path, rater=rater)]
    return store_new_csv_answers(pack, store, rows)


def _label_bundle_with_answers(
    z: Path, pack: TaskPack, store: JudgementStore, lexicon: Lexicon, replace: bool
) -> list[AppliedAnswers]:
    """Write answers into the bundle as it is now: somebody may have edited it meanwhile."""
    from circuitz.labelling.concepts.concept_answers import merge_answers_about_word
    from circuitz.labelling.concepts.concept_labels import apply_answers_to_concept_set
    from circuitz.z.bundle.load_save import load

    rows = store.rows(task=pack.task)
    model = load(z)
    done: list[AppliedAnswers] = []
    for word in pack.words:
        merged = merge_answers_about_word(pack, rows, word)
        slots = {m.question.judgement_kind_and_item for m in merged}
        mine = [row for row in rows if row.items and (row.kind, row.items[0]) in slots]
        done.append(
            apply_answers_to_concept_set(
                model, word, merged, pack.plan, lexicon=lexicon, task=pack.task,
                raters=sorted({row.rater for row in mine}),
                rater_kinds=sorted({row.rater_kind for row in mine}), replace_others=replace,
            )
        )  # fmt: skip
        model = done[-1].z
    if any(one.written for one in done):
        _save_with_changed_concept_set(model, z)
    return done


def _save_with_changed_concept_set(model: AnnotatedModel, z: Path) -> None:
    """Save a z whose concept set changed; one too large for the bundle goes beside it."""
    from circuitz.z.bundle.data_ref import DataRef
    from circuitz.z.bundle.inputs_io import byte_size_of_inputs, write_inputs
    from circuitz.z.bundle.write_bundle import SMALL_CONCEPTS

    assert model.concept_set is not None
    ref = None
    if byte_size_of_inputs(model.concept_set) > SMALL_CONCEPTS:
        stem = z.name.removesuffix(".zip").removesuffix(".z")
        folder = write_inputs(z.absolute().with_name(f"{stem}.concepts"), model.concept_set)
        ref = DataRef.referring_to(model.concept_set, folder.name)
    model.with_(concepts_ref=ref).save(z)


def _undo_last_labels_and_save(z: Path, as_json: bool) -> None:
    from circuitz.labelling.concepts.concept_labels import undo_last_labels
    from circuitz.z.bundle.load_save import load

    model, facts = undo_last_labels(load(z))
    _save_with_changed_concept_set(model, z)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    gone = ", and the column with them" if facts["column_removed"] else ""
    out.print(
        escape_control_characters(f"{facts['cells']} labels of ‘{facts['word']}’ taken back{gone}."),
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    say.print("The answers stay in their store; --take writes them again.", highlight=False)


def _print_answer_progress_and_labels(
    z: Path, facts: dict[str, Any], pack: TaskPack, lexicon: Lexicon
) -> None:
    from circuitz.labelling.concepts.population_pack import populations_of_pack

    def print_line(text: str) -> None:
        out.print(escape_control_characters(text), markup=False, highlight=False, soft_wrap=True)

    for word, now in facts["words"].items():
        print_line(
            f"‘{word}’: {now['answered']} of {now['questions']} pictures answered, "
            f"{now['yes']} show it, {now['no']} do not"
            + (f", {now['disputed']} disputed" if now["disputed"] else "")
            + (f", {now['cannot_tell']} times nobody could tell" if now["cannot_tell"] else "")
            + "."
        )
        if now["agreement"] is not None:
            a = now["agreement"]
            print_line(
                f"  agreement between raters (Krippendorff's alpha): {a['estimate']:.2f} "
                f"[{a['low']:.2f}, {a['high']:.2f}] over {a['n']} pictures"
            )
        if word not in lexicon:
            say.print(
                escape_control_characters(
                    f"  The lexicon does not know ‘{word}’: whether it may speak for a class cannot "
                    f"be said. {lexicon.hint(word)}"
                ),
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip
    for one in facts.get("labels", []):
        _print_label_counts(one, print_line)
    if "labels" in facts:
        print_line(f"Next: circuitz check {z}")
    elif "file" in facts and populations_of_pack(pack):
        print_line(f"Questions written to {facts['file']}, pictures to {facts['pictures']}.")
    elif "file" in facts:
        print_line(f"Questions written to {facts['file']}, pictures to {facts['pictures']}.")
        print_line(f"Next: fill in ‘answer’ (yes, no, ?), then circuitz concepts ask {z} "
             f"{_shell_quoted_words(pack)} --answers {facts['file']} --rater NAME")  # fmt: skip
    else:
        again = f"circuitz concepts ask {z} {_shell_quoted_words(pack)}"
        if populations_of_pack(pack):
            again += f" --on D --tasks {facts['tasks']}"
        print_commands_for_answering(Path(facts["tasks"]), facts["store"], again)
        if not populations_of_pack(pack):
            print_line(f"then: {again} --take")


def print_commands_for_answering(tasks: Path, store: str, command: str) -> None:
    """Say where questions can be answered: on a screen, or here."""
    for text in (
        f"Questions: {tasks}   answers: {store}",
        f"Next: circuitz serve --tasks {tasks} --store {store}",
        f"  or: {command} --here --rater NAME",
    ):
        out.print(escape_control_characters(text), markup=False, highlight=False, soft_wrap=True)


def _print_label_counts(counts: dict[str, Any], print_line: Any) -> None:
    from circuitz.stats.unit_concept_match import MINIMUM_IMAGES

    print_line(
        f"‘{counts['word']}’: {counts['written']} labels written. On test {counts['shown']['test']} show it "
        f"and {counts['absent']['test']} do not; on select {counts['shown']['select']} and "
        f"{counts['absent']['select']}."
    )
    few = [
        s
        for s in ("select", "test")
        if min(counts["shown"][s], counts["absent"][s]) < MINIMUM_IMAGES
    ]
    if few:
        print_line(
            f"  Too few on {' and '.join(few)}: the check wants {MINIMUM_IMAGES} that show it and {MINIMUM_IMAGES} "
            "that do not. Ask about more with another --seed and --tasks."
        )
    if counts["contradicted"]:
        print_line(
            f"  {counts['contradicted']} labels that were there say otherwise and stand; --replace "
            "lets the answers win."
        )
    if counts["left_out"]:
        print_line(
            f"  {counts['left_out']} answers are about pictures chosen by activity and are left out."
        )


def _shell_quoted_words(pack: TaskPack) -> str:
    return shlex.join(pack.words)
