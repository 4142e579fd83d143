"""One verdict from the lexicon's own entries and from WordNet: who is asked first, who wins."""

from __future__ import annotations

from dataclasses import replace

from circuitz.lexicon.concept import Concept, Support
from circuitz.lexicon.judge import LIKELY, WordNetJudgement
from circuitz.lexicon.word_forms import phrase_key

#: A part that is known outright to belong to the class counts against what a word mostly means.
_SURE = 0.85
#: The same against an entry that says whose part it is: nothing but WordNet's plain word.
_PLAIN = 0.9
#: An entry that says no more than that it may be; sorts of things that never go together.
_MAYBE, _NEVER = 0.6, 0.12
_INSIDE = ("part", "attribute")


def support_from_wordnet(judgement: WordNetJudgement, subject: str) -> Support:
    """Turn a judgement on words that no entry has into a verdict."""
    verdict = judgement.verdict
    thing = f"a ‘{subject}’" if subject else "anything"
    closing = {
        "opposes": f"That is no part of {thing}.",
        "neutral": f"It may or may not belong to {thing}.",
        "supports": "" if judgement.outright else f"Such things may be part of {thing}.",
        "unknown": "Add it to a lexicon file, or override it.",
    }[verdict]
    chain = (*judgement.chain, closing) if closing else judgement.chain
    return Support(verdict, chain, judgement.score)


def weigh_entry_against_wordnet(
    entry: Support,
    concept: Concept,
    judgement: WordNetJudgement,
    subject: str,
    *,
    subject_known: bool,
    loose: bool,
) -> Support:
    """Weigh the verdict of an entry of the shipped lexicon against WordNet's.

    Parameters
    ----------
    entry
        What the lexicon's own entries say.
    concept
        The entry.
    judgement
        What WordNet and the table of parts say.
    subject
        The class.
    subject_known
        There is a class, and WordNet knows what thing it is.
    loose
        Only the last words of what was asked for name the entry.

    Notes
    -----
    An entry speaks of the word at large (a collar is an artefact), WordNet of this class (a collar
    is part of a shirt). So WordNet wins where it says so outright; elsewhere the entry stands, and
    the score is moved a little.
    """
    if entry.verdict == "opposes":
        # What is put together (*curled tail*, *forest floor*) means what the entry says.
        own = concept.part_of if concept.kind == "part" else not concept.is_a
        plain = bool(own) or (len(phrase_key(concept.name)) == 1 and concept.kind not in _INSIDE)
        bar = _PLAIN if concept.part_of else _SURE
        if loose and subject_known and judgement.score >= LIKELY:
            return support_from_wordnet(judgement, subject)
        if judgement.outright and judgement.score >= bar and subject_known and plain:
            said = f"Elsewhere ‘{concept.name}’ is {_PHRASE[concept.kind]} ({concept.source})."
            return Support("supports", (*judgement.chain, said), judgement.score)
        return replace(entry, score=min(entry.score + 0.25 * judgement.score, 0.3))
    if entry.verdict == "neutral":
        if judgement.outright and judgement.score >= _SURE and subject_known:
            return replace(entry, chain=(*entry.chain, *judgement.chain), score=judgement.score)
        return entry
    if entry.score <= _MAYBE and judgement.verdict != "unknown" and subject_known:
        if judgement.score <= _NEVER:
            return support_from_wordnet(judgement, subject)
        return replace(entry, score=0.1 + 0.8 * judgement.score)
    return replace(entry, score=0.9 + 0.08 * judgement.score)


_PHRASE = {
    "part": "part of other things",
    "attribute": "an attribute of other things",
    "surroundings": "surroundings",
    "artefact": "an artefact",
    "low-level": "low-level",
}
