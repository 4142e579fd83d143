from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from circuitz.disk.hashing import picture_hash
from circuitz.measurement.before_after_image import BeforeAfterImage, render_before_after
from circuitz.measurement.evidence_pictures import MOST
from circuitz.measurement.measure import measure
from circuitz.measurement.staged_progress import Stages
from circuitz.z.finding import Finding


def strip(size=(64, 64), channels=3, classes=("husky", "corgi"), **changes):
    draw = np.random.default_rng(0)
    share = np.full(len(classes), 1 / len(classes), np.float32)
    fields = {
        "source": draw.integers(0, 256, (*size, channels), dtype=np.uint8),
        "donor": draw.integers(0, 256, (*size, channels), dtype=np.uint8),
        "heat": draw.random((8, 8)).astype(np.float32),
        "before": share,
        "after": share,
        "classes": classes,
        "target": 0,
        "titles": ("a corgi", "3 units as in this husky", "husky: +20% of its effect"),
    }
    return BeforeAfterImage(**{**fields, **changes})


def opened(png):
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return np.asarray(picture)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(64, 64), (9, 30), (300, 200)])
def test_any_image_makes_a_light_picture_of_one_size(size, channels):
    array = opened(render_before_after(strip(size, channels)))
    assert array.shape == opened(render_before_after(strip())).shape
    assert array.shape[1] < 1000
    assert (array[0] == 255).all(), "light ground"


def test_bars_grow_with_the_probability_and_mark_the_target():
    def orange(share):
        after = np.array([share, 1 - share], np.float32)
        array = opened(render_before_after(strip(after=after))).astype(int)
        hit = (array[..., 0] > 180) & (array[..., 1] < 100) & (array[..., 2] < 60)
        return int(hit[:, -210:].sum())

    assert orange(0.95) > orange(0.5) > orange(0.05)


def test_many_classes_and_long_names_are_cut_short():
    names = tuple(f"a class with a very long name {i}" for i in range(40))
    share = np.zeros(40, np.float32)
    share[7] = 1.0
    array = opened(render_before_after(strip(classes=names, before=share, after=share, target=39)))
    assert array.shape == opened(render_before_after(strip())).shape


def test_heat_marks_where_the_donor_matters():
    cold, hot = (np.full((4, 4), v, np.float32) for v in (0, 1))
    grey = np.full((64, 64, 3), 128, np.uint8)
    one, two = (
        opened(render_before_after(strip(donor=grey, heat=h))).astype(int) for h in (cold, hot)
    )
    changed = (two - one)[..., 0] - (two - one)[..., 2] > 40
    assert changed.sum() == pytest.approx(192 * 192, rel=0.02)


def test_the_same_strip_gives_the_same_bytes():
    assert render_before_after(strip()) == render_before_after(strip())


def test_many_sets_still_make_few_pictures_and_audit_is_not_shown(world):
    z = world.z()
    for unit, text in enumerate(["tail", "grass", "snow", "coat"]):
        z = z.annotate(f"colour:{unit}", text)
    z = z.annotate("group:colour:0,colour:1", "ears").annotate("group:colour:1,colour:2", "paws")
    found = measure(z, world.concepts(), images=15).measurements
    assert 0 < len(found.pictures) <= MOST
    assert all(picture_hash(png) == name for name, png in found.pictures.items())
    shown = {name for hashes in found.group_pictures.values() for name in hashes}
    assert shown == set(found.pictures)


def _finding(units, target):
    return Finding(
        id="f", kind="bypass", version=1, units=units, target=target, verdict="flagged",
        sentence="", estimate=0.3, ci=(0.2, 0.4), q=0.01, p=0.01, power=0.9, delta=0.1,
    )  # fmt: skip


def test_sets_that_findings_are_about_are_run_and_drawn_once(world):
    z = measure(world.z(), world.concepts(), images=15)
    assert not z.measurements.pictures, "no words, no sets"
    findings = [
        _finding(("colour:2", "colour:0"), "output:husky"),
        _finding(("colour:1",), ""),
        _finding(("colour:1",), "output:cat"),
        _finding(("elsewhere:1",), "output:husky"),
    ]
    drawn = measure(z, findings=findings, images=15).measurements
    assert "colour:0+colour:2->husky" in drawn.group_pictures
    assert {key.rpartition("->")[0] for key in drawn.group_pictures} == {"colour:0+colour:2"}
    assert ("colour:0", "colour:2") in drawn.effects.groups
    again = measure(z.with_(measurements=drawn), findings=findings, images=15).measurements
    assert again.effects is drawn.effects
    assert again.group_pictures == drawn.group_pictures
    plain = measure(z, findings=findings, pictures=False, images=15).measurements
    assert plain.effects.groups == z.measurements.effects.groups


def test_stages_move_forward_only():
    told = []
    stages = Stages(lambda *a: told.append(a), {"one": 1, "none": 0, "three": 3})
    stages.advance("one", 1, 2)
    stages.advance("one", 1, 4)
    stages.advance("none", 5, 5)
    stages.advance("three", 1, 3)
    stages.advance("three", 0, 0)
    stages.finish()
    assert told == [(125, 1000), (250, 1000), (500, 1000), (1000, 1000)]
    Stages(None, {"one": 1}).advance("one", 1, 1)
