from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from circuitz.errors import CheckError, ConceptLabelsError, InputsError, MeasurementError
from circuitz.plausibility.check import check
from circuitz.plausibility.claim import finding_id
from circuitz.plausibility.propose import propose
from circuitz.plausibility.rules.kinds import RULES
from circuitz.z.finding import Waiver
from circuitz.z.measurements import Measurements

TRUE = {
    0: "snow",
    1: "snow",
    2: "grass",
    3: "pointed ears",
    4: "floppy ears",
    5: "fluffy coat",
    6: "curled tail",
}
GROUPS = [(0, 1), (3, 4, 5, 6), tuple(range(7))]


def test_worst_first_and_ids_that_stay(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    one, two = check(z), check(plant(seed=1, words=TRUE, groups=GROUPS), split="audit")
    assert sorted(f.id for f in one.findings) == sorted(f.id for f in two.findings)
    assert len({f.id for f in one.findings}) == len(one.findings)
    order = ["flagged", "inconclusive", "supported"]
    ranks = [(order.index(f.verdict), list(RULES).index(f.kind)) for f in one.findings]
    assert ranks == sorted(ranks)
    assert one.findings[0].kind == "implausible-driver"


def test_family_sizes_are_those_of_all_claims_tested(plant) -> None:
    report = check(plant(words={**TRUE, 7: "gizmo"}, groups=GROUPS))
    sizes = {kind: {f.family for f in report.of(kind)} for kind in RULES}
    assert {kind: size for kind, size in sizes.items() if size} == {
        "implausible-driver": {8},  # snow and grass, four classes
        "mislabelled-unit": {7},  # the word nobody knows was not tested
        "missing-support": {4},
        "unexplained-effect": {4},
    }


def test_the_same_question_has_the_same_answer(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    one, two = check(z).to_dict(), check(z).to_dict()
    del one["seconds"], two["seconds"]
    assert one == two


def test_a_check_changes_nothing(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    effects = z.measurements.effects
    before = [effects.sufficiency.copy(), z.concept_set.concepts.copy(), z.hash]
    check(z)
    np.testing.assert_array_equal(effects.sufficiency, before[0])
    np.testing.assert_array_equal(z.concept_set.concepts, before[1])
    assert z.hash == before[2]


def test_permuted_concepts_flag_nothing_beyond_the_rate(plant) -> None:
    hits = tests = proposed = 0
    for seed in range(40):
        z = plant(seed=seed, n=400, a_class=20, words=TRUE, groups=GROUPS, permute=True)
        report = check(z)
        kinds = ("implausible-driver", "mislabelled-unit")
        hits += any(f.kind in kinds for f in report.flagged)
        tests += 1
        proposed += len(propose(z).annotations) - 7
    assert tests == 40
    assert hits <= 5
    assert proposed == 0


def test_surroundings_that_drive_nothing_are_rarely_flagged(plant) -> None:
    # The snow units carry noise alone; each world is a new draw.
    speaks = {"husky": {3: 2.0, 6: 2.0}, "beagle": {4: 3.0}, "corgi": {3: 1.0}, "poodle": {5: 3.0}}
    hits = 0
    for seed in range(40):
        z = plant(seed=seed, n=400, a_class=20, speaks=speaks, words={0: "snow", 2: "grass"})
        rng = np.random.default_rng(seed)
        effects = z.measurements.effects
        shuffled = effects.sufficiency.copy()
        shuffled[:, :3] += 0.1 + 0.3 * rng.normal(size=shuffled[:, :3].shape)
        z = z.with_(
            measurements=replace(
                z.measurements,
                # True effects sit exactly on the margin: the worst case of the null.
                effects=replace(effects, sufficiency=shuffled, drive=effects.drive + 0.5),
            )
        )
        hits += any(f.kind == "implausible-driver" for f in check(z).flagged)
    assert hits <= 6


def test_measurements_that_are_missing_are_named(plant, change) -> None:
    z = plant(words=TRUE)
    with pytest.raises(MeasurementError, match=r"cz\.measure"):
        check(z.with_(measurements=None))
    with pytest.raises(MeasurementError, match=r"cz\.measure"):
        check(z.with_(measurements=Measurements()))
    with pytest.raises(MeasurementError, match="effects"):
        check(change(z, effects=None))
    with pytest.raises(MeasurementError, match="audit"):
        check(change(z, split=np.zeros(480, np.uint8)), split="audit")
    layer = z.measurements.layers["conv4"]
    short = replace(layer, responses=layer.responses[:10])
    with pytest.raises(MeasurementError, match="10 images"):
        check(change(z, layers={"conv4": short}))


def test_concept_labels_that_are_missing_are_named(plant) -> None:
    z = plant(words=TRUE)
    with pytest.raises(ConceptLabelsError):
        check(z.with_(concept_set=None))
    with pytest.raises(InputsError, match="not split"):
        check(z.with_(concept_set=replace(z.concept_set, split=None)))
    with pytest.raises(MeasurementError, match="concept set hold no image"):
        check(z.with_(concept_set=replace(z.concept_set, split=np.zeros(800, np.uint8))))


@pytest.mark.parametrize(
    "settings",
    [{"split": "train"}, {"delta": 0}, {"q": 2}, {"unexplained_bound": -1}, {"delta": "x"}],
)
def test_settings_that_make_no_sense_are_named(plant, settings) -> None:
    with pytest.raises(CheckError):
        check(plant(), **settings)


def test_one_class_and_no_images_of_a_kind_conclude_nothing(plant, looks) -> None:
    alone = plant(looks={"husky": looks["husky"]}, speaks={"husky": {0: 3.0}}, words=TRUE)
    report = check(alone)
    assert not [f for f in report.flagged if f.kind == "implausible-driver"]
    json.loads(report.to_json())


def test_waivers_travel_with_their_finding(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    (found,) = check(z).flagged
    z = z.with_(waivers=(Waiver(found.id, "anna", "a demonstration", "2020"),))
    report = check(z)
    assert not report.flagged
    assert [f.id for f in report.waived] == [found.id]
    assert report.waived[0].waiver.reason == "a demonstration"
    assert report.exit_code() == 0
    assert "waived by anna" in repr(report)


def test_a_waiver_kept_under_the_lexicons_name_of_a_column_holds(plant) -> None:
    z = plant(words=TRUE, groups=GROUPS)
    named = tuple("snowy" if name == "snow" else name for name in z.concept_set.concept_names)
    z = z.with_(concept_set=replace(z.concept_set, concept_names=named))
    now = next(f for f in check(z).flagged if f.kind == "implausible-driver")
    before = finding_id(now.kind, now.target, "snow")
    assert before != now.id
    old = z.with_(waivers=(Waiver(before, "anna", "a demonstration", "2020"),))
    assert [f.id for f in check(old).waived] == [now.id]


def test_stale_measurements_are_named(plant, change) -> None:
    z = change(plant(words=TRUE, groups=GROUPS), weights_hash="not these")
    report = check(z)
    assert report.stale == ("weights",)
    assert "Stale: weights" in repr(report)
    assert report.exit_code(strict=True) == 1


def test_an_edit_of_three_hundred_units_is_judged(plant) -> None:
    rng = np.random.default_rng(0)
    names = ("snow", "grass", "sand", "pointed ears", "floppy ears", "fluffy coat", "curled tail")
    sees = [{names[i % 7]: 1.0} for i in range(300)]
    classes = ("husky", "beagle", "corgi", "poodle")
    speaks = {name: dict(enumerate(rng.normal(size=300).tolist())) for name in classes}
    z = propose(plant(sees=sees, speaks=speaks, groups=[tuple(range(300))]))
    check(z)
    edited = z.annotate("conv4:0", "fluffy coat")
    assert check(edited).findings
    assert len(edited.effective()) == 300


def test_checking_needs_no_torch() -> None:
    import subprocess

    code = (
        "import sys, circuitz.plausibility.check, circuitz.plausibility.propose;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
