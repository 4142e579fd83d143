"""``circuitz concepts ask``: what people see in pictures becomes labels that units are held to."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.concepts import concepts
from circuitz.cli.shell import Json, LexiconPath, Seed, Z, out, progress, say
from circuitz.disk.safe_text import shown
from circuitz.errors import LabellingError

if TYPE_CHECKING:
    from circuitz.labelling.concepts.concept_labels import Taken
    from circuitz.labelling.tasks.pack import TaskPack
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.store.judgements import Judgements
    from circuitz.z.model import AnnotatedModel


@concepts.command()
def ask(
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
    from circuitz.labelling.concepts.concept_answers import summary
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.store.address import open_store
    from circuitz.widgets.labelling.labelling import default_store
    from circuitz.z.bundle.load_save import load

    if undo:
        _undo(z, as_json)
        return
    known = Lexicon.load(lexicon)
    model = load(z)
    place, pack = _tasks(
        z, model, words or [], tasks, known, n=n, raters=raters, units=unit or [], seed=seed
    )
    kept = open_store(store or default_store(place))
    facts: dict[str, Any] = {"tasks": str(place), "store": str(kept.path), "task": pack.task}
    if export is not None:
        from circuitz.labelling.concepts.concept_csv import export_csv

        facts |= {"file": str(export), "pictures": str(export_csv(pack, export))}
    if answers:
        facts["new_answers"] = import_answers(pack, kept, answers, rater)
    if here:
        from circuitz.cli.concepts_here import answer_here

        answer_here(pack, kept, rater)
    facts["words"] = summary(pack, kept.rows(task=pack.task))
    if take or here or answers:
        done = _take(z, pack, kept, known, replace)
        facts["labels"] = [one.to_json() for one in done]
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    _tell(z, facts, pack, known)


def _tasks(
    z: Path,
    model: AnnotatedModel,
    words: list[str],
    place: Path | None,
    lexicon: Lexicon,
    *,
    n: int,
    raters: int,
    units: list[str],
    seed: int,
) -> tuple[Path, TaskPack]:
    """Open the questions that are there, or make them."""
    from circuitz.labelling.concepts.concept_pack import make_concept_pack, word_name
    from circuitz.labelling.tasks.pack_io import open_pack, write_pack

    if place is None:
        if not words:
            raise LabellingError(
                "No word was given.", "circuitz concepts ask Z snow asks about snow."
            )
        place = tasks_beside(z, "ask", [word_name(word, lexicon) for word in words])
    if place.exists():
        pack = open_pack(place)
        wanted = {word_name(word, lexicon) for word in words}
        if not pack.words or not wanted <= set(pack.words):
            raise LabellingError(
                f"{place} holds other questions"
                + (f": about {', '.join(pack.words)}." if pack.words else "."),
                "Name another place: --tasks.",
            )
        return place, pack
    with progress() as steps:
        pack = make_concept_pack(
            model, words, lexicon=lexicon, units=units, n=n, overlap=raters, seed=seed,
            progress=steps,
        )  # fmt: skip
    write_pack(pack, place)
    return place, pack


def tasks_beside(z: Path, what: str, names: list[str]) -> Path:
    """Where questions go when nobody says: beside the bundle, named by what is asked."""
    stem = z.name.removesuffix(".zip").removesuffix(".z")
    slug = "-".join("".join(c if c.isalnum() else "-" for c in name) for name in names)
    return z.absolute().with_name(f"{stem}.{what}-{slug[:60]}")


def import_answers(pack: TaskPack, kept: Judgements, files: list[Path], rater: str) -> int:
    """Read every file before anything is kept: all of them or none."""
    from circuitz.labelling.concepts.concept_csv import read_csv, store_rows

    rows = [row for path in files for row in read_csv(pack, path, rater=rater)]
    return store_rows(pack, kept, rows)


def _take(
    z: Path, pack: TaskPack, kept: Judgements, lexicon: Lexicon, replace: bool
) -> list[Taken]:
    """Write answers into the bundle as it is now: somebody may have edited it meanwhile."""
    from circuitz.labelling.concepts.concept_answers import merge
    from circuitz.labelling.concepts.concept_labels import take
    from circuitz.z.bundle.load_save import load

    rows = kept.rows(task=pack.task)
    model = load(z)
    done: list[Taken] = []
    for word in pack.words:
        merged = merge(pack, rows, word)
        slots = {m.question.slot for m in merged}
        mine = [row for row in rows if row.items and (row.kind, row.items[0]) in slots]
        done.append(
            take(
                model, word, merged, pack.plan, lexicon=lexicon, task=pack.task,
                raters=sorted({row.rater for row in mine}),
                rater_kinds=sorted({row.rater_kind for row in mine}), replace_others=replace,
            )
        )  # fmt: skip
        model = done[-1].z
    if any(one.written for one in done):
        _save(model, z)
    return done


def _save(model: AnnotatedModel, z: Path) -> None:
    """Save a z whose concept set changed; one too large for the bundle goes beside it."""
    from circuitz.z.bundle.data_ref import DataRef
    from circuitz.z.bundle.inputs_io import inputs_bytes, write_inputs
    from circuitz.z.bundle.write_bundle import SMALL_CONCEPTS

    assert model.concept_set is not None
    ref = None
    if inputs_bytes(model.concept_set) > SMALL_CONCEPTS:
        stem = z.name.removesuffix(".zip").removesuffix(".z")
        folder = write_inputs(z.absolute().with_name(f"{stem}.concepts"), model.concept_set)
        ref = DataRef.to(model.concept_set, folder.name)
    model.with_(concepts_ref=ref).save(z)


def _undo(z: Path, as_json: bool) -> None:
    from circuitz.labelling.concepts.concept_labels import undo
    from circuitz.z.bundle.load_save import load

    model, facts = undo(load(z))
    _save(model, z)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    gone = ", and the column with them" if facts["column_removed"] else ""
    out.print(
        shown(f"{facts['cells']} labels of ‘{facts['word']}’ taken back{gone}."),
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    say.print("The answers stay in their store; --take writes them again.", highlight=False)


def _tell(z: Path, facts: dict[str, Any], pack: TaskPack, lexicon: Lexicon) -> None:
    def line(text: str) -> None:
        out.print(shown(text), markup=False, highlight=False, soft_wrap=True)

    for word, now in facts["words"].items():
        line(
            f"‘{word}’: {now['answered']} of {now['questions']} pictures answered, "
            f"{now['yes']} show it, {now['no']} do not"
            + (f", {now['disputed']} disputed" if now["disputed"] else "")
            + (f", {now['cannot_tell']} times nobody could tell" if now["cannot_tell"] else "")
            + "."
        )
        if now["agreement"] is not None:
            a = now["agreement"]
            line(
                f"  agreement between raters (Krippendorff's alpha): {a['estimate']:.2f} "
                f"[{a['low']:.2f}, {a['high']:.2f}] over {a['n']} pictures"
            )
        if word not in lexicon:
            say.print(
                shown(
                    f"  The lexicon does not know ‘{word}’: whether it may speak for a class cannot "
                    f"be said. {lexicon.hint(word)}"
                ),
                markup=False, highlight=False, soft_wrap=True,
            )  # fmt: skip
    for one in facts.get("labels", []):
        _told_labels(one, line)
    if "labels" in facts:
        line(f"Next: circuitz check {z}")
    elif "file" in facts:
        line(f"Questions written to {facts['file']}, pictures to {facts['pictures']}.")
        line(f"Next: fill in ‘answer’ (yes, no, ?), then circuitz concepts ask {z} "
             f"{_quoted(pack)} --answers {facts['file']} --rater NAME")  # fmt: skip
    else:
        again = f"circuitz concepts ask {z} {_quoted(pack)}"
        say_next(Path(facts["tasks"]), Path(facts["store"]), again)
        line(f"then: {again} --take")


def say_next(tasks: Path, store: Path, again: str) -> None:
    """Say where questions can be answered: on a screen, or here."""
    for text in (
        f"Questions: {tasks}   answers: {store}",
        f"Next: circuitz serve --tasks {tasks} --store {store}",
        f"  or: {again} --here --rater NAME",
    ):
        out.print(shown(text), markup=False, highlight=False, soft_wrap=True)


def _told_labels(one: dict[str, Any], line: Any) -> None:
    from circuitz.stats.match import MINIMUM_IMAGES

    line(
        f"‘{one['word']}’: {one['written']} labels written. On test {one['shown']['test']} show it "
        f"and {one['absent']['test']} do not; on select {one['shown']['select']} and "
        f"{one['absent']['select']}."
    )
    few = [s for s in ("select", "test") if min(one["shown"][s], one["absent"][s]) < MINIMUM_IMAGES]
    if few:
        line(
            f"  Too few on {' and '.join(few)}: the check wants {MINIMUM_IMAGES} that show it and {MINIMUM_IMAGES} "
            "that do not. Ask about more with another --seed and --tasks."
        )
    if one["contradicted"]:
        line(
            f"  {one['contradicted']} labels that were there say otherwise and stand; --replace "
            "lets the answers win."
        )
    if one["left_out"]:
        line(f"  {one['left_out']} answers are about pictures chosen by activity and are left out.")


def _quoted(pack: TaskPack) -> str:
    return shlex.join(pack.words)
