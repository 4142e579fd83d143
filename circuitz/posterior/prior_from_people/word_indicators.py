"""Eight numbers that WordNet gives for a word, over all its senses: no lexicon, no subject.

A phrase is read by its last words that are a noun (*pointed ears*: ear). Every sense counts by its
share, so an ambiguous word is a little of everything it may mean; what is meant is left to the
people whose judgements the numbers are weighed by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from circuitz.lexicon.word_forms import Token, tokens
from circuitz.lexicon.wordnet import Sense, WordNet

F64 = npt.NDArray[np.float64]
WordFeatures = Literal["wordnet", "none", "shuffled"]
#: What each of the numbers is the share of, by letters of WordNet's lexicographer files.
INDICATORS = (
    "body part", "animal or person", "attribute or shape", "artifact", "natural object or place",
    "substance or weather", "plant or food", "nothing to be seen",
)  # fmt: skip
_COLUMN_OF_FILE = {
    "b": 0, "N": 1, "p": 1, "t": 2, "s": 2, "S": 2, "A": 3, "o": 4, "l": 4, "g": 4, "u": 5,
    "y": 5, "w": 5, "P": 6, "F": 6,
}  # fmt: skip
_ATTRIBUTE, _NOTHING = 2, 7


def word_indicators(words: Sequence[str]) -> F64:
    """Return the indicators of words or phrases, ``(w, 8)`` float64, rows summing to 1."""
    rows = [_indicators_of_phrase(word) for word in words]
    return np.array(rows, np.float64).reshape(len(rows), len(INDICATORS))


def indicators_for_fit(words: Sequence[str], features: WordFeatures, seed: int) -> F64:
    """Return the indicators of words, or what an ablation puts in their place.

    ``none`` gives zeros; ``shuffled`` gives every word those of another of the words.
    """
    found = word_indicators(words)
    if features == "none":
        return np.zeros_like(found)
    if features == "shuffled" and len(words) > 1:
        order = np.random.default_rng(seed).permutation(len(words))
        found[order] = found[np.roll(order, 1)]
    return found


def indicators_of_new_word(word: str, features: WordFeatures, words: Sequence[str]) -> F64:
    """Return the indicators of a word that was not among the words of the fit, ``(8,)``."""
    if features == "none":
        return np.zeros(len(INDICATORS))
    if features == "shuffled" and words:
        digest = hashlib.sha256(word.encode()).digest()
        word = words[int.from_bytes(digest[:8], "big") % len(words)]
    return word_indicators([word])[0]


@lru_cache(maxsize=8192)
def _indicators_of_phrase(phrase: str) -> tuple[float, ...]:
    shares = np.zeros(len(INDICATORS))
    wordnet = WordNet.load()
    found = tokens(phrase)
    senses = _senses_of_last_noun(found, wordnet)
    for sense in senses:
        shares[_column_of_sense(sense, wordnet)] += sense.weight
    head = found[-1].word if found else ""
    if head and wordnet.is_adjective(head):
        # White is a colour before it is a kind of person.
        shares = shares / 2 if senses else shares
        shares[_ATTRIBUTE] += 0.5 if senses else 1.0
    if not shares.any():
        shares[_NOTHING] = 1.0
    return tuple(float(v) for v in shares / shares.sum())


def _senses_of_last_noun(words: list[Token], wordnet: WordNet) -> tuple[Sense, ...]:
    """Return the senses of the longest noun that ends the phrase, else of its last noun."""
    for end in range(len(words), 0, -1):
        for start in range(end):
            # The singular first: legs are legs before they are staying power.
            for spelled in (
                " ".join(t.word for t in words[start:end]),
                " ".join(t.raw for t in words[start:end]),
            ):
                senses = wordnet.senses(spelled)
                if senses:
                    return senses
    return ()


def _column_of_sense(sense: Sense, wordnet: WordNet) -> int:
    column = _COLUMN_OF_FILE.get(sense.file, _NOTHING)
    if sense.file == "N" and sense.synset >= 0:
        organism = wordnet.first_synset("organism", "T")
        # WordNet files an animal's paw and tail with the animals.
        if organism not in wordnet.ancestors_with_steps(sense.synset):
            return 0
    return column
