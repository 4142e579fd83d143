from __future__ import annotations

import gzip
from importlib.resources import files
from pathlib import Path

import pytest

from circuitz.lexicon import extract
from circuitz.lexicon.lexicon import Lexicon
from circuitz.lexicon.phrases import parse_phrase
from circuitz.lexicon.sorts import sort_of_sense
from circuitz.lexicon.wordnet import WordNet

FOLDER = files("circuitz.lexicon")
NOUNS = """\
  1 This software and database is being provided to you, the LICENSEE, by
00000001 03 n 01 entity 0 000 | what is
00000002 05 n 01 dog 0 003 @ 00000001 n 0000 %p 00000003 n 0000 ~ 00000005 n 0000 | an animal with a tail; "the dog barked"
00000003 08 n 02 tail 0 cauda 0 002 @ 00000001 n 0000 #p 00000002 n 0000 | the hind part (of animals)
00000004 18 n 01 dog 1 001 @ 00000001 n 0000 | an informal term for a man
00000005 05 n 01 Rex 0 001 @i 00000002 n 0000 | a single dog
00000006 06 n 01 aspirin 0 001 @ 00000007 n 0000 | a pill
00000007 06 n 01 drug 0 001 @ 00000001 n 0000 | a substance
"""
INDEX = """\
  1 This software
aspirin n 1 1 @ 1 0 00000006
cauda n 1 2 @ #p 1 0 00000003
dog n 2 3 @ %p ~ 2 1 00000002 00000004
drug n 1 1 @ 1 0 00000007
entity n 1 0 1 1 00000001
rex n 1 1 @ 1 0 00000005
tail n 1 2 @ #p 1 1 00000003
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.noun").write_text(NOUNS)
    (tmp_path / "index.noun").write_text(INDEX)
    (tmp_path / "index.adj").write_text("furry a 1 1 & 1 0 00000009\n")
    (tmp_path / "noun.exc").write_text("caudae cauda\n")
    (tmp_path / "cntlist.rev").write_text("dog%1:05:00:: 1 42\ntail%1:08:00:: 1 7\n")
    return tmp_path


def test_the_extract_of_a_small_wordnet(folder: Path):
    small = WordNet(extract.make_wordnet_extract(folder))
    dog, man = small.senses("dog")
    assert (small.first_name_of_synset(dog.synset), dog.file, man.file) == ("dog", "N", "p")
    assert dog.weight > 10 * man.weight
    assert small.direct_hypernyms(man.synset) == ()  # of people nothing is told
    (tail,) = small.senses("tail")
    assert small.all_names_of_synset(tail.synset) == ("tail", "cauda")
    assert small.direct_holonyms(tail.synset) == (dog.synset,)
    assert small.gloss(dog.synset) == "with a tail"
    assert small.senses("rex") == small.senses("aspirin") == small.senses("drug") == ()
    assert small.is_adjective("furry")
    assert not small.is_adjective("dog")
    assert small.irregular_singulars("caudae") == ("cauda",)


def test_equal_files_make_equal_bytes_and_the_licence_beside_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made: list[bytes] = []
    for name in ("one.gz", "two.gz"):
        monkeypatch.setattr("sys.argv", ["extract", str(folder), str(tmp_path / name)])
        extract.write_wordnet_extract_and_licence()
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert "provided to you" in (tmp_path / "LICENSE.wordnet").read_text()


def test_what_is_shipped_is_small_and_names_its_origin_and_licence():
    data = FOLDER.joinpath("wordnet.txt.gz").read_bytes()
    assert len(data) <= 900_000
    head = gzip.decompress(data).decode().splitlines()[0]
    assert "WordNet 3.0" in head
    assert "python -m circuitz.lexicon.extract" in head
    licence = FOLDER.joinpath("LICENSE.wordnet").read_text(encoding="utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in licence


def test_the_table_of_parts_names_things_that_wordnet_knows():
    wordnet = WordNet.load()
    text = FOLDER.joinpath("parts.txt").read_text(encoding="utf-8")
    lines = [at for at in text.splitlines() if at and not at.startswith("#")]
    wholes = {w.strip() for line in lines for w in line.partition(":")[0].split(",")}
    unknown = [w for w in wholes if not parse_phrase(w.partition("/")[0], wordnet).senses]
    assert unknown == []
    assert len(wholes) > 200


@pytest.mark.parametrize(
    ("text", "head", "before", "whose"),
    [
        ("pointed ears", "ear", ("pointed",), ""),
        ("Steering-Wheels", "steering wheel", (), ""),
        ("hot air balloon", "hot-air balloon", (), ""),
        ("tail of the dog", "tail", (), "dog"),
        ("hand holding it", "hand", (), ""),
        ("teeth", "tooth", (), ""),
        ("knives", "knife", (), ""),
        ("black seeds", "seed", ("black",), ""),
        ("flibberties", "flibberty", (), ""),
    ],
)
def test_phrases_come_apart(text: str, head: str, before: tuple[str, ...], whose: str):
    phrase = parse_phrase(text, WordNet.load())
    assert (phrase.head, phrase.before, phrase.whose) == (head, before, whose)


@pytest.mark.parametrize(
    ("word", "sort"),
    [
        ("gill", "body part"), ("whisker", "body part"), ("petal", "plant part"),
        ("beach", "place"), ("street", "place"), ("church", "building"), ("sneaker", "garment"),
        ("husky", "animal"), ("plumber", "person"), ("fog", "light"), ("coffee", "drink"),
    ],
)  # fmt: skip
def test_sorts(word: str, sort: str):
    wordnet = WordNet.load()
    seen = [s for s in wordnet.senses(word) if s.synset >= 0]
    assert sort in {sort_of_sense(s.synset, s.file, wordnet) for s in seen}


def test_a_chain_leads_from_the_class_to_the_part():
    chain = Lexicon.load().support("ears", "husky").chain
    assert "‘ears’ is part of an animal (default lexicon)." in chain
    assert any(line.startswith("A husky is a dog (WordNet: husky ⊂") for line in chain)
    assert "A dog is an animal (default lexicon)." in chain
