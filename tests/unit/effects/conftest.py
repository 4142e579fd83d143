"""A small world whose effects are known, because network and images were made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.measurement.measure import measure
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.layer_specs import describe_layers
from circuitz.responses.optimised.adam import Adam
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (8, 8))
CLASSES = ("husky", "corgi", "poodle")
# How much red, green and blue each class shows; blue is the snow around every husky.
COLOURS = np.array([[0, 120, 200], [200, 0, 0], [120, 120, 0]])
HEAD = np.array([[-1.0, 1.0, 4.0, 0.0], [3.0, -2.0, 0.0, 0.0], [1.0, 2.0, -1.0, 0.0]])


class Wired(nn.Module):
    """Units red, green, blue and one that is always off; a pool and a linear head."""

    def __init__(self, bent=False):
        super().__init__()
        torch.manual_seed(0)
        self.colour = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
        self.bend = nn.Sequential(nn.Conv2d(4, 5, 3, padding=1), nn.ReLU()) if bent else None
        self.head = nn.Linear(5 if bent else 4, 3)
        with torch.no_grad():
            self.colour[0].weight.zero_()
            self.colour[0].weight[:3, :, 0, 0] = torch.eye(3)
            self.colour[0].bias.copy_(torch.tensor([0.0, 0.0, 0.0, -1.0]))
            if not bent:
                self.head.weight.copy_(torch.tensor(HEAD))

    def forward(self, x):
        x = self.colour(x)
        if self.bend is not None:
            x = self.bend(x)
        return self.head(x.mean((2, 3)))


def make_images(labels, seed):
    draw = np.random.default_rng(seed)
    level = COLOURS[labels][:, None, None, :] * draw.uniform(0.5, 1.2, (len(labels), 1, 1, 3))
    texture = draw.uniform(0.7, 1.0, (len(labels), 8, 8, 3))
    return np.clip(level * texture, 0, 255).astype(np.uint8)


def make_data(per_class=24, seed=0, **changes):
    labels = np.repeat(np.arange(3), per_class)
    split = np.tile(np.arange(per_class) % 3, 3).astype(np.uint8)
    fields = {
        "images": make_images(labels, seed),
        "labels": labels,
        "classes": CLASSES,
        "split": split,
    }
    return InputSet(**{**fields, **changes})


def make_concepts(n=60, seed=5):
    draw = np.random.default_rng(seed)
    shown = draw.random((n, 3)) < 0.5
    level = shown * draw.uniform(120, 250, (n, 3))
    images = np.broadcast_to(level[:, None, None, :], (n, 8, 8, 3)).astype(np.uint8)
    return InputSet(
        images=images,
        concepts=shown.astype(np.float32),
        concept_names=("rust", "grass", "snow"),
        split=(np.arange(n) % 3).astype(np.uint8),
        role="concepts",
    )


def make_z(net=None, **changes):
    net = net or Wired()
    fields = {
        "name": "wired",
        "classes": CLASSES,
        "subject": "dog",
        "layers": describe_layers(net, ["colour"], torch.rand(1, 3, 8, 8)),
        "cut": ("colour",),
        "preprocessing": PREP,
        "weights": weights_to_numpy(net),
        "data": make_data(),
        "live": net,
    }
    return AnnotatedModel(**{**fields, **changes})


def unit_means(images):
    """What the four units respond, computed without torch."""
    return np.concatenate([images.mean((1, 2)) / 255, np.zeros((len(images), 1))], 1)


def margin_slopes():
    """Change of each class's margin with each unit's mean, ``(k, u)``."""
    return HEAD - (HEAD.sum(0) - HEAD) / 2


def trained_bent():
    """A network with a nonlinearity after the cut that tells the classes apart."""
    net = Wired(bent=True)
    data = make_data(40, 3)
    x = torch.from_numpy(data.images).permute(0, 3, 1, 2).float() / 255
    y = torch.from_numpy(data.labels)
    parameters = [*net.bend.parameters(), *net.head.parameters()]
    steps = [Adam(p, 0.03) for p in parameters]
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(x), y)
        for step, grad in zip(steps, torch.autograd.grad(loss, parameters), strict=True):
            step.step(grad)
    return net


class Deep(nn.Module):
    """Colours, then what is made of them: blue, red less green, green, all together; a head."""

    def __init__(self):
        super().__init__()
        self.colour = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
        self.mixed = nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), nn.ReLU())
        self.head = nn.Linear(4, 3, bias=False)
        wires = [[0, 0, 1, 0], [1, -1, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0]]
        with torch.no_grad():
            self.colour[0].weight.zero_()
            self.colour[0].weight[:3, :, 0, 0] = torch.eye(3)
            self.colour[0].bias.copy_(torch.tensor([0.0, 0.0, 0.0, -1.0]))
            self.mixed[0].weight.copy_(torch.tensor(wires).float()[:, :, None, None])
            head = [[4.0, 0, 0, 0], [0, 3.0, 0, 0], [-3.0, 0, 2.0, 0]]
            self.head.weight.copy_(torch.tensor(head))

    def forward(self, x):
        return self.head(self.mixed(self.colour(x)).mean((2, 3)))


@pytest.fixture(scope="session")
def deep():
    """Measured: mixed:0 is blue and makes the husky; mixed:3 drives nothing."""
    net = Deep()
    z = make_z(
        net,
        layers=describe_layers(net, ["colour", "mixed"], torch.rand(1, 3, 8, 8)),
        cut=("mixed",),
        data=make_data(per_class=60),
    )
    return measure(z, make_concepts(), pictures=False)


@pytest.fixture(scope="session")
def world():
    return SimpleNamespace(
        Wired=Wired,
        bent=trained_bent(),
        z=make_z,
        data=make_data,
        concepts=make_concepts,
        unit_means=unit_means,
        margin_slopes=margin_slopes,
        classes=CLASSES,
        prep=PREP,
    )
