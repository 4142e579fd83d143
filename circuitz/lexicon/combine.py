"""One verdict from the lexicon's own entries and from WordNet: who is asked first, who wins.

What somebody wrote down stands. What is shipped stands where its words can hardly mean anything else
(:mod:`circuitz.lexicon.exclusion`). WordNet alone opposes only where all plausible senses of both
words rule out that they go together. All else is *unknown*: a person says what it is.
"""

from __future__ import annotations

from dataclasses import replace

from circuitz.lexicon import exclusion
from circuitz.lexicon.concept import Concept, Support
from circuitz.lexicon.concept_and_class import ConceptAndClass
from circuitz.lexicon.judge import LIKELY, WordNetJudgement
from circuitz.lexicon.word_forms import phrase_key
from circuitz.lexicon.wordnet import WordNet

#: A part that is known outright to belong to the class counts against what a word mostly means.
_SURE = 0.85
#: The same against an entry that says whose part it is: nothing but WordNet's plain word.
_PLAIN = 0.9
#: Likelihood by sorts alone at which a part, as an entry calls it, is guessed to be one here too.
_MAYBE = 0.5
#: Score of a part that things of another order have.
_NO_SUCH_PART = 0.1
_INSIDE = ("part", "attribute")
#: Scores of what is not known lie between those of parts and those of surroundings.
_LOWEST_UNKNOWN, _UNKNOWN_RANGE = 0.35, 0.25
SAY = "Say what it is: circuitz concepts kind."


def support_from_wordnet(judged: WordNetJudgement, pair: ConceptAndClass) -> Support:
    """Turn a judgement on words that no entry has into a verdict."""
    if judged.kind == "unknown":
        return Support("unknown", (*judged.chain, SAY), judged.score)
    if judged.outright and judged.score >= LIKELY:
        return Support("supports", judged.chain, judged.score)
    if judged.describes:
        return Support(
            "neutral",
            (*judged.chain, f"It may or may not belong to {pair.thing}."),
            judged.score,
        )
    if judged.score < LIKELY and pair.is_ruled_out(judged.owner):
        closing = f"In no plausible sense is that part of {pair.thing}."
        return Support("opposes", (*judged.chain, closing), min(judged.score, 0.3))
    if _is_likely_part(judged, pair):
        return guessed_support(judged.chain, pair, judged.score)
    return unknown_support(judged.chain, pair, judged.score)


def _is_likely_part(judged: WordNetJudgement, pair: ConceptAndClass, bar: float = LIKELY) -> bool:
    return judged.score >= bar and judged.kind == "part" and bool(pair.wholes)


def guessed_support(chain: tuple[str, ...], pair: ConceptAndClass, score: float) -> Support:
    """Say that the class may well have it, and that this is a guess."""
    guess = f"Such things may be part of {pair.thing}; that is a guess from the sort of thing."
    return Support("supports", (*chain, guess), score)


def unknown_support(chain: tuple[str, ...], pair: ConceptAndClass, score: float) -> Support:
    """Say that nothing is known for sure; the score keeps what was guessed, for the order."""
    doubt = f"That is a guess, and nothing is held against {pair.thing} on a guess."
    kept = _LOWEST_UNKNOWN + _UNKNOWN_RANGE * score
    return Support("unknown", (*chain, doubt, SAY), kept)


def weigh_entry_against_wordnet(
    by_entries: Support, concept: Concept, judged: WordNetJudgement, pair: ConceptAndClass
) -> Support:
    """Weigh the verdict of an entry of the shipped lexicon against WordNet's.

    Parameters
    ----------
    by_entries
        What the lexicon's own entries say.
    concept
        The entry.
    judged
        What WordNet and the table of parts say.
    pair
        The concept and the class.

    Notes
    -----
    An entry speaks of the word at large (a collar is an artefact), WordNet of this class (a collar
    is part of a shirt). So WordNet wins where it says so outright; elsewhere the entry stands if its
    word can mean nothing else here.
    """
    if by_entries.verdict == "neutral":
        if judged.outright and judged.score >= _SURE and pair.wholes:
            return replace(by_entries, chain=(*by_entries.chain, *judged.chain), score=judged.score)
        return by_entries
    if by_entries.verdict == "supports":
        return replace(by_entries, score=0.9 + 0.08 * judged.score)
    own = concept.part_of if concept.kind == "part" else not concept.is_a
    # What is put together (*curled tail*, *forest floor*) means what the entry says.
    plain = bool(own) or (len(phrase_key(concept.name)) == 1 and concept.kind not in _INSIDE)
    bar = _PLAIN if concept.part_of else _SURE
    if (
        judged.outright
        and judged.score >= (LIKELY if pair.loose else bar)
        and (plain or pair.loose)
    ):
        elsewhere = f"Elsewhere ‘{concept.name}’ is {_PHRASE[concept.kind]} ({concept.source})."
        return Support("supports", (*judged.chain, elsewhere), judged.score)
    opposes = by_entries.verdict == "opposes" or (
        concept.kind in _INSIDE and pair.is_of_other_order
    )
    if opposes and _stands(concept, judged, pair):
        score = min(by_entries.score, _NO_SUCH_PART) + 0.25 * judged.score
        return Support("opposes", by_entries.chain, min(score, 0.3))
    if judged.outright and judged.score >= _SURE and not concept.is_a:
        return support_from_wordnet(judged, pair)
    inside = concept.kind in _INSIDE and not _is_part_elsewhere(pair)
    if not judged.outright and inside and pair.is_ruled_out(judged.owner):
        closing = f"In no plausible sense is that part of {pair.thing}."
        return Support(
            "opposes", (*by_entries.chain, *judged.chain, closing), min(judged.score, 0.3)
        )
    if by_entries.verdict == "unknown" and _is_likely_part(judged, pair, _MAYBE):
        return guessed_support((*by_entries.chain, *judged.chain), pair, judged.score)
    return unknown_support(by_entries.chain, pair, judged.score)


def confirm_said(by_entries: Support, concept: Concept, pair: ConceptAndClass) -> Support:
    """Return what people and their files say, less what would rest on a guess at the class.

    That a galaxy is a herb, and so has no arms, nobody said.
    """
    guessed = not pair.categories and not pair.wholes and bool(pair.subject)
    if by_entries.verdict == "opposes" and concept.kind in _INSIDE and guessed:
        return unknown_support(by_entries.chain, pair, 0.4)
    return by_entries


def _is_part_elsewhere(pair: ConceptAndClass) -> bool:
    """Whether an entry is of other things, and the word a part of these too: a fowl's *saddle*."""
    return pair.is_of_other_order and exclusion.is_known_as_part(
        pair.entry_phrase, pair.wholes, WordNet.load()
    )


def _stands(concept: Concept, judged: WordNetJudgement, pair: ConceptAndClass) -> bool:
    """Whether the word of an entry that opposes can hardly mean anything else for the class."""
    wordnet, word = WordNet.load(), pair.entry_phrase
    if concept.kind in _INSIDE:
        return not (
            judged.outright or _is_part_elsewhere(pair)
        ) and exclusion.is_ruled_out_beside_entry(word, pair.wholes, wordnet)
    if concept.kind == "surroundings" and pair.may_be_place:
        return False
    if pair.is_ruled_out(judged.owner):
        return True
    clear = exclusion.has_no_other_sense(word.text, concept.kind, wordnet)
    if pair.subject and not pair.may_be_thing and concept.kind == "surroundings":
        return False  # a lesion or a review stands in no scene: its clouds are none
    if not pair.wholes or exclusion.is_known_as_part(word, pair.wholes, wordnet):
        return clear and not pair.loose
    return clear or not pair.loose or pair.only_described


_PHRASE = {
    "part": "part of other things",
    "attribute": "an attribute of other things",
    "surroundings": "surroundings",
    "artefact": "an artefact",
    "low-level": "low-level",
}
