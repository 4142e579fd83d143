"""One verdict from the lexicon's own entries and from WordNet: who is asked first, who wins."""

from __future__ import annotations

from dataclasses import replace

from circuitz.lexicon.concept import Concept, Support
from circuitz.lexicon.judge import LIKELY, Judgement
from circuitz.lexicon.word_forms import key

#: A part that is known outright to belong to the class counts against what a word mostly means.
_SURE = 0.85
#: The same against an entry that says whose part it is: nothing but WordNet's plain word.
_PLAIN = 0.9
#: An entry that says no more than that it may be; sorts of things that never go together.
_MAYBE, _NEVER = 0.6, 0.12
_INSIDE = ("part", "attribute")


def from_wordnet(found: Judgement, subject: str) -> Support:
    """Turn a judgement on words that no entry has into a verdict."""
    verdict = found.verdict
    thing = f"a ‘{subject}’" if subject else "anything"
    closing = {
        "opposes": f"That is no part of {thing}.",
        "neutral": f"It may or may not belong to {thing}.",
        "supports": "" if found.outright else f"Such things may be part of {thing}.",
        "unknown": "Add it to a lexicon file, or override it.",
    }[verdict]
    chain = (*found.chain, closing) if closing else found.chain
    return Support(verdict, chain, found.score)


def with_wordnet(
    entry: Support, concept: Concept, found: Judgement, subject: str, *, given: bool, loose: bool
) -> Support:
    """Weigh the verdict of an entry of the shipped lexicon against WordNet's.

    Parameters
    ----------
    entry
        What the lexicon's own entries say.
    concept
        The entry.
    found
        What WordNet and the table of parts say.
    subject
        The class.
    given
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
        plain = bool(own) or (len(key(concept.name)) == 1 and concept.kind not in _INSIDE)
        bar = _PLAIN if concept.part_of else _SURE
        if loose and given and found.score >= LIKELY:
            return from_wordnet(found, subject)
        if found.outright and found.score >= bar and given and plain:
            said = f"Elsewhere ‘{concept.name}’ is {_PHRASE[concept.kind]} ({concept.source})."
            return Support("supports", (*found.chain, said), found.score)
        return replace(entry, score=min(entry.score + 0.25 * found.score, 0.3))
    if entry.verdict == "neutral":
        if found.outright and found.score >= _SURE and given:
            return replace(entry, chain=(*entry.chain, *found.chain), score=found.score)
        return entry
    if entry.score <= _MAYBE and found.verdict != "unknown" and given:
        if found.score <= _NEVER:
            return from_wordnet(found, subject)
        return replace(entry, score=0.1 + 0.8 * found.score)
    return replace(entry, score=0.9 + 0.08 * found.score)


_PHRASE = {
    "part": "part of other things",
    "attribute": "an attribute of other things",
    "surroundings": "surroundings",
    "artefact": "an artefact",
    "low-level": "low-level",
}
