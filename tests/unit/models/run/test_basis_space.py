from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import BasisError, UnitError
from circuitz.models.run.basis import Basis
from circuitz.responses.directions.sae import train_sae
from circuitz.z.bases import arrays_with_basis_replaced, basis_parts, basis_place, basis_sizes

DRAW = np.random.default_rng(0)
D, K = 6, 4


def random_basis(**changes):
    arrays = {
        "directions": DRAW.normal(size=(K, D)),
        "readers": DRAW.normal(size=(K, D)),
        "centre": DRAW.normal(size=D),
        "offset": DRAW.normal(size=K),
    }
    return Basis(**{k: v.astype(np.float32) for k, v in arrays.items()}, **changes)


READ = {
    "linear": {},
    "relu": {},
    "tanh-relu": {},
    "jumprelu": {"threshold": np.full(K, 0.4, np.float32)},
    "topk": {"top": 2},
    "nonnegative": {},
}


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("normalise", ["none", "norm", "layer_norm"])
def test_reading_is_what_it_says_and_a_basis_comes_back_from_its_parts(read, normalise):
    basis = random_basis(read_as=read, normalise=normalise, **READ[read])
    x = torch.randn(3, D, 5, generator=torch.Generator().manual_seed(0))
    again = Basis.from_arrays(
        basis_parts(arrays_with_basis_replaced({}, "conv@b", basis.to_arrays()), "conv@b"), "conv@b"
    )
    assert torch.equal(again.coordinates(x), basis.coordinates(x))
    assert again.hash == basis.hash
    assert (again.kind, again.top, again.read_as) == (basis.kind, basis.top, read)
    v = x.movedim(1, 2).reshape(-1, D).numpy()
    if normalise == "norm":
        v = v / np.linalg.norm(v, axis=1, keepdims=True) * D**0.5
    if normalise == "layer_norm":
        v = v - v.mean(1, keepdims=True)
        v = v / (v.std(1, ddof=1, keepdims=True) + 1e-5)
    lean = (v - basis.centre) @ basis.readers.T + basis.offset
    if read == "relu":
        lean = np.maximum(lean, 0)
    if read == "tanh-relu":
        lean = np.tanh(np.maximum(lean, 0))
    if read == "jumprelu":
        lean = np.where(lean > 0.4, lean, 0)
    if read == "topk":
        least = np.sort(lean, 1)[:, [-2]]
        lean = np.where(lean >= least, np.maximum(lean, 0), 0)
    if read != "nonnegative":
        found = basis.coordinates(x).movedim(1, 2).reshape(-1, K).numpy()
        assert np.allclose(found, lean, atol=1e-4)


def test_non_negative_coordinates_explain_best_together():
    rows = np.abs(DRAW.normal(size=(3, D))).astype(np.float32)
    known = np.abs(DRAW.normal(size=(7, 3))).astype(np.float32)
    zeros = np.zeros(D, np.float32), np.zeros(3, np.float32)
    basis = Basis(rows, rows, *zeros, read_as="nonnegative")
    found = basis.coordinates(torch.from_numpy(known @ rows)[:, :, None])[..., 0].numpy()
    assert (found >= 0).all()
    assert np.abs(found @ rows - known @ rows).max() < 0.1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 8), st.integers(0, 10))
def test_removing_the_coordinate_of_one_row_leaves_nothing_along_it(k, d, seed):
    rows = np.random.default_rng(seed).normal(size=(k, d)).astype(np.float32)
    basis = Basis.from_rows(rows)
    x = torch.randn(2, d, 3, generator=torch.Generator().manual_seed(seed))
    for i in range(k):
        change = torch.zeros(2, k, 3)
        change[:, i] = -basis.coordinates(x)[:, i]
        left = x + basis.activation_change(change, x)
        assert basis.coordinates(left)[:, i].abs().max() < 1e-3


@pytest.mark.parametrize(
    "rows",
    [
        [[np.nan, 1.0]],
        np.zeros((0, 3)),
        np.ones((2, 2, 2)),
        [[1, 2], [0, 0]],
        "words",
        [[1], [1, 2]],
    ],
)
def test_what_is_no_basis_is_named(rows):
    with pytest.raises(BasisError):
        Basis.from_rows(rows)


def test_parts_that_do_not_fit_are_named():
    good = random_basis().to_arrays()
    for name, bad in {
        "readers": np.ones((K, D + 1), np.float32),
        "about": np.frombuffer(b"{}", np.uint8)[None],
        "centre": np.ones((1, 2), np.float32),
        "": np.ones((K, D + 2), np.float32),
    }.items():
        with pytest.raises(BasisError):
            Basis.from_arrays({**good, name: bad}, "conv@b")
    with pytest.raises(BasisError):
        Basis.from_arrays({k: v for k, v in good.items() if k != "offset"}, "conv@b")
    with pytest.raises(BasisError):
        replace(random_basis(), read_as="jumprelu")
    with pytest.raises(BasisError):
        replace(random_basis(), read_as="topk", top=K + 1)


def test_names_and_sizes():
    assert basis_place("a.b", "nmf-2") == "a.b@nmf-2"
    for bad in ("", "a b", "x#y", "x:y", "é", "-"):
        with pytest.raises(UnitError):
            basis_place("a", bad)
    arrays = arrays_with_basis_replaced(
        {"conv@other": np.ones((2, 3))}, "conv@b", random_basis().to_arrays()
    )
    assert basis_sizes(arrays) == {"conv@other": 2, "conv@b": K}
    assert set(arrays_with_basis_replaced(arrays, "conv@b", None)) == {"conv@other"}


# -- sparse autoencoders ------------------------------------------------------------------


def test_an_autoencoder_finds_the_directions_data_are_made_of():
    rows = np.linalg.qr(DRAW.normal(size=(8, 8)))[0][:6].astype(np.float32)
    code = np.zeros((4000, 6), np.float32)
    for _ in range(2):
        code[np.arange(4000), DRAW.integers(0, 6, 4000)] += DRAW.uniform(0.5, 2, 4000).astype(
            np.float32
        )
    basis = train_sae(code @ rows, 8, 2, steps=500)
    assert np.allclose(np.linalg.norm(basis.directions, axis=1), 1, atol=1e-4)
    best = np.abs(rows @ basis.directions.T).max(1)
    assert (best > 0.9).sum() >= 5
    assert np.array_equal(
        train_sae(code @ rows, 8, 2, steps=20).readers,
        train_sae(code @ rows, 8, 2, steps=20).readers,
    )
    with pytest.raises(BasisError, match="all the same"):
        train_sae(np.ones((50, 3), np.float32), 4, 2)
