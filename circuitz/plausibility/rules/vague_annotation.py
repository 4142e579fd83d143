"""Vague words on a unit that in truth sees surroundings, and drives a class.

*White texture* says little, and fits snow. Words that no label can judge (nobody labelled them, or
the lexicon does not know them) are looked behind: candidates are units of the cut with such words
that, on *select*, match something opposed to the subject and make more than the margin of a class.
*Flagged*: both hold on the split judged. Where nothing is found behind them, nothing is said: it
may lie behind a concept that the concept set does not label.
"""

from __future__ import annotations

from dataclasses import dataclass

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.effects.driving_effect import (
    DrivingEffect,
    classes_driven_by_presence,
    driving_effect,
)
from circuitz.plausibility.words.word_fit import best_matching_usable_column
from circuitz.plausibility.words.word_scores import (
    MatchScore,
    ScoringDraft,
    both_scores_reach_bar,
    score_own_rival_and_lead,
)
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.stats.clustered import confidence_interval
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "vague-annotation"
VERSION = 1
_UNJUDGED = ("unknown", "unlabelled", "ambiguous", "unusable")


@dataclass(frozen=True, eq=False)
class HiddenConcept:
    """What lies behind some words: a concept's score, and what the units do to a class."""

    word: WordVerdict
    score: MatchScore
    driving: DrivingEffect


def find_vague_annotation(case: Case) -> list[Finding]:
    """Judge words that no label can."""
    claims = [
        _hidden_concept_claim(case, behind) for behind in _find_concepts_behind_vague_words(case)
    ]
    return findings_from_claims(case, KIND, VERSION, claims)


def _find_concepts_behind_vague_words(case: Case) -> list[HiddenConcept]:
    drafts: list[tuple[WordVerdict, ScoringDraft]] = []
    for word in case.word_verdicts if case.concept_columns.names else ():
        place = case.unit_tables_by_target.get(word.parsed.target)
        if word.basis not in _UNJUDGED or place is None or not case.units_on_cut(word.parsed.units):
            continue
        # What the words name themselves is not behind them, nor what it answers to less.
        named = {i for _, columns in word.parsed.concepts for i in columns}
        either = {name for some in word.parsed.ambiguous for name in some.columns}
        named |= {i for i, name in enumerate(case.concept_set.concept_names) if name in either}
        named |= {j for i in named for j in case.concept_columns.kin[i]}
        best = best_matching_usable_column(place, range(len(case.concept_columns.names)))
        if best is None or best in named:
            continue
        scores = place.select.unit_scores(place.column)
        strong = min(scores.nauprc[best], scores.pearson[best]) >= case.settings.match_bar
        if (
            strong
            and best not in case.classes_by_confounded_column
            and case.opposes_subject(case.concept_columns.names[best])
        ):
            drafts.append((word, ScoringDraft(word.parsed, place, (), best)))
    scored = score_own_rival_and_lead(
        [draft for _, draft in drafts], case.concept_columns, case.settings
    )
    found: list[HiddenConcept] = []
    for (word, _), (_, score, _) in zip(drafts, scored, strict=True):
        units = case.units_on_cut(word.parsed.units)
        made = classes_driven_by_presence(case, units)
        for k in range(len(case.effects.targets)):
            chosen = case.joint_effects_on_select.joint_effect(
                units, k, excluded_classes=made - {k}
            ).effect
            did = driving_effect(case, units, k, made)
            drives = chosen.estimate > case.settings.delta < abs(did.activity)
            if (
                score is not None
                and drives
                and case.network_separates_class(k)
                and not did.has_no_source_inputs_left
            ):
                found.append(HiddenConcept(word, score, did))
    return found


def _hidden_concept_claim(case: Case, hidden: HiddenConcept) -> Claim:
    word, score, did = hidden.word, hidden.score, hidden.driving
    settings, joint, unit = case.settings, did.joint, word.parsed.target
    holds = score.p if both_scores_reach_bar(score, settings) else 1.0
    low, high = confidence_interval(joint.mean, settings.level)
    return Claim(
        target=joint.effect.target,
        subject=unit,
        units=word.parsed.units,
        p_flag=max(holds, did.p_beyond(settings.delta)),
        p_support=float("nan"),
        estimate=joint.effect.estimate,
        ci=(float(low), float(high)),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q),
        write_sentence=lambda verdict: _hidden_concept_sentence(case, hidden, verdict),
        decide=f"Say what {unit} sees in words that can be checked.",
        effects=(joint.effect,),
        chain=case.support_for_class(score.concept, case.effects.targets[did.k]).chain,
        pictures=case.intervention_picture_hashes(did.units, case.effects.targets[did.k]),
        remedies=(
            Remedy(
                "annotate",
                f"Call {unit} ‘{score.concept}’",
                {"unit": unit, "text": score.concept, "concepts": [score.concept]},
            ),
            Remedy("retract", f"Take the words on {unit} back", {"unit": unit}),
        ),
    )


def _hidden_concept_sentence(case: Case, hidden: HiddenConcept, verdict: Verdict) -> str:
    word, score, did = hidden.word, hidden.score, hidden.driving
    target = case.effects.targets[did.k]
    figures = (
        f"{word.parsed.target} is called ‘{word.parsed.text}’, which nothing here can judge; it behaves as "
        f"‘{score.concept}’ ({prose.format_match_score(score)}) and carries {prose.format_effect_with_interval(did.joint.effect)} of what "
        f"makes {target}"
    )
    return f"{figures}." if verdict == "flagged" else f"{figures}; that is not settled."
