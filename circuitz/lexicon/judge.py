"""Judge any concept for any class with WordNet and the table of parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from circuitz.lexicon import evidence, parts_table
from circuitz.lexicon.concept import Concept
from circuitz.lexicon.evidence import WordNetEvidence, prefix_a_or_an
from circuitz.lexicon.exclusion import share_of_places
from circuitz.lexicon.phrases import GENERIC, SHAPES, Phrase, class_noun, parse_phrase
from circuitz.lexicon.sorts import EATEN, IMPLAUSIBLE, KIND_OF, order_of_sense, sort_of_sense
from circuitz.lexicon.word_forms import phrase_key, tokens
from circuitz.lexicon.wordnet import Sense, WordNet

_SEARCHES = (
    evidence.find_as_class_or_its_hypernym,
    evidence.find_among_class_meronyms,
    evidence.find_in_parts_table,
    evidence.find_in_definitions,
    evidence.find_among_parts_of_similar_things,
)
_RARE = 0.05
#: Sorts of what may be a part, or an attribute, or neither.
_VAGUE = frozenset({"abstract", "attribute", "form", "sign", "group", "side"})
LIKELY = 0.6


@dataclass(frozen=True)
class WordNetJudgement:
    """What is known of a concept and a class without anybody's word for it.

    Parameters
    ----------
    score
        How likely the concept is a legitimate reason for the class, 0 to 1.
    kind
        Its kind, or ``unknown``.
    chain
        Sentences, each resting on the ones before it.
    outright
        It is said that the class has it, and not only likely from what sort of thing it is.
    describes
        It names no thing: *furry*, *round shape*.
    owner
        What it is said to belong to, where that is not the class: *tree* of *tree trunk*.
    """

    score: float
    kind: str
    chain: tuple[str, ...]
    outright: bool = False
    describes: bool = False
    owner: str = ""


@lru_cache(maxsize=8192)
def judge_concept_by_wordnet(
    concept: str, subject: str, orders: frozenset[str] = frozenset()
) -> WordNetJudgement:
    """Judge a concept for a class.

    Parameters
    ----------
    concept, subject
        As they are written.
    orders
        Orders of things the class is of, where somebody said so: a cat is then no vehicle.

    Senses are chosen together: the *trunk* of an elephant is not that of a car. What is said
    outright (parts, the table, definitions) counts as it stands; where nothing is, the sorts of
    all senses decide, each with its share.
    """
    wordnet = WordNet.load()
    phrase = parse_phrase(concept, wordnet)
    whole = parse_phrase(class_noun(subject), wordnet)
    if orders:
        told = tuple(s for s in whole.senses if order_of_sense(s, wordnet) in orders)
        whole = replace(whole, senses=told or whole.senses)
    if not phrase.senses:
        if phrase.adjective:
            said = f"‘{concept}’ describes; it names nothing beside the thing (WordNet)."
            return WordNetJudgement(0.68, "attribute", (said,), describes=True)
        listed = _best_outright_evidence(phrase, whole, wordnet)
        if listed is not None:
            return WordNetJudgement(listed.score, listed.kind, listed.chain, outright=True)
        wholes = parts_table.shipped_parts_table().get(
            (parts_table.singularise_phrase(phrase.head), "")
        )
        if wholes:
            of = ", ".join(sorted({word for word, _ in wholes})[:3])
            return WordNetJudgement(
                0.25, "part", (f"‘{phrase.head}’ is part of: {of} (table of parts).",)
            )
        return WordNetJudgement(0.4, "unknown", (f"WordNet does not know ‘{concept}’.",))
    inner = telling_words(phrase)
    if inner != concept:
        found = judge_concept_by_wordnet(inner, subject, orders)
        said = f"‘{concept}’ is judged by ‘{inner}’."
        return replace(found, chain=(said, *found.chain), outright=False)
    if phrase.head in SHAPES or (phrase.adjective and _is_mostly_adjective(phrase)):
        said = f"‘{concept}’ describes; it names nothing beside the thing (WordNet)."
        return WordNetJudgement(0.68, "attribute", (said,), describes=True)
    best = _best_outright_evidence(phrase, whole, wordnet)
    rough = _judge_by_sorts(phrase, whole, wordnet)
    found = best if best is not None and best.score >= rough.score else rough
    other = _owner_other_than_class(phrase, whole, wordnet)
    if other:
        said = f"It is that of {prefix_a_or_an(other)}, which is not {prefix_a_or_an(whole.head or subject)}."
        return WordNetJudgement(
            min(found.score, 0.15), "surroundings", (*found.chain, said), owner=other
        )
    if found.score < 0.7 and phrase.before:
        part = _explain_part_of_part(phrase, whole, wordnet)
        if part:
            return WordNetJudgement(0.7, "part", part)
    outright = found is best and not found.likened
    return WordNetJudgement(found.score, found.kind, found.chain, outright=outright)


@lru_cache(maxsize=8192)
def kind_of_all_senses(concept: str) -> str:
    """Return the kind a word is of in nearly all its senses; ``unknown`` where they differ."""
    wordnet = WordNet.load()
    phrase = parse_phrase(concept, wordnet)
    phrase = parse_phrase(telling_words(phrase), wordnet)
    if not phrase.senses or phrase.head in SHAPES:
        return judge_concept_by_wordnet(concept, "").kind
    if phrase.adjective:
        return "attribute" if _is_mostly_adjective(phrase) else "unknown"
    shares: dict[str, float] = {}
    for sense in phrase.senses:
        sort = sort_of_sense(sense.synset, sense.file, wordnet)
        kind = "unknown" if sort in _VAGUE else KIND_OF.get(sort, "surroundings")
        shares[kind] = shares.get(kind, 0.0) + sense.weight
    kind = max(shares, key=lambda k: shares[k])
    return kind if shares[kind] > 1 - IMPLAUSIBLE else "unknown"


def telling_words(phrase: Phrase) -> str:
    """Return the words of a phrase that tell what it is: *grass* of *grass texture*."""
    if phrase.head in GENERIC and (phrase.before or phrase.whose):
        return phrase.whose or " ".join(reversed(phrase.before))
    return phrase.text


def _explain_part_of_part(phrase: Phrase, whole: Phrase, wordnet: WordNet) -> tuple[str, ...]:
    """Say that the *wing* of *wing tip* is part of the class; nothing where it is not."""
    within = sum(
        s.weight for s in phrase.senses if sort_of_sense(s.synset, s.file, wordnet) in _WITHIN
    )
    inner = parse_phrase(phrase.before[0], wordnet)
    if not inner.senses or inner.adjective or within < 0.5:
        return ()
    found = _best_outright_evidence(inner, whole, wordnet)
    if found is None or found.score < 0.85:
        return ()
    return (*found.chain, f"‘{phrase.head}’ is said of ‘{inner.head}’.")


def _thing_senses(whole: Phrase, wordnet: WordNet) -> list[Sense]:
    """Senses of a class that are things, with their shares among these."""
    seen = [s for s in whole.senses if s.synset >= 0]
    things = [s for s in seen if sort_of_sense(s.synset, s.file, wordnet) not in _NO_CLASS] or seen
    if any(s.file == "N" for s in things):  # the lobster, and not what is served of it
        things = [s for s in things if s.file != "F"]
    total = sum(s.weight for s in things)
    return [Sense(s.synset, s.file, s.weight / total) for s in things]


_NO_CLASS = frozenset(
    {"abstract", "attribute", "colour", "sign", "group", "person", "light", "body part"}
)
_OWNERS = frozenset({"animal", "person", "plant", "vehicle", "building", "place"})
_WITHIN = frozenset(
    {"component", "structure", "body part", "plant part", "attribute", "colour", "place", "group"}
)


def _is_mostly_adjective(phrase: Phrase) -> bool:
    """Whether a word that is an adjective and a noun is hardly used as a noun of things."""
    things = sum(s.weight for s in phrase.senses if s.file in "NAbFPopgluy" and s.synset >= 0)
    return things < 0.5


def _best_outright_evidence(
    phrase: Phrase, whole: Phrase, wordnet: WordNet
) -> WordNetEvidence | None:
    best: WordNetEvidence | None = None
    rank = 0.0
    things = _thing_senses(whole, wordnet)
    most = max((of.weight for of in things), default=1.0)
    for sense in phrase.senses:
        for of in things:
            if sense.synset < 0 or of.weight < _RARE:
                continue
            for search in _SEARCHES:
                found = search(phrase, sense, whole.head, of, wordnet)
                # Of equal reasons the commoner sense gives its own.
                if found is None:
                    continue
                score = found.score - 0.1 * (1 - of.weight / most)
                if score + 0.01 * sense.weight > rank:
                    best, rank = replace(found, score=score), score + 0.01 * sense.weight
    for of in things:
        found = evidence.find_word_in_parts_table(phrase, whole.head, of, wordnet)
        if found and found.score - 0.1 * (1 - of.weight / most) > rank:
            best, rank = found, found.score
    return best


def _judge_by_sorts(phrase: Phrase, whole: Phrase, wordnet: WordNet) -> WordNetEvidence:
    things = _thing_senses(whole, wordnet) or [Sense(-1, "A", 1.0)]
    total, leading, chain, kind = 0.0, 0.0, (), "unknown"
    for sense in phrase.senses:
        for of in things:
            found = evidence.judge_by_sort(phrase, sense, of, wordnet)
            share = sense.weight * of.weight
            total += share * found.score
            share *= 1.0 if sense.synset >= 0 else 0.1  # what is seen gives the reason
            if share > leading:
                leading, chain, kind = share, found.chain, found.kind
    return WordNetEvidence(total, kind, chain)


def _owner_other_than_class(phrase: Phrase, whole: Phrase, wordnet: WordNet) -> str:
    """Return whose a part is said to be when that is a thing other than the class."""
    owner = phrase.whose or (phrase.before[0] if phrase.before else "")
    if not owner or wordnet.is_adjective(owner):
        return ""
    named = parse_phrase(owner, wordnet)
    lead = next((s for s in named.senses if s.synset >= 0), None)
    if lead is None or lead.weight < 0.3 or not whole.senses:
        return ""
    sort = sort_of_sense(lead.synset, lead.file, wordnet)
    if sort not in _OWNERS:
        return ""
    for of in _thing_senses(whole, wordnet):
        if sort_of_sense(of.synset, of.file, wordnet) in EATEN:
            return ""
        if lead.synset in wordnet.ancestors_with_steps(
            of.synset
        ) or of.synset in wordnet.ancestors_with_steps(lead.synset):
            return ""
        if sort_of_sense(of.synset, of.file, wordnet) == "place":
            return ""
    if _best_outright_evidence(named, whole, wordnet):
        return ""
    return named.head


def hypernym_names_with_sentences(subject: str) -> list[list[tuple[str, tuple[str, ...]]]]:
    """Return the names of what a thing is a kind of, nearest first, with a sentence for each.

    One list for each sense that is not much rarer than the commonest: a peacock is a bird, and a
    butterfly.
    """
    wordnet = WordNet.load()
    phrase = parse_phrase(subject, wordnet)
    things = _thing_senses(phrase, wordnet)
    most = max((of.weight for of in things), default=0.0)
    found: list[list[tuple[str, tuple[str, ...]]]] = []
    for of in things:
        if of.weight >= most / 2:
            found.append([])
            for above in wordnet.ancestors_with_steps(of.synset):
                steps = evidence.hypernym_path_sentence(phrase.head, of.synset, above, wordnet)
                # A frank is called a dog, and yet dogs are something else.
                found[-1] += [
                    (n, steps)
                    for n in wordnet.all_names_of_synset(above)
                    if _is_main_sense(n, above)
                ]
    return found


def _is_main_sense(name: str, synset: int) -> bool:
    senses = WordNet.load().senses(name.lower())
    return not senses or max(senses, key=lambda s: s.weight).synset == synset


def wordnet_knows_phrase(phrase: str) -> bool:
    """Whether WordNet or the table has the phrase, its head, or an adjective it ends in."""
    found = parse_phrase(phrase, WordNet.load())
    listed = (parts_table.singularise_phrase(found.head), "") in parts_table.shipped_parts_table()
    return bool(found.senses) or found.adjective or listed


def is_mostly_place(subject: str) -> bool:
    """Whether nearly all senses of a class are places: not so of a *sign*, a region of the zodiac."""
    return share_of_places(class_noun(subject), WordNet.load()) >= 1 - IMPLAUSIBLE


def is_kind_of_its_last_word(noun: str) -> bool:
    """Whether a thing may be what its last word says: a hunting dog is, a *hot dog* is not."""
    wordnet = WordNet.load()
    found = parse_phrase(noun, wordnet)
    last = phrase_key(found.head)[-1:]
    if len(phrase_key(found.head)) < 2:
        return True
    above = {
        a for s in found.senses if s.synset >= 0 for a in wordnet.ancestors_with_steps(s.synset)
    }
    names = ((name, a) for a in above for name in wordnet.all_names_of_synset(a))
    return any(phrase_key(name) == last and _is_main_sense(name, a) for name, a in names)


def is_single_wordnet_noun(phrase: str) -> bool:
    """Whether WordNet has all words of the phrase as one noun."""
    return len(phrase_key(parse_phrase(phrase, WordNet.load()).head)) == len(phrase_key(phrase)) > 0


def phrase_differs_from_entry(name: str, entry: Concept) -> bool:
    """Whether a phrase means something other than the entry that its last words name.

    WordNet may have more of it (*putting green* is not a colour), and plain lines, colours and
    corners are those of what stands before them (*cage bars*).
    """
    phrase = parse_phrase(name, WordNet.load())
    if len(phrase_key(phrase.head)) > max(
        len(phrase_key(n)) for n in (entry.name, *entry.synonyms)
    ):
        return True
    if entry.kind != "low-level" or not phrase.before:
        return False
    before = phrase.before[0]
    return bool(WordNet.load().senses(before)) and not WordNet.load().is_adjective(before)


def describes_entry(name: str, entry: Concept) -> bool:
    """Whether a phrase is an entry's word with adjectives before it: *barred wings* of wings."""
    wordnet = WordNet.load()
    words = [token.raw for token in tokens(name)]
    names = {phrase_key(n) for n in (entry.name, *entry.synonyms)}
    ends = (i for i in range(1, len(words)) if phrase_key(" ".join(words[i:])) in names)
    start = next(ends, 0)
    return start > 0 and all(wordnet.is_adjective(word) for word in words[:start])
