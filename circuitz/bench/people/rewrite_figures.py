"""The face-value rewrite of networks of the pool: whether a network is what its words say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuitz.bench.people.lineage_networks import (
    Weights,
    annotated_and_measured,
    lineage_networks,
)
from circuitz.bench.people.pool import crowd_for_lineage
from circuitz.bench.people.pool_lineage import Lineage
from circuitz.effects.agreement_questions import agreements, plan_agreement_questions
from circuitz.effects.rewrite import rewrite
from circuitz.effects.rewrite_result import DONORS, PERMUTED, REGRESSION, TRUE, FaceValueRewrite
from circuitz.evaluation.evaluation_sets import InputsWithTruth, join_rendered_set_with_truth
from circuitz.evaluation.people.crowd import Crowd
from circuitz.plausibility.graded_proposals import WORDS_PER_UNIT, grade_words
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_match import Population

Progress = Callable[[str, int, int], None]
#: Networks that are rewritten, z* first; and the shortcuts of their lineages.
NETWORKS = ("repaired", "trained")
SHORTCUTS = ("ground", "two")


@dataclass(frozen=True)
class RewriteSizes:
    """How much is rewritten.

    Parameters
    ----------
    pictures
        Of D, and of D′, whose words are told by the renderer's columns.
    told_by_people
        Of each, whose words simulated people tell.
    permutations
        How often words change places.
    lineages
        Lineages at most.
    """

    pictures: int = 400
    told_by_people: int = 60
    permutations: int = 10
    lineages: int = 6


def rewrite_figures(
    lineages: Sequence[Lineage],
    cache: Path | None,
    *,
    sizes: RewriteSizes | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any] | None:
    """Rewrite networks whose words were proposed by the rule, with words of more and less.

    Parameters
    ----------
    lineages
        Those of the pool; such with a shortcut in the ground are looked at.
    cache
        Where the pool's networks are; without one nothing is measured, for they would be trained
        anew.
    sizes
        See :class:`RewriteSizes`.
    seed
        Of pictures, donors and permutations.

    Returns
    -------
    dict or None
        Of z*'s, means over lineages of the agreement with the network: ``d`` and ``dprime`` (the
        rewrite), and on D′ ``donors``, ``permuted``, ``regression`` and ``true`` activations of the
        same units; ``works``: share of z*'s for which it works on both; ``main_word``: agreement on D
        and D′ by main words alone; ``people``: with words as simulated people say they hold, and
        ``answers`` of theirs; ``rows``, one a network and population.
    """
    if cache is None:
        return None
    size = sizes or RewriteSizes()
    rows: list[dict[str, Any]] = []
    chosen = [lineage for lineage in lineages if lineage.shortcut in SHORTCUTS][: size.lineages]
    answers = 0
    for i, lineage in enumerate(chosen):
        if progress is not None:
            progress("rewrite", i, len(chosen))
        networks = lineage_networks(lineage, cache / "networks")
        crowd = crowd_for_lineage(lineage)()
        for name in (name for name in NETWORKS if name in networks):
            rows += _rows_of_network(lineage, name, networks[name], crowd, size, seed)
        answers += sum(crowd.answer_counts.values())
    star = [row for row in rows if row["network"] == NETWORKS[0]]
    if not star:
        return None
    on = {p: [row for row in star if row["population"] == p] for p in ("D", "D'")}
    named = {row["lineage"]: True for row in star}
    for row in star:
        named[row["lineage"]] &= row["works"]
    return {
        "zs": len(named),
        "words_per_unit": WORDS_PER_UNIT,
        "d": _mean(on["D"], "rewrite"),
        "dprime": _mean(on["D'"], "rewrite"),
        **{key: _mean(on["D'"], key) for key in ("donors", "permuted", "regression", "true")},
        "works": sum(named.values()) / len(named),
        "main_word": {"d": _mean(on["D"], "main_word"), "dprime": _mean(on["D'"], "main_word")},
        "people": {"d": _mean(on["D"], "people"), "dprime": _mean(on["D'"], "people")},
        "answers": answers,
        "rows": rows,
    }


def _rows_of_network(
    lineage: Lineage, name: str, weights: Weights, crowd: Crowd, sizes: RewriteSizes, seed: int
) -> list[dict[str, Any]]:
    """Return a row for D and one for D′."""
    shifted, data = lineage.shifted_set, join_rendered_set_with_truth(lineage.data)
    plain = annotated_and_measured(lineage, weights)
    z = grade_words(plain)
    by_people = _by_people(z, shifted.inputs, crowd, sizes, seed) if name == NETWORKS[0] else {}
    # The regression from words to classes learns from all of D.
    whole = _with_columns(data, None, seed)
    z, plain = (one.with_(data=whole) for one in (z, plain))
    rows: list[dict[str, Any]] = []
    sets: tuple[tuple[Population, InputsWithTruth], ...] = (("D", data), ("D'", shifted))
    for population, truth in sets:
        inputs = _with_columns(truth, sizes.pictures, seed)
        found = rewrite(z, inputs, permutations=sizes.permutations, seed=seed)
        main = rewrite(plain, inputs, permutations=0, seed=seed)
        people = by_people.get(population)
        table = found.frame
        ways: dict[str, float] = dict(zip(table["way"], table["agreement"], strict=True))
        rows.append(
            {
                "lineage": lineage.name,
                "network": name,
                "population": population,
                "rewrite": found.agreement.estimate,
                "interval": [found.agreement.low, found.agreement.high],
                "true": ways[TRUE],
                "permuted": ways[PERMUTED],
                "donors": ways[DONORS],
                "regression": ways.get(REGRESSION),
                "works": found.works,
                "accuracy": None if found.accuracy is None else found.accuracy.estimate,
                "main_word": main.agreement.estimate,
                "people": None if people is None else people.agreement.estimate,
                "people_interval": None if people is None else asdict(people.agreement),
                "units": len(found.units),
                "words": len(found.words),
                "n": found.agreement.n,
            }
        )
    return rows


def _by_people(
    z: AnnotatedModel, shifted: InputSet, crowd: Crowd, sizes: RewriteSizes, seed: int
) -> dict[Population, FaceValueRewrite]:
    """Return the rewrite of pictures whose words people tell."""
    planned = plan_agreement_questions(z, shifted=shifted, pictures=sizes.told_by_people, seed=seed)
    told = crowd([question for one in planned for question in one.questions])
    made = agreements(z, planned, told, permutations=0, seed=seed)
    return {found.population: found for found in made}


def _with_columns(whole: InputsWithTruth, most: int | None, seed: int) -> InputSet:
    """Return some pictures with the renderer's columns; all of them by default."""
    truth = whole.truth
    rows = np.sort(np.random.default_rng([seed, 53]).permutation(len(whole))[:most])
    return InputSet(
        whole.inputs.images[rows],
        labels=truth.labels[rows],
        classes=truth.classes,
        concepts=np.asarray(truth.concepts[rows], np.float32),
        concept_names=truth.concept_names,
    )


def _mean(rows: Sequence[dict[str, Any]], key: str) -> float | None:
    """Return the mean of a figure over rows that have it; ``None`` where none has."""
    values = [row[key] for row in rows if row[key] is not None and np.isfinite(row[key])]
    return float(np.mean(values)) if values else None
