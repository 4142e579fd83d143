from __future__ import annotations

from circuitz.plausibility.check import check

KIND = "stale-annotation"


def rewired(plant, change, words):
    """Words written while looking at other weights than those measured."""
    z = plant(words=words, groups=[(0, 1)])
    assert {a.weights_hash for a in z.effective().values()} == {z.weights_hash}
    return change(z, weights_hash="new")


def test_words_that_no_longer_hold_are_caught(plant, change) -> None:
    found = check(rewired(plant, change, {0: "fluffy coat", 7: "curled tail"})).of(KIND)
    assert {f.units[0]: f.verdict for f in found} == {"conv4:0": "flagged", "conv4:7": "flagged"}
    sentences = {f.units[0]: f.sentence for f in found}
    assert "now matches ‘snow’" in sentences["conv4:0"]
    assert "no longer holds" in sentences["conv4:7"]


def test_words_that_still_hold_are_supported(plant, change) -> None:
    (found,) = check(rewired(plant, change, {3: "pointed ears"})).of(KIND)
    assert found.verdict == "supported"
    assert "still holds" in found.sentence


def test_words_nobody_can_test_again_are_left_open(plant, change) -> None:
    (found,) = check(rewired(plant, change, {3: "gizmo"})).of(KIND)
    assert found.verdict == "inconclusive"
    assert "cannot be tested again" in found.sentence


def test_words_written_for_these_weights_are_not_mentioned(plant) -> None:
    assert not check(plant(words={3: "pointed ears", 0: "fluffy coat"})).of(KIND)


def test_an_edge_that_is_gone_is_caught(plant, change) -> None:
    z = plant().annotate("edge:conv4:3->output:corgi", "pointed ears make a corgi", author="anna")
    z = z.annotate("edge:conv4:3->output:poodle", "pointed ears make a poodle", author="anna")
    z = change(z, weights_hash="new")
    verdicts = {f.target: f.verdict for f in check(z).of(KIND)}
    assert verdicts == {"output:corgi": "supported", "output:poodle": "flagged"}


def test_measurements_without_a_hash_accuse_nobody(plant, change) -> None:
    z = change(plant(words={0: "fluffy coat"}), weights_hash="")
    assert not check(z).of(KIND)
