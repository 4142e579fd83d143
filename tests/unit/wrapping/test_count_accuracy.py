"""Accuracy on D is counted when a network is wrapped, told everywhere, and decides whether a check means anything."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.errors import ChanceAccuracyError, NetworkWarning
from circuitz.stats.balanced_share import balanced_share
from circuitz.wrapping.count_accuracy import accuracy_on_data, sample_rows_to_check
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

HOW = Preprocessing((0.0,) * 3, (1.0,) * 3, (6, 6))
N = 90


class Colours(nn.Module):
    """Tells red, green and blue apart by construction."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 3, 1), nn.Linear(3, 3)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3)[:, :, None, None])
            self.head.weight.copy_(torch.eye(3))
            self.conv.bias.zero_()
            self.head.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(x).relu().mean((2, 3)))


def colours(labels: np.ndarray | None, role: str = "D") -> InputSet:
    draw = np.random.default_rng(0)
    shown = np.arange(N) % 3
    images = draw.integers(0, 60, (N, 6, 6, 3)) + 150 * np.eye(3, dtype=int)[shown][:, None, None]
    known = {
        "concepts": np.eye(3, dtype=np.float32)[shown],
        "concept_names": ("snow", "fur", "sky"),
    }
    return InputSet(
        images.astype(np.uint8), labels=labels, classes=("a", "b", "c"), role=role,
        split=(np.arange(N) // 3 % 3).astype(np.uint8), scene=np.arange(N),
        **(known if role == "concepts" else {}),
    )  # fmt: skip


def wrapped(labels: np.ndarray | None) -> cz.AnnotatedModel:
    return cz.wrap(Colours(), colours(labels), layers=["conv"], preprocess=HOW)


RIGHT = np.arange(N) % 3
PERMUTED = np.random.default_rng(3).permutation(RIGHT)


def test_a_network_that_is_right_says_how_often() -> None:
    z = wrapped(RIGHT)
    assert z.accuracy.share.value == 1
    assert z.accuracy.beats_chance
    assert f"accuracy on D {z.accuracy}" in repr(z)
    report = cz.check(cz.measure(z, colours(None, "concepts"), images=20))
    assert f"accuracy on D: {z.accuracy}" in repr(report)
    assert report.to_dict()["accuracy"]["share"]["value"] == 1
    assert "near-chance" not in [p.code for p in report.problems]


def test_labels_that_mean_nothing_are_told_at_once_and_refused_by_the_check(tmp_path) -> None:
    labels = PERMUTED
    with pytest.warns(NetworkWarning, match="no better than always saying the same"):
        z = wrapped(labels)
    right = float((labels == RIGHT).mean())
    assert z.accuracy.share.value == pytest.approx(right)
    assert z.accuracy.balanced.value == pytest.approx(
        np.mean([(RIGHT[labels == k] == k).mean() for k in range(3)])
    )
    assert "no better than chance" in repr(z)
    assert any(f"{z.accuracy}" in remark for remark in z.remarks)
    z = z.with_(measurements=cz.measure(wrapped(RIGHT), colours(None, "concepts"), images=20).measurements,
                concept_set=colours(None, "concepts"))  # fmt: skip
    with pytest.raises(ChanceAccuracyError, match=r"by chance 33\.3%") as caught:
        cz.check(z)
    assert caught.value.code == "near-chance"
    assert "untrained=True" in caught.value.hint
    report = cz.check(z, untrained=True)
    assert report.problems[0].code == "near-chance"


def test_without_labels_it_is_not_known() -> None:
    z = wrapped(None)
    assert z.accuracy is None
    assert "accuracy on D not known" in repr(z)


def test_it_is_forgotten_with_other_weights_or_other_data_and_counted_anew() -> None:
    z = wrapped(RIGHT)
    other = z.with_(weights={k: v + 1 for k, v in z.weights.items()}, live=None)
    assert other.accuracy is None
    assert z.with_(data=colours(PERMUTED), data_ref=None).accuracy is None
    assert z.with_(name="other").accuracy == z.accuracy
    measured = cz.measure(z.with_(notes={}), colours(None, "concepts"), images=20)
    assert measured.accuracy == z.accuracy


def test_it_travels_with_the_bundle(tmp_path) -> None:
    z = wrapped(RIGHT)
    z.save(tmp_path / "z.z")
    assert cz.load(tmp_path / "z.z").accuracy == z.accuracy
    assert z.with_(notes={"accuracy": "high"}).accuracy is None


def test_several_labels_an_image_are_counted_by_class() -> None:
    flags = np.eye(3, dtype=np.int64)[RIGHT]
    flags[::6] = 1
    with pytest.warns(NetworkWarning, match="by chance 50"):
        z = cz.wrap(Colours(), colours(flags), layers=["conv"], preprocess=HOW)
    accuracy = accuracy_on_data(z)
    # Every logit is positive: each yes is right, each no is wrong, which is chance.
    assert accuracy.chance == 0.5
    assert accuracy.balanced.value == pytest.approx(0.5)
    assert accuracy.share.value == pytest.approx(flags.mean())
    assert not accuracy.beats_chance


def test_the_interval_of_a_balanced_share_covers_it() -> None:
    draw = np.random.default_rng(0)
    n, p = np.array([200, 20, 8]), np.array([0.9, 0.5, 0.4])
    drawn = [balanced_share(draw.binomial(n, p), n) for _ in range(400)]
    covered = np.mean([s.low <= p.mean() <= s.high for s in drawn])
    assert covered >= 0.92
    sure = balanced_share([5, 5], [5, 5])
    assert (sure.value, sure.high) == (1, 1)
    assert sure.low < 0.9
    assert balanced_share([5, 0], [5, 0]).groups == 1
    assert np.isnan(balanced_share([], []).value)


def test_of_many_rows_some_are_drawn() -> None:
    rows = np.arange(5000)
    some = sample_rows_to_check(rows, 100)
    assert len(np.unique(some)) == 100
    np.testing.assert_array_equal(some, sample_rows_to_check(rows, 100))
    np.testing.assert_array_equal(sample_rows_to_check(rows[:7], 100), rows[:7])


def test_outputs_that_may_be_probabilities_are_said_when_a_network_is_wrapped() -> None:
    class Handmade(Colours):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 1 / (1 + (-super().forward(x)).exp())

    with pytest.warns(NetworkWarning, match="within 0 and 1"):
        z = cz.wrap(Handmade(), colours(RIGHT), layers=["conv"], preprocess=HOW)
    assert any("within 0 and 1" in remark for remark in z.remarks)
