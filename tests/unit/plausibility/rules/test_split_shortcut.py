from __future__ import annotations

import numpy as np
import pytest

from circuitz.plausibility.check import check

KIND = "split-shortcut"
PARTS = ("pointed ears", "floppy ears", "fluffy coat", "curled tail")
#: Eight units that see a part each, and a little snow; four pure ones take the parts back.
SEES = (
    *({PARTS[i % 4]: 1.0, "snow": 0.3} for i in range(8)),
    *({part: 1.0} for part in PARTS),
    {"grass": 1.0},
)


def split(plant, share: float = 0.5, words: dict[int, str] | None = None, **more):
    """Snow makes that share of husky, an eighth of it through each of eight units."""
    each = 4 * share / 8 / 0.3
    husky = dict.fromkeys(range(8), each) | {8 + i: -2 * each for i in range(4)}
    husky[8] += 1.5
    husky[11] += 1.5
    speaks = {"husky": husky, "beagle": {9: 3.0}, "corgi": {8: 3.0}, "poodle": {10: 3.0}}
    said = {i: PARTS[i % 4] for i in range(8)} | {8 + i: part for i, part in enumerate(PARTS)}
    return plant(
        sees=SEES, speaks=speaks, words=said if words is None else words, noise=0.05, **more
    )


def test_snow_split_over_units_that_pass_for_parts_is_caught(plant) -> None:
    report = check(split(plant))
    (found,) = [f for f in report.flagged if f.kind == KIND]
    assert found.target == "output:husky"
    assert set(found.units) == {f"conv4:{i}" for i in range(8)}
    assert "none called so" in found.sentence
    assert [r.action for r in found.remedies[:3]] == ["silence", "search", "annotate"]
    assert found.remedies[0].label == f"Cut the path: silence {found.units[0]} and 7 more"
    assert found.chain
    assert found.ci[0] < found.estimate < found.ci[1]
    assert found.estimate == pytest.approx(0.4, abs=0.15)
    # The words on each of them hold.
    assert not [f for f in report.flagged if f.kind in ("implausible-driver", "mislabelled-unit")]


def test_an_honest_network_has_none(plant) -> None:
    report = check(split(plant, share=0.0))
    assert not report.of(KIND)


def test_one_unit_is_no_split(plant) -> None:
    words = {3: "pointed ears", 4: "floppy ears", 5: "fluffy coat", 6: "curled tail", 1: "snow"}
    assert not check(plant(words=words)).of(KIND, "husky")


def test_what_snow_takes_from_other_classes_is_not_held_against_them(plant) -> None:
    assert {f.target for f in check(split(plant)).flagged if f.kind == KIND} == {"output:husky"}


def test_words_edited_since_leave_room_for_what_was_not_run(plant, change) -> None:
    z = split(plant).annotate("conv4:0", "snow and pointed ears", author="ben")
    found = check(z).of(KIND, "husky")
    assert found
    assert "conv4:0" not in found[0].units or found[0].verdict != "supported"


def test_without_measured_concepts_nothing_is_said(plant, change) -> None:
    assert not check(change(split(plant), concepts=None)).of(KIND)


def test_permuted_labels_accuse_nobody(plant, change) -> None:
    z = split(plant)
    effects = z.measurements.effects.concepts
    rng = np.random.default_rng(0)
    from dataclasses import replace

    flip = rng.choice([-1.0, 1.0], len(effects.of))[:, None]
    null = replace(
        effects,
        whole=(effects.whole * flip).astype(np.float32),
        rest=(effects.rest * flip).astype(np.float32),
    )
    assert not [f for f in check(change(z, concepts=null)).flagged if f.kind == KIND]
