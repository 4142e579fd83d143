"""A world in which sixty looks may not suffice: twelve breeds of four parts each, in six near pairs.

Nothing is rendered and no network trained: a picture is what it shows, and z is a linear read-out of
detectors that bear the right words, learned from D. So what stands here is what a *good* card is worth
beside notes, not what a search finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from circuitz.bench.people.asked_comparisons import FRESH_SEEDS, people_of_world
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.make_card import LEAST, card_with_permuted_words, empty_card
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.notes_control import choose_rows_balanced_by_class, notes_card
from circuitz.evaluation.people.simulated_person import SimulatedPerson

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
_BREEDS, _PARTS, _CUES = 12, 4, 10
_WORLD = "dogs"
_UNIT_NOISE, _RIDGE = 0.3, 3.0


@dataclass(frozen=True)
class ManyBreedsSizes:
    """How many pictures.

    Parameters
    ----------
    per_breed
        Pictures of D a breed, from which z is learned.
    looks
        Labelled pictures that whoever takes notes looks at.
    labelled
        Pictures of D′ that everybody labels.
    """

    per_breed: int = 150
    looks: int = 60
    labelled: int = 120


@dataclass(frozen=True, eq=False)
class BreedPictures:
    """Pictures by what they show.

    Parameters
    ----------
    words
        The concepts.
    shows
        ``(n, c)`` bool.
    labels
        ``(n,)`` breeds.
    """

    words: tuple[str, ...]
    shows: npt.NDArray[np.bool_]
    labels: I64

    def shown(self, row: int) -> dict[str, bool]:
        """Return what one picture shows."""
        return dict(zip(self.words, self.shows[row].tolist(), strict=True))


@dataclass(frozen=True)
class PairedBreeds:
    """What makes the breeds: four parts each; breeds 2i and 2i + 1 differ in one.

    Parameters
    ----------
    parts
        Of each breed, its part by topic.
    typical
        Share of a breed's pictures in which a part of it is as it should be.
    """

    parts: tuple[dict[str, str], ...]
    typical: float

    @classmethod
    def drawn(cls, typical: float, seed: int) -> PairedBreeds:
        """Draw twelve breeds; no two have the same parts."""
        rng = np.random.default_rng([seed, 71])
        attributes = world_by_name(_WORLD).world.attributes
        topics = list(attributes)
        breeds: list[dict[str, str]] = []
        while len(breeds) < _BREEDS:
            mine = [topics[int(i)] for i in rng.permutation(len(topics))[:_PARTS]]
            one = {topic: str(rng.choice(attributes[topic])) for topic in mine}
            apart = str(rng.choice(mine))
            others = [value for value in attributes[apart] if value != one[apart]]
            twin = {**one, apart: str(rng.choice(others))}
            if one not in breeds and twin not in breeds:
                breeds += [one, twin]
        return cls(tuple(breeds), typical)

    @property
    def names(self) -> tuple[str, ...]:
        """Names that tell nothing."""
        return tuple(f"breed {chr(ord('A') + i)}" for i in range(len(self.parts)))

    def pictures(self, per_breed: int, *, tied: bool, seed: int) -> BreedPictures:
        """Draw pictures.

        Parameters
        ----------
        per_breed
            Of each breed.
        tied
            Whether the first ground is under all of the first breed and under no other (D); else
            grounds mean nothing (D′).
        seed
            Of the draw.
        """
        rng = np.random.default_rng([seed, 72, int(tied)])
        world = world_by_name(_WORLD).world
        words = (*(v for values in world.attributes.values() for v in values), *world.grounds)
        column = {word: i for i, word in enumerate(words)}
        labels = np.repeat(np.arange(len(self.parts)), per_breed)
        shows = np.zeros((len(labels), len(words)), bool)
        for row, label in enumerate(labels.tolist()):
            for topic, values in world.attributes.items():
                part = self.parts[label].get(topic)
                as_usual = part is not None and rng.random() < self.typical
                shows[row, column[part if as_usual and part else str(rng.choice(values))]] = True
            grounds = world.grounds
            if tied:
                grounds = grounds[:1] if label == 0 else grounds[1:]
            shows[row, column[str(rng.choice(grounds))]] = True
        return BreedPictures(words, shows, labels)


def many_breeds_figures(
    *,
    typical: Sequence[float] = (1.0, 0.85, 0.7),
    seeds: Sequence[int] = (0, 1, 2),
    sizes: ManyBreedsSizes | None = None,
) -> list[dict[str, Any]]:
    """Return how often people label D′ right, by what they hold; means over seeds.

    One row for each share in which parts are typical: ``no_card``, ``unrepaired``, ``notes``,
    ``notes_struck`` (grounds taken out by hand), ``permuted``, ``zstar``, and ``optimal``: whoever knows
    the breeds and sees without error.
    """
    size = sizes or ManyBreedsSizes()
    found: list[dict[str, Any]] = []
    for share in typical:
        rows = [_right_by_card(PairedBreeds.drawn(share, seed), size, seed) for seed in seeds]
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        found.append({"typical": share, "looks": size.looks, **means})
    return found


def _right_by_card(breeds: PairedBreeds, sizes: ManyBreedsSizes, seed: int) -> dict[str, float]:
    data = breeds.pictures(sizes.per_breed, tied=True, seed=seed)
    per_breed = -(-sizes.labelled // len(breeds.parts))
    shifted = breeds.pictures(per_breed, tied=False, seed=seed)
    people = people_of_world(_WORLD, FRESH_SEEDS[:1])
    grounds = set(world_by_name(_WORLD).world.grounds)
    notes = _notes(data, breeds.names, people[0], sizes.looks, seed)
    star = _read_out_card(data, breeds.names, grounds, seed)
    cards = {
        "no_card": empty_card(breeds.names, "dog"),
        "unrepaired": _read_out_card(data, breeds.names, set(), seed),
        "notes": notes,
        "notes_struck": _without(notes, grounds),
        "permuted": card_with_permuted_words(star, seed),
        "zstar": star,
    }
    right = {name: _share_right(card, shifted, people) for name, card in cards.items()}
    return {**right, "optimal": _share_right_of_optimal(breeds, shifted)}


def _share_right(card: Card, pictures: BreedPictures, people: Sequence[SimulatedPerson]) -> float:
    found = [
        person.class_chances(
            card, card.names, shown=pictures.shown(row), activity=None, key=f"picture {row}"
        )[label]
        for row, label in enumerate(pictures.labels.tolist())
        for person in people
    ]
    return float(np.mean(found))


def _share_right_of_optimal(breeds: PairedBreeds, pictures: BreedPictures) -> float:
    attributes = world_by_name(_WORLD).world.attributes
    column = {word: i for i, word in enumerate(pictures.words)}
    logs = np.zeros((len(pictures.labels), len(breeds.parts)))
    for k, parts in enumerate(breeds.parts):
        for topic, values in attributes.items():
            by_chance = 1 / len(values)
            part = parts.get(topic)
            if part is None:
                logs[:, k] += np.log(by_chance)
                continue
            usual = breeds.typical + (1 - breeds.typical) * by_chance
            other = max((1 - breeds.typical) * by_chance, 1e-12)
            logs[:, k] += np.where(pictures.shows[:, column[part]], np.log(usual), np.log(other))
    return float((logs.argmax(1) == pictures.labels).mean())


def _notes(
    data: BreedPictures, names: tuple[str, ...], person: SimulatedPerson, n: int, seed: int
) -> Card:
    rows = choose_rows_balanced_by_class(data.labels, n, seed)
    looked = [person.perceive(data.shown(int(row)), f"look {row}") for row in rows]
    return notes_card([names[int(data.labels[row])] for row in rows], looked, names, subject="dog")


def _read_out_card(
    data: BreedPictures, names: tuple[str, ...], left_out: set[str], seed: int
) -> Card:
    """Learn breeds from noisy detectors of words, but for some, and write what drives each."""
    rng = np.random.default_rng([seed, 73])
    use = np.array([word not in left_out for word in data.words])
    active = data.shows + rng.normal(0, _UNIT_NOISE, data.shows.shape)
    weights = _read_out(active[:, use], data.labels, len(names))
    words = [word for word, used in zip(data.words, use, strict=True) if used]
    entries: list[ClassEntry] = []
    for k, name in enumerate(names):
        share = weights[:, k] / np.maximum(weights[:, k], 0).sum()
        order = np.argsort(-np.abs(share), kind="stable")[:_CUES].tolist()
        cues = [
            Cue(words[c], (words[c],), (f"unit:{c}",), round(float(share[c]), 4)) for c in order
        ]
        entries.append(ClassEntry(name, tuple(c for c in cues if abs(c.strength) >= LEAST)))
    return Card(tuple(entries), "dog")


def _read_out(active: F64, labels: I64, k: int) -> F64:
    """Return softmax weights ``(c, k)``, centred over classes."""
    x = np.concatenate([active, np.ones((len(active), 1))], 1)
    rows = np.arange(len(labels))

    def loss_and_slope(flat: F64) -> tuple[float, F64]:
        w = flat.reshape(x.shape[1], k)
        logits = x @ w
        logs = logits - logits.max(1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(1, keepdims=True))
        push = np.exp(logs)
        push[rows, labels] -= 1
        slope = x.T @ push + _RIDGE * w
        return float(-logs[rows, labels].sum() + 0.5 * _RIDGE * (w**2).sum()), slope.ravel()

    start = np.zeros(x.shape[1] * k)
    found = minimize(loss_and_slope, start, jac=True, method="L-BFGS-B").x
    weights = np.asarray(found, np.float64).reshape(x.shape[1], k)[:-1]
    return weights - weights.mean(1, keepdims=True)


def _without(card: Card, words: set[str]) -> Card:
    kept = [
        ClassEntry(e.name, tuple(c for c in e.cues if not set(c.concepts) & words))
        for e in card.classes
    ]
    return Card(tuple(kept), card.subject)
