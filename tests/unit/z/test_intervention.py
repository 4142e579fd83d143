from __future__ import annotations

import json

import numpy as np
import pytest

from circuitz.errors import InterventionError
from circuitz.z.bundle.load_save import load
from circuitz.z.intervention import Intervention, interventions_of, with_interventions
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

ALL = (
    Intervention("conv4", (1,)),
    Intervention("conv4", (0, 3), "mean"),
    Intervention("conv4", (2,), "resample", seed=7),
    Intervention("conv4", (2,), "patch", donors=(3, 1)),
    Intervention("conv4", (2, 5), "clamp", (0.5, -1.0), positions=(0, 9)),
    Intervention("blocks.1", (2,), "steer", (3,)),
)


@pytest.mark.parametrize("how", ALL, ids=lambda i: i.kind)
def test_json_and_back(how) -> None:
    text = json.dumps(how.to_json())
    assert Intervention.from_json(json.loads(text)) == how


def test_plain_numbers_and_arrays_are_read() -> None:
    one = Intervention("a", [3], "clamp", 2)  # type: ignore[arg-type]
    assert (one.units, one.value) == ((3,), (2.0,))
    two = Intervention("a", np.array([3, 4]), "steer", np.array([1.0, 2.0]))  # type: ignore[arg-type]
    assert (two.units, two.value) == ((3, 4), (1.0, 2.0))
    assert hash(two) == hash(Intervention("a", (3, 4), "steer", (1, 2)))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"layer": ""}, "names no layer"),
        ({"kind": "explode"}, "no intervention 'explode'"),
        ({"units": ()}, "none, or named twice"),
        ({"units": (1, 1)}, "none, or named twice"),
        ({"units": (-1,)}, "not whole numbers"),
        ({"units": (0.5,)}, "not whole numbers"),
        ({"units": (True,)}, "not whole numbers"),
        ({"units": "12"}, "not whole numbers"),
        ({"positions": (-3,)}, "not whole numbers"),
        ({"kind": "clamp"}, "needs a value"),
        ({"value": (1.0,)}, "takes no value"),
        ({"units": (1, 2, 3), "kind": "steer", "value": (1.0, 2.0)}, "2 values do not fit 3 units"),
        ({"kind": "clamp", "value": float("nan")}, "no finite number"),
        ({"kind": "clamp", "value": "much"}, "no finite number"),
        ({"donors": (1,)}, "takes no donors"),
        ({"kind": "clamp", "value": np.zeros((3, 4))}, r"array of shape \(3, 4\), not one number"),
        ({"kind": "clamp", "value": [[1.0, 2.0]]}, "1 rows of 2, not one number"),
        (
            {"kind": "steer", "value": np.full(9999, np.nan)},
            r"array of shape \(9999,\) is no finite",
        ),
        ({"units": np.zeros((50, 2))}, r"units are an array of shape \(50, 2\)"),
        ({"kind": "clamp", "value": ["x" * 999]}, "no finite number"),
    ],
)
def test_parts_that_do_not_fit_are_named(how, says) -> None:
    with pytest.raises(InterventionError, match=says) as caught:
        Intervention(**{"layer": "conv4", "units": (1,), **how})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"layer": "a", "units": [1], "code": "x"}, "has no 'code'"),
        ({"layer": "a"}, "names no units"),
        ([], "is no intervention"),
        ({"layer": "a", "units": None}, "not whole numbers"),
    ],
)
def test_json_that_is_no_intervention(found, says) -> None:
    with pytest.raises(InterventionError, match=says):
        Intervention.from_json(found)


def test_a_bundle_keeps_them(tmp_path) -> None:
    z = AnnotatedModel("dogs", ("a", "b"), "dog", layers=(LayerSpec("conv4", 6),), cut=("conv4",))
    more = with_interventions(with_interventions(z, "no snow", ALL[:2]), "steered", ALL[5:])
    back = load(more.save(tmp_path / "dogs.z"))
    assert interventions_of(back, "no snow") == ALL[:2]
    assert interventions_of(back, "steered") == ALL[5:]
    with pytest.raises(InterventionError, match="keeps no interventions 'no snow'"):
        interventions_of(z, "no snow")
    with pytest.raises(InterventionError, match="no list"):
        interventions_of(z.with_(notes={"interventions": {"odd": 3}}), "odd")
