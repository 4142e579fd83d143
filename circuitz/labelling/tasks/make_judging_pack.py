"""Task packs in which people compare z's, or say what classes look like and units see."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.cards.card import Card
from circuitz.cards.judged.plan_pairs import plan_pairs
from circuitz.cards.judged.questions_to_ask import comparisons_to_ask, hypotheses_to_ask
from circuitz.errors import LabellingError
from circuitz.labelling.tasks.make_pack import load_or_make_card
from circuitz.labelling.tasks.pack import LEASE_SECONDS, TaskPack
from circuitz.labelling.tasks.pack_of_asked import pack_of_asked_questions
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.z.inputs import InputSet
    from circuitz.z.model import AnnotatedModel

U8 = npt.NDArray[np.uint8]
PAIRS = 60
EXAMPLES = 12
_ACROSS, _TILE, _GAP = 4, 120, 6
_UNITS = 12


def make_compare_pack(
    cards: Sequence[Card],
    *,
    n: int = PAIRS,
    gold: Sequence[tuple[str, str]] = (),
    overlap: int = 2,
    name: str = "",
    guidelines: str = "",
    lease: float = LEASE_SECONDS,
    seed: int = 0,
) -> TaskPack:
    """Plan pairs of cards and put them into a pack.

    Parameters
    ----------
    cards
        The pool.
    n
        Pairs in all (:func:`circuitz.cards.judged.plan_pairs.plan_pairs`).
    gold
        Hashes of pairs whose answer is known: the more plausible card first.
    overlap
        How many raters compare each pair.
    name, guidelines
        What raters read; ours when empty.
    lease
        Seconds a pair stays with a rater who does not answer.
    seed
        Seed of choice, sides and order.

    Raises
    ------
    CardError
        If the cards cannot be compared so.
    LabellingError
        If no screen could ask it.
    """
    pairs = plan_pairs(cards, n, gold=gold, seed=seed)
    answers: dict[tuple[str, ...], str] = {
        (p.a_hash, p.b_hash): p.answer for p in pairs if p.answer
    }
    return pack_of_asked_questions(
        comparisons_to_ask(pairs, cards, raters=overlap), gold=answers, name=name,
        guidelines=guidelines, seed=seed, lease=lease,
    )  # fmt: skip


def cards_of_models(models: Mapping[str, AnnotatedModel]) -> dict[str, Card]:
    """Return the card of each z by name: the one it was exported with, or one made here.

    Raises
    ------
    CardError
        If a z has no card and none can be made.
    """
    return {name: load_or_make_card(z) for name, z in models.items()}


def read_gold_pairs(table: Path, cards: Mapping[str, Card]) -> list[tuple[str, str]]:
    """Read pairs whose answer is known: a CSV with ``better`` and ``worse``, names of z's.

    Raises
    ------
    LabellingError
        If the file cannot be read, or a row names a z that is not compared.
    """
    if not table.is_file():
        raise LabellingError(f"There is no file {table}.", "Check --gold.")
    columns = ("better", "worse")
    try:
        rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabellingError(f"{table} cannot be read.", "Give a CSV file in UTF-8.") from error
    if not rows or not set(columns) <= set(rows[0]):
        raise LabellingError(
            f"{table} has no rows with ‘better’ and ‘worse’.", "Name the more plausible z first."
        )
    found: list[tuple[str, str]] = []
    for number, cells in enumerate(rows, 2):
        names = [(cells[column] or "").strip() for column in columns]
        for one in names:
            if one not in cards:
                raise LabellingError(
                    f"Row {number} of {table} names {one[:80]!r}, which is not compared.",
                    f"Names are as given: {', '.join(list(cards)[:6])}.",
                )
        found.append((cards[names[0]].hash, cards[names[1]].hash))
    return found


def make_hypothesis_pack(
    z: AnnotatedModel,
    targets: Sequence[str] = (),
    *,
    words: Sequence[str] = (),
    overlap: int = 2,
    name: str = "",
    guidelines: str = "",
    lease: float = LEASE_SECONDS,
    seed: int = 0,
) -> TaskPack:
    """Ask what classes look like and units see.

    Parameters
    ----------
    z
        The model; its D shows what classes look like, its concept set what units see.
    targets
        Classes by name, or units (``conv5:3``). Default: all classes, where D is at hand, and the
        units of the cut that drive most and bear no words.
    words
        Words that may be chosen; the concept set's by default.
    overlap, name, guidelines, lease, seed
        As in :func:`make_compare_pack`.

    Raises
    ------
    LabellingError
        If a target is neither class nor measured unit, or its pictures are not at hand.
    """
    chips = list(words) or list(z.concept_set.concept_names if z.concept_set is not None else ())
    chosen = list(targets) or _default_targets(z)
    if not chosen:
        raise LabellingError(
            "There is nothing to ask about: neither D nor measurements are at hand.",
            "Name classes or units, and open z beside its data.",
        )
    pictures = {}
    for one in dict.fromkeys(chosen):
        if one in z.classes:
            pictures[f"{OUTPUT}:{one}"] = _sheet_of_class(z, one, seed)
        else:
            pictures[one] = _sheet_of_unit(z, one)
    asked = hypotheses_to_ask(
        list(pictures), chips, z_hash=z.hash, pictures=pictures, raters=overlap, seed=seed
    )
    return pack_of_asked_questions(asked, name=name, guidelines=guidelines, seed=seed, lease=lease)


def _default_targets(z: AnnotatedModel) -> list[str]:
    found = list(z.classes) if _labelled_pictures(z.data) else []
    effects = z.measurements.effects if z.measurements is not None else None
    if effects is None:
        return found
    spoken_for = set(map(str, z.effective()))
    size = np.abs(np.nan_to_num(effects.drive)).sum(1)
    silent = [effects.units[int(u)] for u in np.argsort(-size) if size[u] > 0]
    return found + [unit for unit in silent if unit not in spoken_for][:_UNITS]


def _labelled_pictures(data: InputSet | None) -> bool:
    return data is not None and data.labels is not None and not data.is_tokens


def _sheet_of_class(z: AnnotatedModel, name: str, seed: int) -> U8:
    data = z.data
    if data is None or data.labels is None or data.is_tokens:
        raise LabellingError(
            f"Pictures of {name!r} are not at hand.", "Open z beside its data, or name units."
        )
    rows = np.flatnonzero(data.labels == z.classes.index(name))
    if not len(rows):
        raise LabellingError(f"D has no picture of {name!r}.", "Name another class.")
    drawn = np.random.default_rng([seed, 23]).permutation(rows)[:EXAMPLES]
    return _contact_sheet([data.images[int(row)] for row in drawn])


def _sheet_of_unit(z: AnnotatedModel, unit: str) -> U8:
    layer, _, index = unit.rpartition(":")
    measured = z.measurements.layers.get(layer) if z.measurements is not None else None
    if measured is None or not index.isdecimal() or int(index) >= len(measured.exemplars):
        raise LabellingError(
            f"{unit[:80]!r} is neither a class nor a measured unit.",
            f"Classes are {', '.join(z.classes[:8])}; units are written like conv5:3.",
        )
    concept_set = z.concept_set
    best = measured.exemplars[int(index)]
    rows = [int(row) for row in best if row >= 0][:EXAMPLES]
    if concept_set is None or concept_set.is_tokens or not rows:
        raise LabellingError(
            f"Pictures that {unit} responds to are not at hand.",
            "Measure z with a concept set of pictures.",
        )
    return _contact_sheet([concept_set.images[row] for row in rows])


def _contact_sheet(pictures: Sequence[npt.NDArray[np.generic]]) -> U8:
    """Put pictures side by side on grey, four in a row, every one as large as the others."""
    columns = min(_ACROSS, len(pictures))
    rows = -(-len(pictures) // columns)
    step = _TILE + _GAP
    page = Image.new("RGB", (columns * step + _GAP, rows * step + _GAP), (128, 128, 128))
    for i, pixels in enumerate(pictures):
        plain = np.ascontiguousarray(pixels, dtype=np.uint8)
        tile = Image.fromarray(plain[..., 0] if plain.shape[2] == 1 else plain[..., :3])
        scale = _TILE / max(tile.size)
        side = (max(1, round(tile.width * scale)), max(1, round(tile.height * scale)))
        smooth = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
        place = (i % columns * step + _GAP, i // columns * step + _GAP)
        page.paste(tile.convert("RGB").resize(side, smooth), place)
    return np.asarray(page)
