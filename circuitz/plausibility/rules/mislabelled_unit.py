"""Whether the words on a unit fit what it responds to; ``plausibility.words`` has the tests."""

from __future__ import annotations

import math

from circuitz.plausibility import prose
from circuitz.plausibility.case import Case
from circuitz.plausibility.claim import Claim, finding_from_claim
from circuitz.plausibility.rules.decisions_and_remedies import IMPRACTICAL
from circuitz.plausibility.words.word_scores import MatchScore
from circuitz.plausibility.words.word_verdict import WordVerdict
from circuitz.stats.clustered import clusters_needed_to_decide
from circuitz.z.finding import Finding, Remedy

KIND = "mislabelled-unit"
VERSION = 1
_LONGEST = 60
NAN = float("nan")


def find_mislabelled_unit(case: Case) -> list[Finding]:
    """Judge every annotated unit and group; their q-values were adjusted over all of them."""
    family = sum(not math.isnan(word.p_flag) for word in case.word_verdicts)
    made: list[Finding] = []
    for word in case.word_verdicts:
        supported = word.verdict == "supported"
        p = word.p_support if supported else word.p_flag
        q = word.q_support if supported else word.q_flag
        claim = _unit_words_claim(case, word, family)
        made.append(
            finding_from_claim(
                case, KIND, VERSION, claim, verdict=(word.verdict, p, q), size=family
            )
        )
    return made


def _unit_words_claim(case: Case, word: WordVerdict, family: int) -> Claim:
    lead = word.rival_margin
    chain: tuple[str, ...] = ()
    if word.basis == "class" and word.verdict == "flagged" and word.rival is not None:
        chain = case.support_for_class(word.rival.concept, word.parsed.classes[0]).chain
    told = (KIND, word.basis, word.verdict, word.passed, word.reason, case.z.subject)
    if told not in word.cache:
        word.cache[told] = _unit_verdict_sentence(case, word)
    sentence: str = word.cache[told]
    return Claim(
        target="",
        subject=word.parsed.target,
        units=word.parsed.units,
        p_flag=word.p_flag,
        p_support=word.p_support,
        estimate=lead.mean.mean if lead else NAN,
        ci=(lead.low, lead.high) if lead else (NAN, NAN),
        delta=lead.bound if lead else case.settings.delta,
        power=lead.power if lead else 0.0,
        write_sentence=lambda _: sentence,
        decide=_say_what_would_decide(case, word, family) if word.verdict == "inconclusive" else "",
        chain=chain,
        remedies=_remedies_for_word(word),
    )


def _shortened_text(word: WordVerdict) -> str:
    text = word.parsed.text
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _describe_score_basis(case: Case, score: MatchScore) -> str:
    kind = "images" if case.concept_set.focus is None else "pairs of positions"
    return f"normalised average precision on {score.mean.n} {kind} of {case.settings.split}"


def _unit_verdict_sentence(case: Case, word: WordVerdict) -> str:
    unit, rival = word.parsed.target, word.rival
    called = f"{unit} is called ‘{_shortened_text(word)}’"
    if word.basis == "blind":
        return f"{called}, asked blind: {word.reason}."
    if word.verdict == "flagged" and word.absent is not None:
        own, absent = word.own[0], word.absent
        return (
            f"{called}, but sees the absence of ‘{absent.concept}’: its response falls with it "
            f"(correlation −{abs(absent.pearson):.2f}), and hardly rises with ‘{own.concept}’ where there is "
            f"none ({prose.format_match_score(own)} over all; {_describe_score_basis(case, own)})."
        )
    if word.verdict == "flagged" and rival is not None:
        if word.basis == "class":
            name = word.parsed.classes[0]
            thing = f"the {case.z.subject}" if case.z.subject else "the thing itself"
            return (
                f"{called}, but sees ‘{rival.concept}’: it matches it {prose.format_match_score(rival)} "
                f"({_describe_score_basis(case, rival)}), and {name} is a matter of {thing}."
            )
        own = word.own[0]
        return (
            f"{called}, but sees ‘{rival.concept}’: it matches ‘{rival.concept}’ "
            f"{prose.format_match_score(rival)} and ‘{own.concept}’ {prose.format_match_score(own)} ({_describe_score_basis(case, rival)})."
        )
    scores = [f"‘{score.concept}’ {prose.format_match_score(score)}" for score in word.own]
    other = (
        f"the strongest other concept, ‘{rival.concept}’, {prose.format_match_score(rival)}"
        if rival
        else ""
    )
    if word.verdict == "supported":
        against = f"; {other}" if other else ""
        return f"{called} and matches {prose.list_in_prose(scores)}{against} ({_describe_score_basis(case, word.own[0])})."
    figures = "; ".join(filter(None, [prose.list_in_prose(scores), other]))
    return f"{called}: {word.reason}" + (f" ({figures})." if figures else ".")


def _say_what_would_decide(case: Case, word: WordVerdict, family: int) -> str:
    split = case.settings.split
    if word.uncounted:
        return _say_what_would_decide_elsewhere(word)
    if word.confounded:
        concept, classes = word.confounded
        return f"A concept set: images of other things than the classes, with and without ‘{concept}’ (here it goes with {classes})."
    if word.basis == "class":
        return "Say what the unit sees (ears, coat, ground): that can be checked, a class cannot."
    if word.basis == "unknown":
        return "Name what the unit responds to, or add the word to the lexicon."
    if word.basis == "ambiguous":
        either = [name for some in word.parsed.ambiguous for name in some.columns]
        return f"Write which of {prose.list_quoted_names(either)} it is."
    if word.basis == "blind":
        return "More pictures: circuitz concepts blind Z, with more --pairs and another --seed."
    if word.basis == "unlabelled":
        return (
            f"Label {prose.list_quoted_names(word.parsed.missing)} in the concept set (circuitz concepts ask), or "
            "test it blind (circuitz concepts blind)."
        )
    if word.basis == "unusable":
        return "Add images to the concept set that show it, and images that do not."
    if word.basis == "unmeasured":
        return "Measure its layer: z = cz.measure(z, concept_set, data)."
    if word.coincides:
        own = word.own[0].concept
        return f"Images on {split} that show ‘{own}’ without ‘{word.coincides}’, and the reverse."
    if word.insertion_failures:
        one = word.insertion_failures[0].column_concept
        return (
            f"Look at the pairs with and without ‘{one}’: what else goes along with it in the other "
            "images? Say that, once it is labelled. Until then it counts as not annotated."
        )
    if len(word.passed) < len(word.own):
        failing = [score.concept for score in word.own if score.column_concept not in word.passed]
        return (
            f"Look at its exemplars; take {prose.list_quoted_names(failing)} back if they show something else. "
            "Until then it counts as not annotated with it."
        )
    if word.rival_margin is None:
        return f"More labelled images on {split}."
    lead = word.rival_margin
    needed = float(clusters_needed_to_decide(lead.mean, lead.bound, alpha=case.settings.q / family))
    if not needed <= IMPRACTICAL * lead.mean.clusters:
        rival = word.rival.concept if word.rival is not None else "its rival"
        return (
            f"The two match about equally well, and no practical number of images on {split} "
            f"decides; say both, or ‘{rival}’, if its exemplars show that."
        )
    more = max(int(needed) - int(lead.mean.clusters), 1)
    return f"About {prose.format_count_with_noun(more, 'more labelled image')} on {split}, of as many scenes."


def _say_what_would_decide_elsewhere(word: WordVerdict) -> str:
    fails = [one.concept for one in word.uncounted if one.verdict == "fails"]
    if fails:
        names = prose.list_quoted_names(list(dict.fromkeys(fails)))
        return (
            f"Look at the pictures on which people disagree with the units, and say instead of {names} "
            "what is there. Until then it counts as not annotated with it."
        )
    return "Ask people about the pictures: circuitz words Z --store answers.sqlite --shifted DIR."


def _remedies_for_word(word: WordVerdict) -> tuple[Remedy, ...]:
    unit = word.parsed.target
    take_back = Remedy("retract", f"Take the words on {unit} back", {"unit": unit})
    if word.verdict != "flagged" or word.rival is None or word.absent is not None:
        return () if word.verdict == "supported" else (take_back,)
    name = word.rival.concept
    return (
        Remedy(
            "annotate", f"Call {unit} ‘{name}’", {"unit": unit, "text": name, "concepts": [name]}
        ),
        take_back,
    )
