"""M_L_test on the pool, and what people could have held in place of z*'s card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from circuitz.bench.people.asked_comparisons import FRESH_SEEDS, people_of_world
from circuitz.bench.people.asked_labels import (
    I64,
    LabelPictures,
    PicturesOfLineages,
    label_chances,
)
from circuitz.bench.people.pool_lineage import Lineage
from circuitz.bench.people.pool_split import split_by_lineage
from circuitz.bench.people.pooled_z import PooledZ
from circuitz.bench.people.trunk_figures import (
    SIZES,
    card_input,
    judges_of,
    labels_of_people,
    trunk_figures,
)
from circuitz.cards.card import Card
from circuitz.cards.make_card import card_with_permuted_words, empty_card
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.evaluation_sets import join_rendered_set_with_truth
from circuitz.evaluation.notes_control import choose_rows_balanced_by_class, notes_card
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.evaluation.people.world_words import WorldWord, words_of_world
from circuitz.labelling.labels.answers import answers_from_judgements
from circuitz.labelling.labels.label_model import fit_label_model

_ANSWERS = 100
_AGREED_ON = 120
_MEANS = (
    "answers_alone_worst",
    "with_card_worst",
    "with_logits_worst",
    "agreement",
    "network_worst",
)
_NOTES = 60


def label_model_figures(
    zs: Sequence[PooledZ], lineages: Sequence[Lineage], *, most: int, seed: int = 0
) -> dict[str, Any]:
    """Fit M_L_test to answers about repaired z's of held-out lineages, and score it.

    Returns
    -------
    dict
        ``answers_alone_worst``, ``with_card_worst`` (what the card says at face value is an input) and
        ``with_logits_worst``: worst group on D′ pictures nobody was asked about, the mean over z's;
        ``people_worst``: of what most fresh people say; ``agreement``: share of fresh people's answers
        foretold from answers alone, and of each by name; ``agreement_ceiling``; ``network_worst`` and
        ``card_alone_worst`` (the class of which the card says most, without any answer); ``answers``, ``rows``, one a z, and ``trunks``.
    """
    pictures = PicturesOfLineages(lineages)
    chosen = repaired_and_held_out(zs, seed)[:most]
    rows = [_one_label_model(z, pictures.shifted(z), seed) for z in chosen]
    names = (
        [name for name, value in rows[0].items() if isinstance(value, float)] if rows else _MEANS
    )
    means: dict[str, Any] = {
        name: float(np.mean([row[name] for row in rows])) if rows else None for name in names
    }
    trunks = trunk_figures(chosen, lineages, seed=seed)
    answers = sum(row["answers"] for row in rows) + SIZES[-1] * len(chosen)
    return {**means, "answers": answers, "rows": rows, "trunks": trunks}


def repaired_and_held_out(zs: Sequence[PooledZ], seed: int) -> list[PooledZ]:
    """Return the repaired z's of lineages that M_prior and M_L did not see, words as proposed."""
    _, held = split_by_lineage([z for z in zs if z.world == "dogs"], seed)
    return [z for z in held if z.network == "repaired" and z.words == "proposed"]


def labelling_controls(
    zs: Sequence[PooledZ], lineages: Sequence[Lineage], *, most: int, seed: int = 0
) -> list[dict[str, Any]]:
    """Return how often people label D′ right with z*'s card, and with what they could have had.

    One row a lineage: ``no_card``, ``unrepaired``, ``unrepaired_struck`` (words of what is no part
    taken out by hand), ``notes`` and ``notes_struck`` (from 60 pictures of D), ``permuted``,
    ``zstar``. The same people look at the same pictures with the same eyes; only the card differs.
    """
    pictures = PicturesOfLineages(lineages)
    by_name = {lineage.name: lineage for lineage in lineages}
    named = {(z.lineage, z.network, z.words): z for z in zs}
    found: list[dict[str, Any]] = []
    for z in repaired_and_held_out(zs, seed)[:most]:
        people = people_of_world(z.world, FRESH_SEEDS[:1])
        words = words_of_world(world_by_name(z.world).world)
        shown = pictures.shifted(z)
        rows = np.random.default_rng([seed, 31]).permutation(len(shown.keys))[:_AGREED_ON]
        before = named[z.lineage, "trained", "proposed"].card
        notes = _notes_of(by_name[z.lineage], people[0], z.card.subject, seed)
        cards = {
            "no_card": empty_card(shown.classes, z.card.subject),
            "unrepaired": before,
            "unrepaired_struck": struck_card(before, words),
            "notes": notes,
            "notes_struck": struck_card(notes, words),
            "permuted": card_with_permuted_words(z.card, seed),
            "zstar": z.card,
        }
        right = {name: _share_right(card, shown, rows, people) for name, card in cards.items()}
        found.append({"lineage": z.lineage, **right})
    return found


def struck_card(card: Card, words: dict[str, WorldWord]) -> Card:
    """Return the card without cues that name anything but parts."""
    return replace(
        card,
        classes=tuple(
            replace(
                e,
                cues=tuple(
                    c for c in e.cues
                    if c.concepts and all(n in words and words[n].kind == "part" for n in c.concepts)
                ),
            )
            for e in card.classes
        ),
    )  # fmt: skip


def _one_label_model(z: PooledZ, pictures: LabelPictures, seed: int) -> dict[str, Any]:
    order = np.random.default_rng([seed, 41]).permutation(len(pictures.keys))
    asked, rest = np.sort(order[:_ANSWERS]), np.sort(order[_ANSWERS:])
    judgements = labels_of_people(z, pictures, asked, seed)
    position = {pictures.keys[int(row)]: i for i, row in enumerate(asked)}
    # People click a class; how sure a simulated person was is more than a screen learns.
    answers = answers_from_judgements(judgements, pictures.classes, position, soft=False)
    truth = [pictures.classes[int(label)] for label in pictures.labels[asked]]
    said = [str((one.answer or {}).get("choice", "")) for one in judgements]
    right = {one.items[0]: choice for one, choice in zip(judgements, said, strict=True)}
    judges = judges_of(z, pictures, rest)
    row: dict[str, Any] = {
        "z": z.name,
        "answers": len(judgements),
        "answers_right": float(
            np.mean([right[pictures.keys[int(r)]] == t for r, t in zip(asked, truth, strict=True)])
        ),
        "people_worst": judges.majority_worst,
        "agreement_ceiling": judges.ceiling,
    }
    features, logits = z.levels_shifted, z.readings.logits_shifted.astype(np.float64)
    inputs = {"answers_alone": None, "with_card": card_input(z), "with_logits": logits}
    for name, offsets in inputs.items():
        beside = np.zeros_like(logits) if offsets is None else offsets
        model = fit_label_model(
            features[asked], beside[asked], answers, pictures.classes, seed,
            offset=offsets is not None, as_input=offsets is not None,
        )  # fmt: skip
        row |= _named(name, judges.score(model.predict(features, beside)))
        row[f"{name}_form"] = model.form
    row |= _named("card_alone", judges.score(card_input(z).argmax(1).astype(np.int64)))
    row |= _named("network", judges.score(logits.argmax(1).astype(np.int64)))
    row["agreement"] = row["answers_alone_agreement"]
    return row


def _named(name: str, scores: dict[str, float]) -> dict[str, float]:
    return {f"{name}_{what}": value for what, value in scores.items()}


def _share_right(
    card: Card, pictures: LabelPictures, rows: I64, people: tuple[SimulatedPerson, ...]
) -> float:
    chances = label_chances(card, pictures, rows, people, arm="shown", activities=None)
    return float(chances[np.arange(len(rows)), pictures.labels[rows]].mean())


def _notes_of(lineage: Lineage, person: SimulatedPerson, subject: str, seed: int) -> Card:
    """Return the card a person writes after looking at labelled pictures of D."""
    data = join_rendered_set_with_truth(lineage.data)
    rows = choose_rows_balanced_by_class(data.truth.labels, _NOTES, seed)
    looked = LabelPictures.of_set(data, rows)
    seen = [person.perceive(looked.truth.of_picture(key), key) for key in looked.keys]
    labels = [looked.classes[int(label)] for label in looked.labels]
    return notes_card(labels, seen, looked.classes, subject=subject)
