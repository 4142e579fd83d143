"""Whether words that were written for other weights still hold.

Weights changed since the words were written (their weights hash says so), so what was seen then
is tested again on what was measured now. Words on units and groups: *supported* when every named
concept passes its match; *flagged* when the rival leads (as in ``mislabelled-unit``), or when the
best named concept's score is below the bar. Words on edges: as in ``mislabelled-edge``.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, findings_from_claims
from circuitz.plausibility.rules.edge_words import (
    edge_annotations,
    edge_claim,
    written_for_other_weights,
)
from circuitz.plausibility.words.word_scores import both_scores_reach_bar
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.stats.clustered import p_value_mean_below_bound, power
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "stale-annotation"
VERSION = 1
NAN = float("nan")


def find_stale_annotation(case: Case) -> list[Finding]:
    """Judge again all words that were written for other weights."""
    words = [
        word
        for word in case.word_verdicts
        if written_for_other_weights(case, word.parsed.annotation)
    ]
    edges = [
        annotation
        for annotation in edge_annotations(case)
        if written_for_other_weights(case, annotation)
    ]
    claims = [_stale_words_claim(case, word) for word in words]
    claims += [edge_claim(case, annotation, len(edges)) for annotation in edges]
    return findings_from_claims(case, KIND, VERSION, claims)


def _stale_words_claim(case: Case, word: WordVerdict) -> Claim:
    settings, unit = case.settings, word.parsed.target
    p_flag, p_support, strength = NAN, NAN, 0.0
    estimate, ci = NAN, (NAN, NAN)
    if word.own and not word.confounded:
        best = word.own[0]
        below = float(p_value_mean_below_bound(best.mean, settings.match_bar))
        # Seen as something else, or as nothing: one or the other, so twice the smaller.
        p_flag = min(1.0, 2 * min(word.p_flag, below))
        p_support = max(s.p if both_scores_reach_bar(s, settings) else 1.0 for s in word.own)
        estimate, ci = best.nauprc, (best.low, best.high)
        # By symmetry: finding a unit that matches nothing below the bar.
        strength = float(power(best.mean, 2 * settings.match_bar, settings.match_bar, settings.q))
    return Claim(
        target="",
        subject=unit,
        units=word.parsed.units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=estimate,
        ci=ci,
        delta=settings.match_bar,
        power=strength,
        write_sentence=lambda verdict: _retest_sentence(word, verdict),
        decide=f"Look at {unit} again and say what it sees now, or that the words still hold.",
        remedies=(
            Remedy(
                "annotate",
                f"Say again that {unit} is ‘{word.parsed.text}’",
                {
                    "unit": unit,
                    "text": word.parsed.text,
                    "concepts": list(word.parsed.annotation.concepts),
                },
            ),
            Remedy("retract", f"Take the words on {unit} back", {"unit": unit}),
        ),
    )


def _retest_sentence(word: WordVerdict, verdict: Verdict) -> str:
    said = f"‘{word.parsed.text}’ was written on {word.parsed.target} before its weights changed"
    if not word.own:
        return f"{said}, and cannot be tested again: {word.reason or 'it names no concept'}."
    now = ", ".join(f"‘{score.concept}’ {prose.format_match_score(score)}" for score in word.own)
    if verdict == "supported":
        return f"{said}; tested again, it still holds ({now})."
    if verdict == "flagged":
        other = (
            f"; it now matches ‘{word.rival.concept}’ {prose.format_match_score(word.rival)}"
            if (word.rival is not None and word.verdict == "flagged")
            else ""
        )
        return f"{said}; tested again, it no longer holds ({now}{other})."
    return f"{said}; tested again, it is not settled whether it holds ({now})."
