"""Blind tests of words on units, answered by simulated raters who know what pictures show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuitz.errors import CircuitzError, LabellingError, MeasurementError
from circuitz.evaluation.simulated_labeller import simulate_concept_answers
from circuitz.labelling.concepts.blind_pack import (
    annotated_targets_of_cut,
    blind_test_finding,
    blind_test_results,
    make_blind_pack,
    with_finished_tests,
)
from circuitz.labelling.concepts.concept_pack import make_concept_pack
from circuitz.labelling.tasks.pack_io import open_pack, write_pack
from circuitz.labelling.tasks.session import Session
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.store.judgements import Judgements
from circuitz.widgets.labelling import labelling_payload as payload
from circuitz.z.inputs import SPLITS
from circuitz.z.model import AnnotatedModel

LEXICON = Lexicon.load()


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "answers.sqlite")


def truth(z: AnnotatedModel) -> dict[str, np.ndarray]:
    shown = z.concept_set
    return {name: shown.concepts[:, i] for i, name in enumerate(shown.concept_names)}


def bare(z: AnnotatedModel) -> AnnotatedModel:
    """The same without any label."""
    return z.with_(concept_set=replace(z.concept_set, concepts=None, concept_names=()))


def verdicts(z: AnnotatedModel, store: Judgements, known, **options) -> dict[tuple[str, str], str]:
    pack = make_blind_pack(z, lexicon=LEXICON, **options)
    simulate_concept_answers(pack, store, known, seed=options.get("seed", 0))
    found = blind_test_results(pack, store.rows(task=pack.task))
    return {(b.target, b.word): b.detection.verdict for b in found}


def test_true_words_are_supported_and_false_ones_flagged_without_any_label(toy, store) -> None:
    z = toy()
    known = truth(z)
    assert set(verdicts(bare(z), store, known).values()) == {"supported"}
    wrong = bare(z).annotate("conv:2", "pointed ears").annotate("conv:3", "snow")
    found = verdicts(wrong, store, known, seed=1)
    assert found["conv:2", "pointed ears"] == "flagged"
    assert found["conv:3", "snow"] == "flagged"
    assert found["conv:0", "pointed ears"] == "supported"


def test_words_nobody_knows_are_never_supported(toy, store) -> None:
    z = bare(toy()).annotate("conv:0", "zorgle").annotate("conv:1", "Pfoten im Schnee")
    for seed in range(3):
        found = verdicts(z, store, {}, seed=seed, targets=("conv:0", "conv:1"))
        assert len(found) == 2
        assert "supported" not in found.values()


def test_half_are_active_half_hard_one_of_a_scene_on_test(toy) -> None:
    z = bare(toy())
    pack = make_blind_pack(z, ("conv:2",), lexicon=LEXICON, pairs=15)
    why = [f["tests"]["conv:2"] for f in pack.plan.values()]
    assert why.count("active") == why.count("hard") == 15
    assert why != sorted(why)
    assert why != sorted(why, reverse=True)
    rows = [f["row"] for f in pack.plan.values()]
    assert len({int(z.concept_set.scene[row]) for row in rows}) == 30
    assert {SPLITS[int(z.concept_set.split[row])] for row in rows} == {"test"}
    response = z.measurements.layers["conv"].responses[:, 2]
    by = {w: [response[f["row"]] for f in pack.plan.values() if f["tests"]["conv:2"] == w] for w in ("active", "hard")}  # fmt: skip
    assert min(by["active"]) > max(by["hard"])


def test_the_same_seed_asks_the_same_in_the_same_order(toy) -> None:
    z = bare(toy())
    one, two = (make_blind_pack(z, lexicon=LEXICON, seed=4) for _ in range(2))
    assert one.hash == two.hash
    assert [q.id for q in one.questions] == [q.id for q in two.questions]
    assert make_blind_pack(z, lexicon=LEXICON, seed=5).hash != one.hash


def test_nothing_on_the_screen_tells_which_half_a_picture_is_of(toy) -> None:
    pack = make_blind_pack(bare(toy()), ("conv:2",), lexicon=LEXICON)
    for q in pack.questions:
        told, blobs = payload.question_payload(pack, q)
        assert set(told) == {"id", "word", "type", "heat", "seen"}
        assert (told["word"], told["heat"], told["seen"]) == ("snow", [0, 0], [])
        assert list(blobs) == [f"picture {q.id}"]
        assert q.path == ""
    assert "conv" not in str(payload.task_pack_payload(pack))


def test_there_is_no_verdict_before_all_is_answered(toy, store) -> None:
    z = bare(toy())
    pack = make_blind_pack(z, ("conv:2",), lexicon=LEXICON)
    session = Session(pack, store, "ana")
    known = truth(toy())["snow"]
    for i, q in enumerate(pack.questions[:-1]):
        session.answer(q.id, "yes" if known[pack.plan[q.id]["row"]] else "no", f"key-{i:08d}")
    early = blind_test_results(pack, store.rows(task=pack.task))[0]
    assert early.open == 1
    finding = blind_test_finding(early, pack)
    assert finding.verdict == "inconclusive"
    assert "1 more picture" in finding.decide
    last = pack.questions[-1]
    session.answer(last.id, "yes" if known[pack.plan[last.id]["row"]] else "no", "key-99999999")
    done = blind_test_finding(blind_test_results(pack, store.rows(task=pack.task))[0], pack)
    assert done.verdict == "supported"
    assert "1 rater saw ‘snow’ in 20 of 20" in done.sentence


def test_a_simulated_rater_is_called_one(toy, store) -> None:
    pack = make_blind_pack(bare(toy()), ("conv:2",), lexicon=LEXICON)
    simulate_concept_answers(pack, store, truth(toy()))
    found = blind_test_results(pack, store.rows(task=pack.task))[0]
    assert found.simulated
    assert "1 simulated rater saw" in blind_test_finding(found, pack).sentence
    assert {row.rater_kind for row in store.rows(task=pack.task)} == {"simulated"}
    assert simulate_concept_answers(pack, store, truth(toy())) == 40
    assert len(store.rows(task=pack.task, current=False)) == 40  # sent again, stored once


def test_a_pack_on_disk_gives_the_same_result(toy, store, tmp_path) -> None:
    pack = make_blind_pack(bare(toy()), lexicon=LEXICON)
    write_pack(pack, tmp_path / "blind")
    back = open_pack(tmp_path / "blind")
    simulate_concept_answers(back, store, truth(toy()))
    one, two = (blind_test_results(p, store.rows(task=p.task)) for p in (pack, back))
    assert one == two
    assert len(one) == len(annotated_targets_of_cut(toy())) == 4


def test_what_cannot_be_tested_is_an_error_that_says_why(toy, store) -> None:
    z = bare(toy())
    with pytest.raises(LabellingError, match="No words stand on conv:0"):
        make_blind_pack(z.retract("conv:0"), ("conv:0",), lexicon=LEXICON)
    with pytest.raises(MeasurementError, match="not measured"):
        make_blind_pack(z.with_(measurements=None), lexicon=LEXICON)
    with pytest.raises(CircuitzError, match="conv:9"):
        make_blind_pack(z, ("conv:9",), lexicon=LEXICON, words=["snow"])
    nothing = z
    for unit in annotated_targets_of_cut(z):
        nothing = nothing.retract(unit)
    with pytest.raises(LabellingError, match="annotated"):
        make_blind_pack(nothing, lexicon=LEXICON)
    pack = make_concept_pack(z, ["snow"], lexicon=LEXICON, n=10)
    with pytest.raises(LabellingError, match="no blind test"):
        blind_test_results(pack, store.rows())
    with pytest.raises(LabellingError, match="share"):
        simulate_concept_answers(pack, store, {}, error=2)


def checked(z: AnnotatedModel, store: Judgements, known, seed: int = 0) -> AnnotatedModel:
    pack = make_blind_pack(z, lexicon=LEXICON, seed=seed)
    simulate_concept_answers(pack, store, known, seed=seed)
    return with_finished_tests(z, blind_test_results(pack, store.rows(task=pack.task)), pack)


def test_the_check_judges_words_by_blind_tests_where_no_label_can(toy, store) -> None:
    known = truth(toy())
    z = checked(bare(toy()).annotate("conv:3", "snow"), store, known)
    report = check(z)
    words = {f.units[0]: f for f in report.of("mislabelled-unit")}
    assert [words[f"conv:{i}"].verdict for i in range(4)] == ["supported"] * 3 + ["flagged"]
    assert "asked blind: 1 simulated rater saw" in words["conv:0"].sentence
    assert words["conv:0"].family == 4
    # What passed counts: the surroundings are caught at making husky without a single label.
    driver = check(checked(bare(toy(snow=0.6)), store, known, seed=1))
    found = {f.target: f.verdict for f in driver.of("implausible-driver") if "snow" in f.sentence}
    assert found["output:husky"] == "flagged"
    assert "conv:2" in {u for f in driver.of("unexplained-effect") for u in f.units}


def test_tests_of_other_weights_other_words_or_unfinished_ones_say_nothing(toy, store) -> None:
    known = truth(toy())
    z = checked(bare(toy()), store, known)
    assert check(z).decided
    other = z.with_(weights={"w": np.zeros((4, 4), np.float32)})
    assert not [f for f in check(other).of("mislabelled-unit") if f.verdict != "inconclusive"]
    renamed = z.annotate("conv:0", "teapot")
    assert next(f for f in check(renamed).of("mislabelled-unit") if f.units == ("conv:0",)).verdict == "inconclusive"  # fmt: skip
    pack = make_blind_pack(z, ("conv:0",), lexicon=LEXICON, seed=7)
    assert (
        with_finished_tests(bare(toy()), blind_test_results(pack, []), pack).notes
        == bare(toy()).notes
    )
    with pytest.raises(LabellingError, match="other weights"):
        with_finished_tests(other, blind_test_results(pack, []), pack)


def test_labels_go_before_blind_tests(toy, store) -> None:
    """Where the concept is labelled, its match decides."""
    z = toy()
    kept = checked(bare(z), store, truth(z)).notes
    found = check(z.with_(notes=kept)).of("mislabelled-unit")
    assert all("asked blind" not in f.sentence for f in found)
