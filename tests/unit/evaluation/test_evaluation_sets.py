from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from circuitz.data.worlds.dog_world import make_dogs
from circuitz.errors import InputsError
from circuitz.evaluation.evaluation_sets import (
    EXCLUSIVE,
    join_rendered_set_with_truth,
    make_decorrelated_set,
    make_shifted_set_with_truth,
    truth_from_recipe,
)
from circuitz.z.inputs import InputSet


def test_shifted_set_knows_what_it_shows_and_its_inputs_do_not() -> None:
    found = make_shifted_set_with_truth(5, seed=2)
    assert len(found) == 30
    assert found.inputs.labels is None
    assert found.inputs.concepts is None
    cells = found.truth.labels * 5 + found.truth.ground
    assert (np.bincount(cells, minlength=30) == 1).all()
    for group in EXCLUSIVE:
        columns = [found.truth.concept_names.index(c) for c in group]
        assert (found.truth.concepts[:, columns].sum(1) == 1).all()
    keys = found.content_hashes(np.arange(30))
    assert len(set(keys)) == 30
    assert keys == make_shifted_set_with_truth(5, seed=2).content_hashes(np.arange(30))


def test_cache_gives_the_same_set_and_heals(tmp_path: Path) -> None:
    plain = make_shifted_set_with_truth(5, seed=3)
    calls: list[int] = []
    first = make_shifted_set_with_truth(
        5, seed=3, cache=tmp_path, progress=lambda done, _: calls.append(done)
    )
    assert calls
    calls.clear()
    again = make_shifted_set_with_truth(
        5, seed=3, cache=tmp_path, progress=lambda done, _: calls.append(done)
    )
    assert not calls
    for one in (first, again):
        assert (np.asarray(one.inputs.images) == plain.inputs.images).all()
    (folder,) = tmp_path.iterdir()
    (folder / "images.npy").write_bytes(b"bad")
    healed = make_shifted_set_with_truth(5, seed=3, cache=tmp_path)
    assert (np.asarray(healed.inputs.images) == plain.inputs.images).all()
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len(make_shifted_set_with_truth(5, seed=3, cache=blocked)) == 30


def test_decorrelated_set_is_labelled_and_has_no_shortcut() -> None:
    found = make_decorrelated_set(20, seed=1)
    truth = truth_from_recipe(found)
    assert found.labels is not None
    assert (found.labels == truth.labels).all()
    assert len(set(truth.ground[truth.labels == 0].tolist())) == 5


def test_truth_of_d_comes_from_its_recipe() -> None:
    d = make_dogs("D", 10, seed=4)
    joined = join_rendered_set_with_truth(d)
    assert d.labels is not None
    assert (joined.truth.labels == d.labels).all()
    assert (joined.truth.ground[d.labels == 0] == 0).all()
    assert (joined.truth.ground[d.labels != 0] != 0).all()
    with pytest.raises(InputsError, match="not known"):
        truth_from_recipe(InputSet(d.images))
    with pytest.raises(InputsError, match="does not fit"):
        truth_from_recipe(InputSet(d.images[:5], recipe=d.recipe))
