"""The table of parts that is shipped beside WordNet: what it says of too few things."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files

from circuitz.lexicon.word_forms import singular

PartsTable = dict[tuple[str, str], frozenset[tuple[str, str]]]


def parse_parts_table(text: str) -> PartsTable:
    """Read lines ``whole, whole: part, part`` of words with the letter of their file.

    Returns
    -------
    dict
        Part to its wholes, both as (word, letter). A part stands there without a letter too, for
        words that WordNet takes to mean something else: the *tip* of an umbrella.
    """
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        wholes, _, parts = line.partition(":")
        named = {_split_word_and_file_letter(whole) for whole in wholes.split(",")}
        for part in parts.split(","):
            word, file = _split_word_and_file_letter(part)
            for name in ((word, file), (singularise_phrase(word), "")):
                found.setdefault(name, set()).update(named)
    return {part: frozenset(wholes) for part, wholes in found.items()}


def singularise_phrase(word: str) -> str:
    """Return a word as the table has it without a letter: in the singular."""
    start, _, last = word.rpartition(" ")
    return f"{start} {singular(last)}".strip()


@lru_cache(maxsize=1)
def shipped_parts_table() -> PartsTable:
    """Return the shipped table."""
    text = files("circuitz.lexicon").joinpath("parts.txt").read_text(encoding="utf-8")
    return parse_parts_table(text)


@lru_cache(maxsize=1)
def shipped_data_digest() -> str:
    """Hash of all that is shipped beside the lexicon's entries: WordNet's extract, this table."""
    folder = files("circuitz.lexicon")
    data = b"".join(folder.joinpath(n).read_bytes() for n in ("wordnet.txt.gz", "parts.txt"))
    return hashlib.sha256(data).hexdigest()


def _split_word_and_file_letter(text: str) -> tuple[str, str]:
    word, _, file = text.strip().partition("/")
    return word, file
