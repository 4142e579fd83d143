"""Make a task pack from z* and a folder of pictures. Runs the network; opening a pack does not."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from PIL import Image

from circuitz.cards.card import Card
from circuitz.cards.judged.class_answer import Arm
from circuitz.cards.make_card import card as make_card
from circuitz.data.folders.csv_reading import read_csv_with_header
from circuitz.data.folders.name_forms import NameIndex
from circuitz.data.folders.picture_paths import existing_file
from circuitz.errors import CardError, LabellingError
from circuitz.labelling.export import card_in_notes
from circuitz.labelling.tasks.guidelines_by_kind import guidelines_of_kind, title_of_kind
from circuitz.labelling.tasks.hidden_questions import activities_of_pictures, hidden_questions
from circuitz.labelling.tasks.pack import (
    LEASE_SECONDS,
    Kind,
    Question,
    TaskPack,
    opaque_question_id,
)
from circuitz.labelling.tasks.pack_checks import (
    MOST_QUESTIONS,
    check_answerable_classes,
    check_overlap_and_lease,
)
from circuitz.labelling.tasks.questions import MOST, choose_questions
from circuitz.labelling.tasks.run_on_pictures import (
    find_active_cues_and_maps,
    run_model_on_pictures,
)
from circuitz.labelling.tasks.shifted_pictures import (
    Picture,
    View,
    check_labelling_supported,
    find_pictures,
    picture_file_hash,
)
from circuitz.plausibility.check import check

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]
THUMB = 96
REPEATS = 5


def make_pack(
    z: AnnotatedModel,
    folder: Path,
    *,
    arm: Arm = "shown",
    name: str = "",
    gold: Path | None = None,
    overlap: int = 2,
    limit: int = MOST,
    repeats: int = REPEATS,
    guidelines: str = "",
    lease: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> TaskPack:
    """Choose questions about D′ and put all that is needed to answer them into a pack.

    Parameters
    ----------
    z
        z*, exported with its card; a measured z that was never exported gets one made here.
    folder
        D′: pictures in it and below it. Folders' names are not looked at.
    arm
        ``shown``; or ``hidden``, where raters see no picture but how active the card's cues are,
        and where.
    name
        The question as raters read it; made from z's subject when empty.
    gold
        CSV with ``path`` (relative to the file) and ``class``: pictures whose answer is known.
        They are mixed in, tell how reliable a rater is, and teach nothing.
    overlap
        How many raters answer each question.
    limit
        Most questions; chosen by :func:`circuitz.labelling.tasks.questions.choose_questions`.
    repeats
        Questions asked a second time, at most a tenth of all.
    guidelines
        Plain text for the raters; by the arm when empty.
    lease
        Seconds a question stays with a rater who does not answer.
    seed
        Seed of everything random.
    progress
        Called with what is done, how far, and of how many.

    Raises
    ------
    LabellingError
        If z, card or numbers do not allow it.
    InputsError, ConceptLabelsError
        If pictures or the gold table cannot be read or do not fit.
    CardError
        If z has no card and none can be made.
    """
    check_labelling_supported(z)
    card = load_or_make_card(z)
    # Before the network is run: what no screen could ask need not cost minutes.
    check_answerable_classes(card.names)
    check_overlap_and_lease(overlap, LEASE_SECONDS if lease is None else lease)
    _check_limit_and_repeats(limit, repeats)
    told = _progress_callback_factory(progress)
    found = find_pictures(folder, told("find pictures"))
    known = _read_gold_answers(gold, card.names) if gold is not None else {}
    pool = _distinct_pictures_without_gold(found, {p.item for p in known})
    view = View.of(z)
    ran = run_model_on_pictures(z, [p.file for p in pool], view, told("run the network"))
    chosen = choose_questions(ran.logits, limit, seed=seed)
    asked = [pool[int(i)] for i in chosen.rows]
    again = _choose_pictures_to_repeat(asked, min(repeats, len(asked) // 10), seed)
    shown = list(dict.fromkeys([*asked, *known]))
    kinds: list[tuple[Kind, Sequence[Picture]]] = [
        ("ask", asked), ("gold", list(known)), ("again", again)
    ]  # fmt: skip
    common = _CommonParts(
        name=name.strip() or title_of_kind("label", arm, z.subject),
        card=card,
        seed=seed,
        overlap=overlap,
        guidelines=guidelines.strip() or (guidelines_of_kind("label", arm)),
        exemplars=_exemplar_thumbnails(z, card),
        lease=LEASE_SECONDS if lease is None else float(lease),
    )
    if arm == "hidden":
        # Pictures beside the words would tell what a unit sees, whatever its words say.
        common["exemplars"] = {}
        activities = activities_of_pictures(z, card, shown, view, told("look at the units"))
        questions = hidden_questions(kinds, activities, seed)
        return TaskPack(
            questions=tuple(questions),
            gold=_gold_by_question(questions, known),
            activities={one.hash: one for one in activities.values()},
            **common,
        )
    seen, heat = find_active_cues_and_maps(
        z, card, [p.file for p in shown], view, told("look at the units")
    )
    sight = dict(zip(shown, seen, strict=True))
    pictures: dict[str, bytes] = {}
    for i, p in enumerate(shown):
        data = view.crop_and_encode_for_people(p.file)
        suffix = "png" if data.startswith(b"\x89PNG") else "webp"
        pictures[f"pictures/{p.item[:24]}.{suffix}"] = data
        told("copy pictures")(i + 1, len(shown))
    file = {Path(name).stem: name for name in pictures}
    questions = [
        Question(
            opaque_question_id(seed, p.item, kind),
            p.item,
            kind,
            p.path,
            file[p.item[:24]],
            sight[p],
        )
        for kind, some in kinds
        for p in some
    ]
    return TaskPack(
        questions=tuple(questions),
        gold=_gold_by_question(questions, known),
        heat=heat,
        pictures=pictures,
        **common,
    )


class _CommonParts(TypedDict):
    """What packs of both arms have."""

    name: str
    card: Card
    seed: int
    overlap: int
    guidelines: str
    exemplars: dict[int, bytes]
    lease: float


def _gold_by_question(questions: Sequence[Question], answers: dict[Picture, str]) -> dict[str, str]:
    by_item = {picture.item: label for picture, label in answers.items()}
    return {q.id: by_item[q.item] for q in questions if q.kind == "gold"}


def load_or_make_card(z: AnnotatedModel) -> Card:
    """Return the card z was exported with, or make it; refuse one of another z."""
    found = card_in_notes(z)
    if found is None:
        return make_card(z, check(z))
    if found.z_hash != z.hash:
        raise CardError(
            "The words on this model changed since its card was made.", "Export it again."
        )
    return found


def _check_limit_and_repeats(limit: int, repeats: int) -> None:
    if not 1 <= limit <= MOST_QUESTIONS or repeats < 0:
        raise LabellingError(
            f"{limit} questions, {repeats} of them twice, cannot be asked.",
            f"Ask for 1 to {MOST_QUESTIONS:,}.",
        )


def _distinct_pictures_without_gold(
    pictures: Sequence[Picture], without: set[str]
) -> list[Picture]:
    """Leave out copies of a picture, and those whose answer is known."""
    first = {p.item: p for p in reversed(pictures) if p.item not in without}
    pool = [p for p in pictures if first.get(p.item) is p]
    if not pool:
        raise LabellingError(
            "Every picture is a gold one: nothing is left to ask.", "Give more pictures."
        )
    return pool


def _read_gold_answers(table: Path, classes: Sequence[str]) -> dict[Picture, str]:
    """Read pictures whose answer is known."""
    if not table.is_file():
        raise LabellingError(f"There is no file {table}.", "Check --gold.")
    columns = ("path", "class", "label")
    header, rows = read_csv_with_header(table, special=columns, only=columns, keep_blanks=True)
    column = next((c for c in ("class", "label") if c in header), None)
    if column is None:
        raise LabellingError(f"{table} has no column ‘class’.", "Name the class of each picture.")
    at_path, at_class = header.index("path"), header.index(column)
    index = NameIndex(classes)
    found: dict[str, tuple[Picture, str]] = {}
    for number, cells in rows:
        file = existing_file(cells[at_path], table.parent, number, table)
        if file is None:
            raise LabellingError(
                f"Row {number} of {table} names {cells[at_path][:200]}, which is not there.",
                "Paths are relative to the file.",
            )
        at = index.find(cells[at_class])
        if at is None:
            raise LabellingError(
                f"Row {number} of {table} says {cells[at_class][:60]!r}, which is no class.",
                index.hint(cells[at_class]),
            )
        name = index.names[at]
        picture = Picture(file, cells[at_path], picture_file_hash(file))
        before = found.get(picture.item)
        if before is not None and before[1] != name:
            raise LabellingError(
                f"Row {number} of {table} contradicts an earlier row about the same picture.",
                "Leave out what is not certain.",
            )
        found.setdefault(picture.item, (picture, name))
    if not found:
        raise LabellingError(f"{table} has no rows.", "Add pictures, or leave out --gold.")
    return dict(found.values())


def _choose_pictures_to_repeat(pictures: Sequence[Picture], n: int, seed: int) -> list[Picture]:
    order = np.random.default_rng([seed, 31]).permutation(len(pictures))[:n]
    return [pictures[int(i)] for i in sorted(order)]


def _exemplar_thumbnails(z: AnnotatedModel, card: Card) -> dict[int, bytes]:
    """Return small pictures of the card's exemplars."""
    known = z.concept_set
    if known is None:
        return {}
    wanted = {i for e in card.classes for c in e.cues for x in c.exemplars for i in x.indices}
    made: dict[int, bytes] = {}
    for i in sorted(w for w in wanted if 0 <= w < len(known)):
        pixels = np.ascontiguousarray(known.images[i], dtype=np.uint8)
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3])
        image.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", optimize=True)
        made[i] = buffer.getvalue()
    return made


def _progress_callback_factory(
    progress: Progress | None,
) -> Callable[[str], Callable[[int, int], None]]:
    def progress_callback_for_stage(what: str) -> Callable[[int, int], None]:
        def report_stage_progress(done: int, total: int) -> None:
            if progress is not None:
                progress(what, done, total)

        return report_stage_progress

    return progress_callback_for_stage
