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
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.effects.driving_effect import Work, made_by, work
from circuitz.plausibility.words.match_scores import Draft, Score, reaches, score_all
from circuitz.plausibility.words.word_fit import Word, best_column
from circuitz.stats.clustered import interval
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "vague-annotation"
VERSION = 1
_UNJUDGED = ("unknown", "unlabelled", "unusable")


@dataclass(frozen=True, eq=False)
class Behind:
    """What lies behind some words: a concept's score, and what the units do to a class."""

    word: Word
    score: Score
    did: Work


def findings(case: Case) -> list[Finding]:
    """Judge words that no label can."""
    claims = [_claim(case, behind) for behind in _candidates(case)]
    return to_findings(case, KIND, VERSION, claims)


def _candidates(case: Case) -> list[Behind]:
    drafts: list[tuple[Word, Draft]] = []
    for word in case.words if case.columns.names else ():
        place = case.places.get(word.said.target)
        if word.basis not in _UNJUDGED or place is None or not case.on_cut(word.said.units):
            continue
        # What the words name themselves is not behind them, nor what it answers to less.
        named = {i for _, columns in word.said.concepts for i in columns}
        named |= {j for i in named for j in case.columns.kin[i]}
        best = best_column(place, range(len(case.columns.names)))
        if best is None or best in named:
            continue
        scores = place.select.scores(place.column)
        strong = min(scores.nauprc[best], scores.pearson[best]) >= case.settings.match_bar
        if strong and best not in case.ties and case.opposes_subject(case.columns.names[best]):
            drafts.append((word, Draft(word.said, place, (), best)))
    scored = score_all([draft for _, draft in drafts], case.columns, case.settings)
    found: list[Behind] = []
    for (word, _), (_, score, _) in zip(drafts, scored, strict=True):
        units = case.on_cut(word.said.units)
        made = made_by(case, units)
        for k in range(len(case.effects.targets)):
            chosen = case.chosen_on.joint(units, k, without=made - {k}).effect
            did = work(case, units, k, made)
            drives = chosen.estimate > case.settings.delta < abs(did.activity)
            if score is not None and drives and case.tells_apart(k) and not did.untold:
                found.append(Behind(word, score, did))
    return found


def _claim(case: Case, behind: Behind) -> Claim:
    word, score, did = behind.word, behind.score, behind.did
    settings, joint, unit = case.settings, did.joint, word.said.target
    holds = score.p if reaches(score, settings) else 1.0
    low, high = interval(joint.mean, settings.level)
    return Claim(
        target=joint.effect.target,
        subject=unit,
        units=word.said.units,
        p_flag=max(holds, did.p_beyond(settings.delta)),
        p_support=float("nan"),
        estimate=joint.effect.estimate,
        ci=(float(low), float(high)),
        delta=settings.delta,
        power=joint.power(2 * settings.delta, settings.delta, settings.q),
        words=lambda verdict: _sentence(case, behind, verdict),
        decide=f"Say what {unit} sees in words that can be checked.",
        effects=(joint.effect,),
        chain=case.support(score.concept, case.effects.targets[did.k]).chain,
        pictures=case.pictures(did.units, case.effects.targets[did.k]),
        remedies=(
            Remedy(
                "annotate",
                f"Call {unit} ‘{score.concept}’",
                {"unit": unit, "text": score.concept, "concepts": [score.concept]},
            ),
            Remedy("retract", f"Take the words on {unit} back", {"unit": unit}),
        ),
    )


def _sentence(case: Case, behind: Behind, verdict: Verdict) -> str:
    word, score, did = behind.word, behind.score, behind.did
    target = case.effects.targets[did.k]
    figures = (
        f"{word.said.target} is called ‘{word.said.text}’, which nothing here can judge; it behaves as "
        f"‘{score.concept}’ ({prose.score(score)}) and carries {prose.share(did.joint.effect)} of what "
        f"makes {target}"
    )
    return f"{figures}." if verdict == "flagged" else f"{figures}; that is not settled."
