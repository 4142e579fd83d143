"""``circuitz tasks``."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuitz.cli.shell import Json, Seed, app, out, progress_bars, say
from circuitz.errors import LabellingError

if TYPE_CHECKING:
    from circuitz.labelling.tasks.pack import TaskPack

tasks = typer.Typer(help="Packs of questions for people to answer.", no_args_is_help=True)
app.add_typer(tasks, name="tasks")


class PackAsks(Enum):
    """What a pack asks."""

    LABEL = "label"
    COMPARE = "compare"
    HYPOTHESIS = "hypothesis"


class LabelArm(Enum):
    """What raters see of an input."""

    SHOWN = "shown"
    HIDDEN = "hidden"


@tasks.command("make")
def make_tasks(
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="ZSTAR...",
            help="The model people will hold, as exported; two or more to compare.",
        ),
    ],
    path: Annotated[
        Path, typer.Option("--out", help="Pack to write: a folder, or a file ending in .zip.")
    ],
    kind: Annotated[
        PackAsks,
        typer.Option(
            help="label: which class is it? compare: which of two models is more plausible? "
            "hypothesis: what does this class look like, what does this unit see?"
        ),
    ] = PackAsks.LABEL,
    arm: Annotated[
        LabelArm,
        typer.Option(
            help="Of label. shown: raters see the picture; hidden: only how active the card's signs are."
        ),
    ] = LabelArm.SHOWN,
    images: Annotated[
        Path | None,
        typer.Option(help="D′, of label: a folder of pictures, in it and below it."),
    ] = None,
    about: Annotated[
        list[str] | None,
        typer.Option(
            help="Of hypothesis: a class or a unit (conv5:3); repeat it. All classes, and units "
            "without words that drive most, by default."
        ),
    ] = None,
    word: Annotated[
        list[str] | None,
        typer.Option(
            help="Of hypothesis: a word to choose; repeat it. The concept set's by default."
        ),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option(
            help="CSV of what is known, mixed in to see how reliable each rater is; nothing is "
            "learned from it. Of label: path (relative to the file), class. Of compare: better, "
            "worse, models as named here."
        ),
    ] = None,
    overlap: Annotated[int, typer.Option(help="Raters that answer each question.", min=1)] = 2,
    limit: Annotated[
        int | None,
        typer.Option(help="Most pictures to ask about (200 by default), or pairs (60).", min=1),
    ] = None,
    repeats: Annotated[
        int, typer.Option(help="Of label: pictures asked twice of a rater, at most a tenth.", min=0)
    ] = 5,
    name: Annotated[
        str, typer.Option(help="The question as raters read it: Which kind of dog is it?")
    ] = "",
    guidelines: Annotated[
        Path | None, typer.Option(help="Text file with what raters are told to do.")
    ] = None,
    lease: Annotated[
        float, typer.Option(help="Seconds a question waits for a rater who left.", min=5)
    ] = 600.0,
    seed: Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another pack that is there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write questions, and all that a rater's screen needs, torch-free, into a pack.

    Of label: as many pictures of each class that z* predicts, a quarter of them those it is least
    sure of. Nothing else of D′ is used, nor are the folders' names. Of compare: pairs of the
    models' cards, joined by a tree, near and far ones, a tenth again with sides swapped.
    """
    from circuitz.labelling.tasks.pack_io import check_pack_destination, write_pack

    _refuse_odd_options(kind, models, images, arm, about, word)
    if not overwrite:
        refuse_occupied_pack_destination(path)
    text = _read_guidelines(guidelines) if guidelines is not None else ""
    common: dict[str, Any] = {
        "name": name, "overlap": overlap, "guidelines": text, "lease": lease, "seed": seed,
    }  # fmt: skip
    if kind is PackAsks.COMPARE:
        pack = _make_comparisons(models, gold, limit, common)
    elif kind is PackAsks.HYPOTHESIS:
        from circuitz.labelling.tasks.make_judging_pack import make_hypothesis_pack
        from circuitz.z.bundle.load_save import load

        pack = make_hypothesis_pack(load(models[0]), about or (), words=word or (), **common)
    else:
        assert images is not None
        pack = _make_label_questions(models[0], images, gold, limit, repeats, arm, common)
    check_pack_destination(path, pack, overwrite)
    write_pack(pack, path, overwrite=overwrite)
    counts = pack.count_questions_by_kind()
    if as_json:
        facts = {
            "out": str(path), "task": pack.task, "kind": kind.value, "z": pack.z_hash,
            "card": pack.card.hash, "classes": list(pack.classes), "overlap": overlap,
            "seed": seed, "instructions": pack.instructions, "questions": counts,
        }  # fmt: skip
        print(json.dumps(facts, ensure_ascii=False))
        return
    what = {"label": "pictures", "compare": "pairs", "hypothesis": "questions"}[kind.value]
    out.print(
        f"Written to {path}: {counts['ask']} {what}, each for {overlap} "
        f"{'person' if overlap == 1 else 'people'}, {counts['gold']} gold, {counts['again']} asked "
        f"twice. Next: circuitz serve --tasks {path} --store answers.sqlite",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _refuse_odd_options(
    kind: PackAsks,
    models: list[Path],
    images: Path | None,
    arm: LabelArm,
    about: list[str] | None,
    word: list[str] | None,
) -> None:
    """Refuse what does not go together, before anything is read."""
    if kind is not PackAsks.COMPARE and len(models) > 1:
        raise LabellingError(f"Packs of kind {kind.value} are about one z.", "Name one.")
    if kind is PackAsks.COMPARE and len(models) < 2:
        raise LabellingError("One z cannot be compared.", "Name two or more.")
    if kind is PackAsks.LABEL and images is None:
        raise LabellingError("There are no pictures to label.", "Name a folder: --images DIR.")
    if kind is not PackAsks.LABEL and (images is not None or arm is LabelArm.HIDDEN):
        raise LabellingError(
            "--images and --arm are of packs that ask for classes.", "Leave them out."
        )
    if kind is not PackAsks.HYPOTHESIS and (about or word):
        raise LabellingError("--about and --word are of hypotheses.", "Leave them out.")


def _make_comparisons(
    models: list[Path], gold: Path | None, limit: int | None, common: dict[str, Any]
) -> TaskPack:
    from circuitz.labelling.tasks.make_judging_pack import (
        PAIRS,
        cards_of_models,
        make_compare_pack,
        read_gold_pairs,
    )
    from circuitz.z.bundle.load_save import load

    cards = cards_of_models({str(place): load(place) for place in models})
    known_pairs = read_gold_pairs(gold, cards) if gold is not None else []
    alike = len(cards) - len({card.hash for card in cards.values()})
    if alike:
        _say(f"{alike} of the models look like another one to people: one of each is compared.")
    n = PAIRS if limit is None else limit
    return make_compare_pack(list(cards.values()), n=n, gold=known_pairs, **common)


def _make_label_questions(
    zstar: Path,
    images: Path,
    gold: Path | None,
    limit: int | None,
    repeats: int,
    arm: LabelArm,
    common: dict[str, Any],
) -> TaskPack:
    from circuitz.labelling.export import card_in_notes
    from circuitz.labelling.tasks.make_pack import make_pack
    from circuitz.labelling.tasks.questions import MOST
    from circuitz.labelling.tasks.shifted_pictures import check_labelling_supported
    from circuitz.z.bundle.load_save import load

    model = load(zstar)
    check_labelling_supported(model)
    if card_in_notes(model) is None:
        _say(
            "This z was never exported, so nobody decided that its words may be used: the card is "
            "made from them as they stand. circuitz export decides."
        )
    if arm is LabelArm.HIDDEN and model.data is None:
        _say("D is not at hand: what is usual for a sign is taken from the concept set.")
    with progress_bars() as steps:
        return make_pack(
            model, images, arm=arm.value, gold=gold, limit=MOST if limit is None else limit,
            repeats=repeats, progress=steps, **common,
        )  # fmt: skip


def _say(text: str) -> None:
    say.print(text, highlight=False, soft_wrap=True)


def refuse_occupied_pack_destination(path: Path) -> None:
    """Refuse a place that holds something else before the network is run for minutes."""
    from circuitz.labelling.tasks.pack_io import MANIFEST, check_pack_destination

    pack = path.is_dir() and (path / MANIFEST).is_file()
    if not pack and not (path.is_file() and path.suffix == ".zip"):
        check_pack_destination(path)


def _read_guidelines(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabellingError(f"{path} cannot be read.", "Give a text file in UTF-8.") from error
    if not text.strip() or len(text) > 20_000:
        raise LabellingError(f"{path} is empty or very long.", "Write up to 20,000 characters.")
    return text
