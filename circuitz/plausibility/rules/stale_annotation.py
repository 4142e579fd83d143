"""Whether words that were written for other weights still hold.

Weights changed since the words were written (their weights hash says so), so what was seen then
is tested again on what was measured now. Words on units and groups: *supported* when every named
concept passes its match; *flagged* when the rival leads (as in ``mislabelled-unit``), or when the
best named concept's score is below the bar. Words on edges: as in ``mislabelled-edge``.
"""

from __future__ import annotations

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, to_findings
from circuitz.plausibility.rules.edge_words import edge_claim, edge_words, is_stale
from circuitz.plausibility.words.match_scores import reaches
from circuitz.plausibility.words.word_fit import Word
from circuitz.stats.clustered import p_less, power
from circuitz.z.finding import Finding, Remedy, Verdict

KIND = "stale-annotation"
VERSION = 1
NAN = float("nan")


def findings(case: Case) -> list[Finding]:
    """Judge again all words that were written for other weights."""
    words = [word for word in case.words if is_stale(case, word.said.annotation)]
    edges = [annotation for annotation in edge_words(case) if is_stale(case, annotation)]
    claims = [_claim(case, word) for word in words]
    claims += [edge_claim(case, annotation, len(edges)) for annotation in edges]
    return to_findings(case, KIND, VERSION, claims)


def _claim(case: Case, word: Word) -> Claim:
    settings, unit = case.settings, word.said.target
    p_flag, p_support, strength = NAN, NAN, 0.0
    estimate, ci = NAN, (NAN, NAN)
    if word.own and not word.tied:
        best = word.own[0]
        below = float(p_less(best.mean, settings.match_bar))
        # Seen as something else, or as nothing: one or the other, so twice the smaller.
        p_flag = min(1.0, 2 * min(word.p_flag, below))
        p_support = max(s.p if reaches(s, settings) else 1.0 for s in word.own)
        estimate, ci = best.nauprc, (best.low, best.high)
        # By symmetry: finding a unit that matches nothing below the bar.
        strength = float(power(best.mean, 2 * settings.match_bar, settings.match_bar, settings.q))
    return Claim(
        target="",
        subject=unit,
        units=word.said.units,
        p_flag=p_flag,
        p_support=p_support,
        estimate=estimate,
        ci=ci,
        delta=settings.match_bar,
        power=strength,
        words=lambda verdict: _sentence(word, verdict),
        decide=f"Look at {unit} again and say what it sees now, or that the words still hold.",
        remedies=(
            Remedy(
                "annotate",
                f"Say again that {unit} is ‘{word.said.text}’",
                {
                    "unit": unit,
                    "text": word.said.text,
                    "concepts": list(word.said.annotation.concepts),
                },
            ),
            Remedy("retract", f"Take the words on {unit} back", {"unit": unit}),
        ),
    )


def _sentence(word: Word, verdict: Verdict) -> str:
    said = f"‘{word.said.text}’ was written on {word.said.target} before its weights changed"
    if not word.own:
        return f"{said}, and cannot be tested again: {word.reason or 'it names no concept'}."
    now = ", ".join(f"‘{score.concept}’ {prose.score(score)}" for score in word.own)
    if verdict == "supported":
        return f"{said}; tested again, it still holds ({now})."
    if verdict == "flagged":
        other = (
            f"; it now matches ‘{word.rival.concept}’ {prose.score(word.rival)}"
            if (word.rival is not None and word.verdict == "flagged")
            else ""
        )
        return f"{said}; tested again, it no longer holds ({now}{other})."
    return f"{said}; tested again, it is not settled whether it holds ({now})."
