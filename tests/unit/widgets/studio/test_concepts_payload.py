"""The concepts as the screen lists them: z.concepts, small, and following what people say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from circuitz.lexicon.lexicon import Lexicon
from circuitz.widgets.studio.concepts_payload import NO_CONCEPT_SET, NO_LABELS, concepts_payload
from circuitz.widgets.studio.studio import Studio
from circuitz.z.bundle.load_save import load
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.model import AnnotatedModel

LEXICON = Lexicon.load()


def texts(coded: dict) -> list[str]:
    return [coded["texts"][place] for place in coded["places"]]


def with_names(z: AnnotatedModel, *names: str) -> AnnotatedModel:
    """Its concept set, the first columns called otherwise."""
    known = z.concept_set
    assert known is not None
    return z.with_(
        concept_set=replace(known, concept_names=(*names, *known.concept_names[len(names) :]))
    )


def test_it_is_the_table_of_z(z: AnnotatedModel) -> None:
    sent, table = concepts_payload(z.concept_set, LEXICON), z.concepts
    json.dumps(sent, allow_nan=False)
    assert sent["names"] == list(table["name"])
    assert texts(sent["kind"]) == list(table["kind"])
    assert texts(sent["kind_from"]) == list(table["kind_from"])
    assert [part["split"] for part in sent["counts"]] == list(SPLITS)
    for part in sent["counts"]:
        for what in ("shown", "not_shown"):
            assert part[what] == list(table[f"{what}_{part['split']}"])
    assert texts(sent["is_a"]) == [", ".join(names) for names in table["is_a"]]
    assert "ears" in texts(sent["is_a"])


def test_a_set_that_is_not_split_is_counted_whole(z: AnnotatedModel) -> None:
    unsplit = replace(z.concept_set, split=None)
    (part,) = concepts_payload(unsplit, LEXICON)["counts"]
    assert part["split"] == ""
    labels = unsplit.concepts
    assert part["shown"] == [int(n) for n in (labels == 1).sum(0)]
    assert part["not_shown"] == [int(n) for n in (labels == 0).sum(0)]


def test_one_concept_under_two_names_says_so() -> None:
    labels = np.array([[1, 1], [0, 0]] * 20, np.float32)
    twice = InputSet(
        np.zeros((40, 2, 2, 3), np.uint8), concepts=labels, concept_names=("grass", "lawn")
    )
    assert texts(concepts_payload(twice, LEXICON)["same_as"]) == ["", "grass"]


def test_without_concepts_it_says_why(z: AnnotatedModel) -> None:
    bare = replace(z.concept_set, concepts=None, concept_names=(), pairs=None)
    for none, why in ((None, NO_CONCEPT_SET), (bare, NO_LABELS)):
        sent = concepts_payload(none, LEXICON)
        assert sent["missing"] == why
        assert sent["names"] == []
        json.dumps(sent)


def test_a_row_follows_what_a_person_says(z: AnnotatedModel, tmp_path) -> None:
    path = with_names(z, "zorgle").save(tmp_path / "dogs.z")
    studio = Studio(path, author="mira")
    assert texts(studio.concepts["kind_from"])[0] == "unknown"
    assert studio._reply_to_action("kind", {"concept": "zorgle", "kind": "part"})[0]["ok"]
    assert texts(studio.concepts["kind"])[0] == "part"
    assert texts(studio.concepts["kind_from"])[0] == "person"
    assert tuple(load(path).concepts.loc[0, ["kind", "kind_from"]]) == ("part", "person")


def test_words_on_a_unit_send_it_no_second_time(z: AnnotatedModel) -> None:
    studio = Studio(z, author="mira")
    sent: list[object] = []
    studio.observe(sent.append, "concepts")
    before = studio.concepts
    assert studio._reply_to_action("annotate", {"unit": "conv4:0", "text": "sky"})[0]["ok"]
    assert studio.concepts is before
    assert sent == []


def test_a_thousand_concepts_are_few_bytes_each() -> None:
    names = tuple(f"snow-{i}" for i in range(1000))
    rng = np.random.default_rng(0)
    many = InputSet(
        np.zeros((300, 2, 2, 3), np.uint8),
        concepts=rng.integers(0, 2, (300, 1000)).astype(np.float32),
        concept_names=names,
        split=(np.arange(300) % 3).astype(np.uint8),
    )
    sent = json.dumps(concepts_payload(many, LEXICON))
    assert len(sent) - len(json.dumps(names)) < 50_000
