"""Effects against what the hand-wired network must give."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.errors import MeasurementError
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.from_cut import Downstream
from circuitz.patching.source_rows import draw_sources
from circuitz.patching.trials import (
    InterventionTrials,
    class_margin_scales,
    sufficiency_and_necessity_by_group,
    sufficiency_and_necessity_by_unit,
)


def setup(world, shortcut=True, **changes):
    z = world.z(**changes)
    sources = draw_sources(z.data, z.classes, per_split=15, donors=3)
    run = runtime(z)
    acts = run.run(run.prepare(z.data.images[sources.index]), ["colour"])[0]["colour"]
    down = Downstream(run, z.layers[0], acts, shortcut=shortcut)
    return z, sources, down, class_margin_scales(down, sources, z.classes)


@pytest.mark.parametrize("shortcut", [True, False])
def test_single_effects_are_what_the_wiring_says(world, shortcut):
    z, sources, down, scale = setup(world, shortcut)
    sufficiency, necessity = sufficiency_and_necessity_by_unit(down, sources, scale)
    means = world.unit_means(z.data.images[sources.index])
    slopes = world.margin_slopes()
    margin = means @ slopes.T
    not_audit = sources.split != 2
    for k in range(3):
        own = sources.label == k
        expected = margin[own & not_audit, k].mean() - margin[~own & not_audit, k].mean()
        assert scale[k] == pytest.approx(expected, rel=1e-4)
        lent = means[sources.donors[:, k]].mean(1)
        change = (lent - means) * slopes[k] / scale[k]
        assert np.allclose(sufficiency[~own, :, k], change[~own], atol=1e-4)
        assert np.allclose(necessity[own, :, k], -change[own], atol=1e-4)
        assert np.isnan(sufficiency[own, :, k]).all()
        assert np.isnan(necessity[~own, :, k]).all()
    assert sufficiency.dtype == necessity.dtype == np.float32
    assert np.nan_to_num(np.abs(sufficiency[:, 3])).max() == 0, "the unit that is off does nothing"
    blue = np.nanmean(sufficiency[:, 2], 0)
    assert blue[0] == max(np.nanmean(sufficiency[..., 0], 0)), "snow drives husky"


@pytest.mark.parametrize("shortcut", [True, False])
def test_joint_effects_are_sums_where_the_rest_is_linear(world, shortcut):
    _, sources, down, scale = setup(world, shortcut)
    single = sufficiency_and_necessity_by_unit(down, sources, scale)
    joint = sufficiency_and_necessity_by_group(down, sources, scale, [[0, 2], [1], [0, 1, 2, 3]])
    for one, many in zip(single, joint, strict=True):
        assert many.shape == (3, len(sources), 3)
        assert np.allclose(many[0], one[:, [0, 2]].sum(1), atol=1e-4, equal_nan=True)
        assert np.allclose(many[1], one[:, 1], atol=1e-4, equal_nan=True)
    whole = np.nanmean(joint[0][2], 0)
    assert np.allclose(whole, 1, atol=0.15), "resampling the whole cut is the unit of effects"
    assert sufficiency_and_necessity_by_group(down, sources, scale, [])[0].shape == (
        0,
        len(sources),
        3,
    )


def test_joint_effects_of_a_bent_network_are_run_not_added(world):
    _, sources, down, scale = setup(world, live=world.bent, weights=weights(world))
    assert not down.affine
    single = sufficiency_and_necessity_by_unit(down, sources, scale)[0]
    joint = sufficiency_and_necessity_by_group(down, sources, scale, [[0, 1, 2]])[0]
    gap = np.abs(np.nanmean(single[:, :3].sum(1), 0) - np.nanmean(joint[0], 0))
    assert gap.max() > 0.02
    assert np.allclose(np.nanmean(joint[0], 0), 1, atol=0.15)


def weights(world):
    from circuitz.models.adapters.weight_arrays import weights_to_numpy

    return weights_to_numpy(world.bent)


def test_every_intervention_is_listed_once(world):
    _, sources, _, _ = setup(world)
    some = sources.take(np.array([4, 7]))
    trials = InterventionTrials.from_sources(some)
    assert trials.source.tolist() == [4] * 9 + [7] * 9
    assert trials.target.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2] * 2
    assert trials.donor.tolist() == some.donors.ravel().tolist()


def test_a_class_the_network_does_not_tell_apart(world):
    data = world.data()
    wrong = world.data(labels=np.roll(data.labels, 24))
    with pytest.raises(MeasurementError, match="does not tell") as caught:
        setup(world, data=wrong)
    assert "order of classes" in caught.value.hint
