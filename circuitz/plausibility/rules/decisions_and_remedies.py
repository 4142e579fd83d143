"""What several rules say: what would decide a claim, and what a unit matches best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.check_settings import MATCH_BAR, SCALE_FLOOR
from circuitz.plausibility.claim import MEASURE_AGAIN
from circuitz.plausibility.effects.joint_effect_bounds import JointEffect
from circuitz.z.finding import Remedy
from circuitz.z.layer import SILENCEABLE
from circuitz.z.unit import Unit

#: Times as many images as there are that nobody would gather.
IMPRACTICAL = 20


def describe_images_needed(case: Case, joint: JointEffect, bound: float, family: int) -> str:
    """How many more source images would tell an effect from a bound.

    Sized for the strictest correction among ``family`` claims, so that it errs to more.
    """
    split = case.settings.split
    effect = joint.effect
    if effect.gap >= bound:
        return (
            f"{MEASURE_AGAIN}: the joint effect of exactly these units was not run, and "
            "summing single units is too coarse here."
        )
    needed = joint.scenes_needed(bound, case.settings.q / max(family, 1))
    if needed is None:
        return f"The estimate sits on the bound: no number of images on {split} is sure to decide."
    more = max(needed - effect.clusters, 1)
    if needed > IMPRACTICAL * max(effect.clusters, 1):
        return f"The estimate lies on the bound: no practical number of images on {split} decides."
    return (
        f"About {prose.format_count_with_noun(more, 'more source image')} on {split}, of as many scenes, if the "
        f"estimate stays where it is."
    )


def describe_labels_needed(case: Case) -> str:
    """Say what would settle words that have neither passed their match nor failed it."""
    names = sorted(case.units_by_undecided_concept)
    shown = (
        prose.list_quoted_names(names[:4])
        if len(names) <= 4
        else prose.list_in_prose([*names[:4], "more"])
    )
    return (
        f"More images of the concept set labelled with {shown}: too few to tell whether the words "
        f"that name them hold on {case.settings.split}."
    )


def explain_untestable_class(case: Case, k: int) -> str:
    """Why nothing is said about a class the cut hardly touches."""
    target, logits = case.effects.targets[k], float(case.effects.scale[k])
    if logits >= SCALE_FLOOR:
        return (
            f"On images of {case.settings.split} the network's margin for {target} is hardly higher "
            f"on inputs of {target} than on others: what it learned of it does not hold there, so "
            "there is nothing to share out."
        )
    return (
        f"Resampling the whole cut changes {target} by {logits:.2f} logits, less than "
        f"{SCALE_FLOOR}: the network does not tell {target} apart there, so there is nothing to "
        "share out. Train the network first, or choose another cut."
    ).replace("-", "−")


def cut_or_train_remedies(
    case: Case, units: Sequence[str], target: str, without: str, concept: str = ""
) -> tuple[Remedy, ...]:
    """Offer what changes the network: take the units out where that can be done, or train without.

    Parameters
    ----------
    case
        Knows of which layers units can be taken out; of those it says nothing of, it is offered.
    units, target
        What drives which class.
    without
        What training is to do without, in words.
    concept
        The concept the units stand for, if they do.
    """
    about: dict[str, object] = {"units": list(units), "target": target}
    if concept:
        about = {"concept": concept, **about}
    cut = Remedy(
        "silence", f"Cut the path: silence {prose.abbreviate_units(units, 2)}", dict(about)
    )
    train = Remedy("search", f"Train without {without}", about)
    layers = {Unit.parse(unit).layer for unit in units}
    tried: dict[str, bool] = case.z.notes.get(SILENCEABLE, {})
    return (cut, train) if all(tried.get(layer, True) for layer in layers) else (train,)


def best_matching_concept(case: Case, unit: str) -> str:
    """Concept a unit of a measured layer matches best on *select*; empty below the bar."""
    layer, _, index = unit.rpartition(":")
    found = case.measured.layers.get(layer)
    if found is None or int(index) >= found.responses.shape[1]:
        return ""
    scores = case.select_match_table(layer).unit_scores(int(index)).nauprc
    if not np.isfinite(scores).any() or np.nanmax(scores) < MATCH_BAR:
        return ""
    return case.concept_columns.names[int(np.nanargmax(scores))]
