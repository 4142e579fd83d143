from __future__ import annotations

import numpy as np
import pytest
import torch

from circuitz.errors import WeightsError
from circuitz.models.adapters.weight_arrays import load_numpy_weights, weights_to_numpy
from circuitz.models.zoo.builders import build

ARGS = {"classes": 3, "widths": [4, 5], "strides": [2, 2]}


def nets():
    torch.manual_seed(0)
    return build("small-cnn", ARGS), build("small-cnn", ARGS)


def test_round_trip_is_exact_and_keeps_the_order():
    one, two = nets()
    arrays = weights_to_numpy(one)
    assert list(arrays) == list(one.state_dict())
    load_numpy_weights(two, arrays)
    assert all(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    )


def test_arrays_are_a_copy():
    one, _ = nets()
    arrays = weights_to_numpy(one)
    before = arrays["head.bias"].copy()
    with torch.no_grad():
        one.head.bias.add_(1)
    assert np.array_equal(arrays["head.bias"], before)


def test_memory_layout_does_not_change_the_arrays():
    one, _ = nets()
    plain = weights_to_numpy(one)
    moved = weights_to_numpy(one.to(memory_format=torch.channels_last))
    for name, array in plain.items():
        assert array.tobytes() == moved[name].tobytes()


def test_bfloat16_goes_through_float32_without_loss():
    one, two = nets()
    one, two = one.bfloat16(), two.bfloat16()
    arrays = weights_to_numpy(one)
    assert arrays["head.weight"].dtype == np.float32
    load_numpy_weights(two, arrays)
    assert torch.equal(one.head.weight, two.head.weight)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("head.bias"), "missing head.bias"),
        (lambda w: w.update(extra=np.zeros(3)), "unexpected extra"),
        (lambda w: w.update({"head.bias": np.zeros(4, np.float32)}), r"\(4,\), expected \(3,\)"),
        (lambda w: w["head.bias"].fill(np.nan), "NaN"),
        (lambda w: w["conv1.0.weight"].fill(np.inf), "NaN or infinite"),
        (lambda w: w.clear(), "and .* more"),
    ],
)
def test_weights_that_do_not_fit_leave_the_network_alone(change, said):
    one, two = nets()
    arrays = weights_to_numpy(two)
    change(arrays)
    before = {k: v.clone() for k, v in one.state_dict().items()}
    with pytest.raises(WeightsError, match=said):
        load_numpy_weights(one, arrays)
    assert all(torch.equal(v, before[k]) for k, v in one.state_dict().items())


def test_state_that_is_no_tensor_and_weights_that_are_not_finite():
    one, _ = nets()
    with torch.no_grad():
        one.head.weight[0, 0] = float("nan")
    with pytest.raises(WeightsError, match=r"head\.weight"):
        weights_to_numpy(one)

    class Odd(torch.nn.Module):
        def get_extra_state(self):
            return {"a": 1}

    with pytest.raises(WeightsError, match="not a tensor"):
        weights_to_numpy(Odd())
