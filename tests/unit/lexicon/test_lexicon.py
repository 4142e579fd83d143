from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from circuitz.data.worlds.dog_parts import ARTEFACTS, BREEDS, GROUNDS, PART_CONCEPTS
from circuitz.errors import LexiconError
from circuitz.lexicon.concept import KINDS
from circuitz.lexicon.lexicon import Lexicon


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


def test_the_default_is_rich_and_has_all_kinds(lexicon: Lexicon):
    assert len(lexicon.names()) >= 120
    for kind in KINDS:
        assert len(lexicon.names(kind)) >= 15
        assert all(lexicon.kind(name) == kind for name in lexicon.names(kind))


def test_the_default_knows_the_concepts_of_the_dog_world(lexicon: Lexicon):
    for name in (*GROUNDS, *ARTEFACTS):
        assert lexicon.parse(name) == (name,)
    for name in PART_CONCEPTS:
        assert lexicon.kind(name) in ("part", "attribute")
        assert lexicon.support(name, "dog").verdict == "supports"
    assert {lexicon.kind(g) for g in GROUNDS} == {"surroundings"}
    assert {lexicon.kind(a) for a in ARTEFACTS} == {"artefact"}


def test_the_default_never_names_a_class(lexicon: Lexicon):
    text = lexicon.to_text().lower()
    breeds = (*BREEDS, "labrador", "spaniel", "dachshund", "shepherd", "retriever", "malamute")
    assert not [breed for breed in breeds if breed in text]
    assert lexicon.parse("husky detector") == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("snow on the ground", ("snow",)),
        ("Pointy Ears", ("pointed ears",)),
        ("ears", ("ears",)),
        ("an ear", ("ears",)),
        ("fur", ("coat",)),
        ("fluffy fur", ("fluffy coat",)),
        ("fluffy, grey coat", ("fluffy coat", "grey coat")),
        ("gray fluffy fur", ("grey coat", "fluffy coat")),
        ("curled black tail", ("curled tail",)),
        ("ears that are pointed", ("pointed ears",)),
        ("the tail is very short", ("stub tail",)),
        ("ears and tail", ("ears", "tail")),
        ("ears, especially pointed ears", ("pointed ears",)),
        ("short-legged animal", ("short legs",)),
        ("SNOWFLAKES!", ("snow",)),
        ("no snow", ()),
        ("pointed ears, no snow", ("pointed ears",)),
        ("no snow and pointed ears", ("pointed ears",)),
        ("without ears and tail", ()),
        ("not snow but grass", ("grass",)),
        ("snow-free", ()),
        ("not only snow", ("snow",)),
        ("white", ("white",)),
        ("white coat", ("white coat",)),
        ("snow snow snow", ("snow",)),
        ("grass, then snow", ("grass", "snow")),
        ("corner tag", ("watermark",)),
        ("black and white edges", ("black", "white", "edges")),
        ("", ()),
        ("???", ()),
        ("something else entirely", ()),
        ("sno w", ()),
        ("snowboarding", ()),
    ],
)
def test_parsing(lexicon: Lexicon, text: str, found: tuple[str, ...]):
    assert lexicon.parse(text) == found


def test_every_spelling_of_a_concept_leads_back_to_it(lexicon: Lexicon):
    for name in lexicon.names():
        concept = lexicon.concept(name)
        for spelling in (name, *concept.synonyms):
            assert lexicon.resolve(spelling) == name
            found = lexicon.parse(spelling)
            assert found == (name,) or name in found, (spelling, found)


def test_spellings_put_adjectives_before_every_name_of_the_part(lexicon: Lexicon):
    spellings = lexicon.spellings("fluffy coat")
    assert spellings[0] == "fluffy coat"
    assert {"shaggy fur", "fluffy pelt"} <= set(spellings)


def test_kinds_of_kinds(lexicon: Lexicon):
    assert lexicon.ancestors("pointed ears") == ("ears",)
    assert lexicon.ancestors("fur") == ()
    assert "pointed ears" in lexicon.descendants("ears")
    assert lexicon.ancestors("nonsense") == lexicon.descendants("nonsense") == ()


def test_adjectives_before_a_part_make_an_attribute_of_it(lexicon: Lexicon):
    for name in ("barred wings", "long straight tail", "brown fur", "dented bumper"):
        assert name not in lexicon.concepts
        assert lexicon.kind(name) == "attribute"
        assert lexicon.kind_origin(name) == "shipped"
    assert lexicon.ancestors("barred wings") == ("wings",)
    assert lexicon.kind("wings") == "part"
    assert lexicon.kind("lettuce leaves") == "part"  # whose they are, and not how
    assert lexicon.kind("dirty snow") == "surroundings"


def test_an_unknown_concept_is_named_with_its_neighbours(lexicon: Lexicon):
    assert lexicon.kind("pointed eers") == "unknown"
    assert "pointed eers" not in lexicon
    assert "fur" in lexicon
    with pytest.raises(LexiconError, match="pointed eers") as caught:
        lexicon.concept("pointed eers")
    assert "pointed ears" in caught.value.hint
    with pytest.raises(LexiconError, match="no kind"):
        lexicon.names("colour")  # pyright: ignore[reportArgumentType]


def test_the_hash_depends_on_content_and_not_on_order(lexicon: Lexicon):
    data = yaml.safe_load(lexicon.to_text())
    rng = random.Random(0)
    for table in ("concepts", "categories"):
        entries = list(data[table].items())
        rng.shuffle(entries)
        data[table] = {k: dict(reversed(v.items())) for k, v in entries}
    for entry in data["concepts"].values():
        entry.get("synonyms", []).reverse()
    shuffled = Lexicon.from_text(yaml.safe_dump(data), "another name")
    assert shuffled.hash == lexicon.hash
    assert len(lexicon.hash) == 64
    assert lexicon.with_override("snow", kind="part", is_a="").hash != lexicon.hash
    assert lexicon.with_override("snow", synonyms=("snow",)).hash != lexicon.hash


def test_a_lexicon_survives_its_file(lexicon: Lexicon, tmp_path: Path):
    lexicon.to_yaml(tmp_path / "l.yaml")
    again = Lexicon.load(tmp_path / "l.yaml")
    assert again.hash == lexicon.hash
    assert again.names() == lexicon.names()
    assert again.parse("fluffy grey fur") == lexicon.parse("fluffy grey fur")
    with pytest.raises(LexiconError, match="cannot be written"):
        lexicon.to_yaml(tmp_path / "no" / "l.yaml")


def test_a_project_is_stronger_than_the_default_and_a_person_than_a_project():
    project = Lexicon.from_text(
        "concepts:\n"
        "  bandana: {kind: artefact, synonyms: [scarf]}\n"
        "  snow: {kind: low-level}\n"
        "  grass: null\n"
    )
    assert project.kind("bandana") == "artefact"
    assert project.parse("a scarf") == ("bandana",)  # taken from the default's ‘clothing’
    assert project.kind("snow") == "low-level"
    assert project.parse("snowy") == ("snow",)  # fields it does not give stay
    assert "grass" not in project
    person = project.with_override("snow", kind="surroundings", author="Ana")
    assert person.kind("snow") == "surroundings"
    assert "override by Ana" in person.support("snow", "dog").chain[0]
    assert "project lexicon" in project.support("bandana", "dog").chain[0]
    assert "default lexicon" in project.support("sand", "dog").chain[0]
    assert project.kind("snow") == "low-level"  # a lexicon is a value


def test_a_project_may_spell_a_known_name_otherwise():
    project = Lexicon.from_text("concepts:\n  Ear: {kind: artefact}\n")
    assert project.kind("ears") == "artefact"
    assert len(project.names()) == len(Lexicon.load().names())


def test_a_project_may_take_an_adjective_for_a_concept_of_its_own():
    project = Lexicon.from_text(
        "concepts:\n  folded ears: {kind: attribute, is_a: ears, adjectives: [folded, droopy]}\n"
    )
    assert project.parse("droopy ears") == ("folded ears",)
    assert project.parse("floppy ears") == ("floppy ears",)


def test_an_override_by_a_synonym_changes_the_concept(lexicon: Lexicon):
    changed = lexicon.with_override("fur", kind="artefact", author="Ana")
    assert changed.kind("coat") == "artefact"
    assert "fur" not in changed.names()
    new = lexicon.with_override("bandana", kind="artefact", synonyms=["kerchief"])
    assert new.parse("a red kerchief") == ("red", "bandana")
    taken = lexicon.with_override("bandana", kind="artefact", synonyms=["snowdrift"])
    assert taken.parse("snowdrifts") == ("bandana",)


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "bandana"},
        {"name": "snow", "kind": "weather"},
        {"name": "snow", "is_a": "snow"},
        {"name": "ground", "is_a": "snow"},
        {"name": "snow", "is_a": "weather"},
        {"name": "snow", "part_of": ["spaceship"]},
        {"name": "  "},
        {"name": "bandana", "kind": "artefact", "synonyms": ["snow"]},
        {"name": "wet coat", "kind": "attribute", "adjectives": ["wet"]},
    ],
)
def test_an_override_that_does_not_hold_together_is_refused(
    lexicon: Lexicon, arguments: dict[str, object]
):
    with pytest.raises(LexiconError) as caught:
        lexicon.with_override(**arguments)  # pyright: ignore[reportArgumentType]
    assert caught.value.hint
