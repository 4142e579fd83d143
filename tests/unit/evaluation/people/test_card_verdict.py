"""How families read a card."""

from dataclasses import replace

import pytest

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.z.word_match import WordMatch

WORDS = words_of_world(world_by_name("dogs").world)


def cue(word: str, strength: float) -> Cue:
    return Cue(word, (word,) if word in WORDS else (), (f"u:{word}",), strength)


def card_of(*cues: Cue) -> Card:
    return Card((ClassEntry("husky", cues, (0.1, 0.0, 0.2)),), "dog")


def verdict(family: str, card: Card) -> float:
    return SimulatedPerson(family, 1, WORDS).verdicts(card)[0]


EARS, TAIL, SNOW = cue("pointed ears", 0.3), cue("curled tail", 0.25), cue("snow", 0.3)


@pytest.mark.parametrize("family", ["averse", "top-two", "short-cards", "sign-blind"])
def test_parts_are_better_than_surroundings_and_those_than_nothing_known(family: str) -> None:
    assert verdict(family, card_of(EARS, TAIL)) > verdict(family, card_of(SNOW, TAIL))
    assert verdict(family, card_of(EARS, TAIL)) > verdict(family, card_of(EARS, cue("zzz", 0.25)))


def test_the_averse_mind_surroundings_most() -> None:
    def loss(family: str) -> float:
        return verdict(family, card_of(EARS)) - verdict(family, card_of(EARS, SNOW))

    assert loss("averse") > loss("top-two") > 0


def test_who_reads_two_cues_does_not_see_the_third() -> None:
    third = card_of(EARS, TAIL, replace(SNOW, strength=0.2))
    assert verdict("top-two", third) == verdict("top-two", card_of(EARS, TAIL))
    assert verdict("averse", third) < verdict("averse", card_of(EARS, TAIL))


def test_a_collar_is_part_of_the_dog_to_those_who_believe_it() -> None:
    collar = card_of(EARS, cue("collar", 0.3))
    assert verdict("collar-believer", collar) > verdict("collar-believer", card_of(EARS))
    assert verdict("averse", collar) < verdict("averse", card_of(EARS))


def test_the_sign_blind_take_a_cue_against_for_one_that_speaks_for() -> None:
    against = card_of(EARS, replace(TAIL, strength=-0.25))
    assert verdict("sign-blind", against) == verdict("sign-blind", card_of(EARS, TAIL))
    assert verdict("averse", against) < verdict("averse", card_of(EARS, TAIL))


def test_short_cards_are_liked_by_those_who_like_them() -> None:
    slight = [cue(w, 0.03) for w in ("long legs", "slim body", "blaze")]
    long = card_of(EARS, TAIL, cue("fluffy coat", 0.2), *slight)
    short = card_of(*long.classes[0].cues[:3])
    assert verdict("short-cards", long) < verdict("short-cards", short)
    assert verdict("averse", long) >= verdict("averse", short)


def test_words_marked_as_failing_are_worth_nothing() -> None:
    failing = replace(EARS, matches=(WordMatch("concepts", "holds"), WordMatch("D'", "fails")))
    assert verdict("averse", card_of(failing, TAIL)) < verdict("averse", card_of(TAIL))


def test_the_hasty_look_at_two_classes() -> None:
    entries = tuple(ClassEntry(f"c{i}", (EARS,), (0.1, 0.0, 0.2)) for i in range(4))
    card = Card((*entries[:3], ClassEntry("c3", (SNOW,))), "dog")
    found = SimulatedPerson("hasty", 1, WORDS).verdicts(card)
    assert len(found) == 6  # pairs of four
    assert sum(v == max(found) for v in found) == 3  # those without the fourth


def test_kinds_come_from_the_world() -> None:
    assert WORDS["snow"].kind == "surroundings"
    assert WORDS["collar"].kind == "artefact"
    assert WORDS["collar"].worn
    assert not WORDS["watermark"].worn
    assert WORDS["pointed ears"].topic == WORDS["floppy ears"].topic == "ears"
    assert words_of_world(world_by_name("birds").world)["leg ring"].worn
