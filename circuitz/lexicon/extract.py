"""Make the WordNet extract that is shipped, from the files of Debian's package ``wordnet-base``.

    apt-get install wordnet-base
    python -m circuitz.lexicon.extract /usr/share/wordnet circuitz/lexicon/wordnet.txt.gz

The same files give the same bytes. What is left out: names of single things (*Paris*), taxa of
biology (*genus Canis*), drugs and compounds, the relations of people and of what cannot be seen.

The text has one line for the header, then five blocks, each behind a line ``# name``:

``names``
    ``;word;word;``: the names of a synset, the first as its title. Synsets count from 0.
``facts``
    ``file|kinds|wholes|gloss`` of the same synsets: the letter of the lexicographer's file;
    numbers of the synsets it is a kind of, and of those it is a part of (``p``), a member of
    (``m``) or what they are made of (``s``); where it may name parts, the definition.
``nouns``
    ``word|sense.count …`` for words of several senses, in WordNet's order, with how often each was
    met; a sense that was left out is given by the letter of its file alone.
``adjectives``
    One word a line.
``plurals``
    ``plural|singular …`` of the irregular ones.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Letters of WordNet's lexicographer files of nouns, 03 to 28.
FILES: Final = {
    "Tops": "T", "act": "a", "animal": "N", "artifact": "A", "attribute": "t", "body": "b",
    "cognition": "c", "communication": "C", "event": "e", "feeling": "f", "food": "F",
    "group": "g", "location": "l", "motive": "m", "object": "o", "person": "p",
    "phenomenon": "y", "plant": "P", "possession": "d", "process": "r", "quantity": "q",
    "relation": "R", "shape": "s", "state": "S", "substance": "u", "time": "w",
}  # fmt: skip
_LETTERS: Final = tuple(FILES.values())
#: Files whose synsets are kept with their relations.
_INCLUDED_FILES: Final = frozenset("TNAtbCFglopyPsu")
#: Files whose definitions are kept.
_DEFINED_FILES: Final = frozenset("NAbFPo")
#: Files of which only what has a name of one word is kept.
_ONE_WORD_FILES: Final = frozenset("tCgpPlu")
_PART: Final = {"#p": "p", "#m": "m", "#s": "s"}
#: Left out with all their kinds: (word, file).
_EXCLUDED_KINDS: Final = (
    ("biological_group", "g"), ("drug", "A"), ("medicine", "A"), ("chemical_compound", "u"),
    ("microorganism", "T"), ("microorganism", "N"),
)  # fmt: skip
_KEEP_WITHIN: Final = frozenset({"water", "ice", "glass", "salt", "plastic", "rust", "rubber"})
_GLOSS: Final = 90
_HAS: Final = re.compile(r"\b(with|having|bearing|whose|characterized by)\b.*")


@dataclass
class Synset:
    """A synset as WordNet has it."""

    offset: str
    file: str
    words: tuple[str, ...]
    pointers: tuple[tuple[str, str], ...]
    gloss: str


def read_noun_synsets(path: Path) -> dict[str, Synset]:
    """Read ``data.noun``."""
    found: dict[str, Synset] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        words = tuple(fields[4 + 2 * i] for i in range(int(fields[3], 16)))
        at = 4 + 2 * len(words)
        pointers = [fields[at + 1 + 4 * i : at + 5 + 4 * i] for i in range(int(fields[at]))]
        nouns = tuple((p[0], p[1]) for p in pointers if p[2] == "n")
        file = _LETTERS[int(fields[1]) - 3]
        found[fields[0]] = Synset(fields[0], file, words, nouns, gloss.strip())
    return found


def _read_sense_counts(path: Path, types: str) -> dict[tuple[str, int], int]:
    """How often each sense of each word was met in the texts that WordNet's makers tagged."""
    found: dict[tuple[str, int], int] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        sense, number, count = line.split()
        word, _, rest = sense.partition("%")
        if rest[0] in types:
            found[word, int(number)] = int(count)
    return found


def _read_word_sense_offsets(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Words of an index file with the offsets of their senses."""
    for line in path.read_text(encoding="latin-1").splitlines():
        if not line.startswith("  "):
            fields = line.split()
            yield fields[0], fields[len(fields) - int(fields[2]) :]


def _all_hyponyms(top: str, synsets: dict[str, Synset]) -> set[str]:
    kinds: dict[str, list[str]] = {}
    for synset in synsets.values():
        for sign, above in synset.pointers:
            if sign == "@":
                kinds.setdefault(above, []).append(synset.offset)
    found, waiting = set[str](), [top]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += kinds.get(at, [])
    return found


def _select_synsets_to_ship(synsets: dict[str, Synset]) -> list[Synset]:
    without: set[str] = set()
    for word, file in _EXCLUDED_KINDS:
        for synset in synsets.values():
            if word in synset.words and synset.file == file:
                without |= _all_hyponyms(synset.offset, synsets)
    kept = {
        s.offset
        for s in synsets.values()
        if s.file in _INCLUDED_FILES
        and not any(sign == "@i" for sign, _ in s.pointers)
        and (s.offset not in without or _KEEP_WITHIN & set(s.words))
        and not all(w[:1].isupper() and s.file in "NPg" for w in s.words)
        and (s.file not in _ONE_WORD_FILES or any("_" not in w for w in s.words))
    }
    # What they are kinds of, in turn; of people, nothing is told.
    waiting = [offset for offset in kept if synsets[offset].file != "p"]
    while waiting:
        for sign, above in synsets[waiting.pop()].pointers:
            if sign == "@" and above not in kept and above not in without:
                kept.add(above)
                waiting.append(above)
    return [s for s in synsets.values() if s.offset in kept]


def _short_definition(synset: Synset, common: bool) -> str:
    """Return the definition, without examples and remarks, where it may name parts."""
    if synset.file not in _DEFINED_FILES or not (common or synset.file == "b"):
        return ""
    plain = re.sub(r"\([^)]*\)", "", synset.gloss.split('; "')[0])
    plain = " ".join(plain.replace("|", " ").split())
    if synset.file in "NP":
        says = _HAS.search(plain)
        plain = says.group() if says else ""
    return plain if len(plain) <= _GLOSS else plain[:_GLOSS].rsplit(" ", 1)[0] + " …"


def make_wordnet_extract(wordnet: Path) -> str:
    """Make the text of the extract.

    Parameters
    ----------
    wordnet
        Folder with ``data.noun``, ``index.noun``, ``index.adj``, ``noun.exc``, ``cntlist.rev``.
    """
    synsets = read_noun_synsets(wordnet / "data.noun")
    kept = _select_synsets_to_ship(synsets)
    number = {s.offset: i for i, s in enumerate(kept)}
    counts = _read_sense_counts(wordnet / "cntlist.rev", "1")
    nouns: list[str] = []
    common: set[str] = set()
    for word, offsets in _read_word_sense_offsets(wordnet / "index.noun"):
        senses: list[str] = []
        for i, offset in enumerate(offsets):
            count = counts.get((word, i + 1), 0)
            if offset in number:
                senses.append(f"{number[offset]}" + (f".{count}" if count else ""))
                if count or ("_" not in word and i == 0):
                    common.add(offset)
            else:
                senses.append(synsets[offset].file + (f".{count}" if count else ""))
        # A word of one sense is found by its name.
        seen = any(s[0].isdigit() for s in senses)
        if len(senses) > 1 if seen else "_" not in word and any("." in s for s in senses):
            nouns.append(f"{word.replace('_', ' ')}|{' '.join(senses)}")
    names: list[str] = []
    facts: list[str] = []
    for synset in kept:
        names.append(f";{';'.join(w.replace('_', ' ') for w in synset.words)};")
        above = [str(number[o]) for sign, o in synset.pointers if sign == "@" and o in number]
        wholes = [
            _PART[sign] + str(number[o])
            for sign, o in synset.pointers
            if sign in _PART and o in number
        ]
        if synset.file == "p":
            above, wholes = [], []
        gloss = _short_definition(synset, synset.offset in common)
        facts.append("|".join((synset.file, " ".join(above), " ".join(wholes), gloss)))
    header = (
        "circuitz WordNet extract 1; from WordNet 3.0, Debian's wordnet-base; made by "
        "python -m circuitz.lexicon.extract /usr/share/wordnet; licence: LICENSE.wordnet"
    )
    adjectives = [
        word for word, _ in _read_word_sense_offsets(wordnet / "index.adj") if word.isalpha()
    ]
    plurals = [
        line.strip().replace(" ", "|", 1)
        for line in (wordnet / "noun.exc").read_text(encoding="latin-1").splitlines()
        if "_" not in line
    ]
    blocks = {
        "names": names,
        "facts": facts,
        "nouns": nouns,
        "adjectives": adjectives,
        "plurals": plurals,
    }
    return header + "".join(f"\n# {name}\n" + "\n".join(rows) for name, rows in blocks.items())


def wordnet_licence(wordnet: Path) -> str:
    """Return WordNet's licence, which stands at the head of its files."""
    lines = (wordnet / "data.noun").read_text(encoding="latin-1").splitlines()
    head = [line for line in lines[:100] if line.startswith("  ")]
    return "\n".join(re.sub(r"^  \d+ ?", "", line).rstrip() for line in head) + "\n"


def write_wordnet_extract_and_licence() -> None:
    """Write the extract, and the licence beside it; see the head of this file."""
    folder, target = (Path(argument) for argument in sys.argv[1:3])
    # No name and no time in the head of the file, so that equal text makes equal bytes.
    target.write_bytes(gzip.compress(make_wordnet_extract(folder).encode(), 9, mtime=0))
    target.with_name("LICENSE.wordnet").write_text(wordnet_licence(folder), encoding="utf-8")


if __name__ == "__main__":
    write_wordnet_extract_and_licence()
