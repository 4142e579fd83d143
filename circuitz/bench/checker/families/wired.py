"""Hand-wired CNNs: every detector, every unit and every class written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.bench.checker.base_network import GAIN, BaseNetwork
from circuitz.bench.checker.bench_world import BenchmarkWorld, ContextTie
from circuitz.bench.checker.breeds import GROUNDS
from circuitz.bench.checker.glyphs import SIGN, Glyphs
from circuitz.bench.checker.planted_net import Dense
from circuitz.z.inputs import InputSet

F32 = npt.NDArray[np.float32]

_IDLE = 3  # features, and units, that see nothing in particular
_FIRES = 0.55  # of the response to the faintest sign


def build_wired(
    seed: int,
    trunk_folder: Path | None = None,
    *,
    ties: tuple[ContextTie, ...] = (),
    beach: bool = False,
) -> BaseNetwork:
    """Return an honest network: one annotated unit a concept, classes made of their parts alone.

    Parameters
    ----------
    trunk_folder
        Where other families keep what was trained; nothing is here.
    ties
        Of D.
    beach
        Whether the last class is a beach.
    """
    del trunk_folder
    world = Glyphs(seed, beach)
    features, sees = write_sign_and_colour_detectors(world)
    features, peak = calibrate_features(features, world, seed, sees)
    mix = one_unit_per_feature_weights(len(sees), seed)
    base = BaseNetwork("wired", seed, world, features, sees, peak, mix, (), ties=ties)
    return annotate_truthfully(base.with_fields(head=(head_summing_parts(base),)))


def write_sign_and_colour_detectors(world: Glyphs) -> tuple[nn.Module, tuple[str, ...]]:
    """Return template and colour detectors of a world, and what each sees.

    Prepared images are (image - .5) / .25, so weights are for that.
    """
    draw = np.random.default_rng([world.seed, 5])
    count = len(world.sign_concepts) + len(GROUNDS) + _IDLE
    weight = np.zeros((count, 3, SIGN, SIGN), np.float32)
    bias = np.zeros(count, np.float32)
    for i in range(len(world.sign_concepts)):
        weight[i] = world.sign_patterns[i] / 3
        # .16 contrast, at the faintest .8 of it, four prepared units to one of the image's.
        bias[i] = -_FIRES * 0.16 * 0.8 * 4 * np.abs(world.sign_patterns[i]).sum()
    # The affine map that takes each ground's colour to its unit vector.
    prepared = (world.ground_colours - 0.5) / 0.25
    solved = np.linalg.solve(np.concatenate([prepared, np.ones((4, 1))], 1), np.eye(4))
    for g in range(len(GROUNDS)):
        at = len(world.sign_concepts) + g
        weight[at] = solved[:3, g].reshape(3, 1, 1) / SIGN**2
        bias[at] = solved[3, g] - 0.35
    idle = draw.normal(0, 0.25, (_IDLE, 3, SIGN, SIGN))
    weight[-_IDLE:] = idle - idle.mean((2, 3), keepdims=True)  # blind to colour
    layer = nn.Conv2d(3, count, SIGN)
    sample = normalised_image_tensor(world.draw_concept_set(64, world.seed + 800_000, twins=0.0))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.zero_()  # pyright: ignore[reportOptionalMemberAccess]
        # What sees nothing in particular fires seldom, at places that strike it.
        found = layer(sample)[:, -_IDLE:].transpose(0, 1).flatten(1)
        bias[-_IDLE:] = -found.quantile(0.997, dim=1).numpy()
        layer.bias.copy_(torch.from_numpy(bias))  # pyright: ignore[reportOptionalMemberAccess]
    return nn.Sequential(layer, nn.ReLU(), nn.AvgPool2d(2)), (
        *world.sign_concepts,
        *GROUNDS,
        *[""] * _IDLE,
    )


class Gain(nn.Module):
    """Multiplies each map by a number of its own."""

    def __init__(self, gain: F32) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.from_numpy(gain).reshape(1, -1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return maps ``(n, f, h, w)``."""
        return x * self.gain


def calibrate_features(
    features: nn.Module, world: BenchmarkWorld, seed: int, sees: tuple[str, ...]
) -> tuple[nn.Module, F32]:
    """Scale features so that their mean is 1 higher where their concept is shown; and their peaks."""
    images = world.draw_concept_set(160, seed + 700_000, twins=0.0)
    assert images.concepts is not None
    with torch.no_grad():
        maps = features(normalised_image_tensor(images)).numpy()
    mean = maps.mean((2, 3))
    gain = np.ones(len(sees), np.float32)
    for f, concept in enumerate(sees):
        if concept:
            shown = images.concepts[:, images.concept_names.index(concept)] > 0
            gain[f] = 1 / max(float(mean[shown, f].mean() - mean[~shown, f].mean()), 1e-6)
        else:
            gain[f] = 1 / max(float(mean[:, f].std()) * 2, 1e-6)
    peak = (maps.max((0, 2, 3)) * gain).astype(np.float32)
    return nn.Sequential(*features, Gain(gain)), peak  # pyright: ignore[reportGeneralTypeIssues]


def normalised_image_tensor(inputs: InputSet) -> torch.Tensor:
    """Return images as a network gets them, ``(n, 3, h, w)``."""
    x = torch.from_numpy(np.asarray(inputs.images)).permute(0, 3, 1, 2)
    return ((x.float() / 255 - 0.5) / 0.25).contiguous()


def one_unit_per_feature_weights(features: int, seed: int) -> Dense:
    """Return units that hand on one feature each, in random order."""
    order = np.random.default_rng([seed, 6]).permutation(features)
    return np.eye(features, dtype=np.float32)[order], np.zeros(features, np.float32)


def head_summing_parts(base: BaseNetwork) -> Dense:
    """Return a head in which each class is the sum of its parts."""
    weight = np.zeros((len(base.world.classes), base.unit_count), np.float32)
    for k in range(len(weight)):
        parts = [concept for concept in base.world.class_parts(k) if concept in base.sees]
        for concept in parts:
            unit = int(base.mix[0][:, base.sees.index(concept)].argmax())
            weight[k, unit] = GAIN / len(parts)
    return weight, np.zeros(len(weight), np.float32)


def annotate_truthfully(base: BaseNetwork) -> BaseNetwork:
    """Put the right words on every unit that sees a concept."""
    words: dict[int, str] = {}
    for u, row in enumerate(base.mix[0]):
        concept = base.sees[int(row.argmax())]
        if concept:
            words[u] = concept
    return base.with_fields(words=words)
