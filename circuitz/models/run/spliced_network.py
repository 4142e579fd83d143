"""A network in which directions of a basis are units of a layer of their own.

Behind a layer x stand its coordinates c(x), as a module that can be read, written and resumed from
like any other, and what follows reads x + directions · (c − c(x)). As long as nobody writes to the
coordinates that is x itself.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from circuitz.errors import BasisError
from circuitz.models.run.basis import Basis, check_basis_fits
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_axes import unit_axis

_INNER, _PLACES, _COORDINATES = "layer", "places", "coordinates"


class SplicedNetwork:
    """A network along bases over some of its layers; the network itself is not touched.

    Parameters
    ----------
    runtime
        The network.
    bases
        Bases by place (``conv4@nmf``), any number a layer.
    x
        A prepared input ``(n, ...)``.

    Attributes
    ----------
    runtime
        The network with coordinates in it; its weights are those of the other.

    Raises
    ------
    LayerError
        If a layer does not exist or is not called exactly once.
    BasisError
        If a basis does not fit its layer, or lies over attention heads.
    """

    def __init__(self, runtime: Runtime, bases: Mapping[str, Basis], x: torch.Tensor) -> None:
        self._names: dict[str, str] = {}
        self._layers: list[str] = []
        self.runtime = runtime
        if not bases:
            return
        by_layer: dict[str, dict[str, Basis]] = {}
        for place, basis in bases.items():
            by_layer.setdefault(place.partition("@")[0], {})[place] = basis
        acts = runtime.run(x[:1], list(by_layer))[0]
        net = _copy_with_own_children(runtime.module)
        # From outside inwards: what lies within a spliced layer is found behind a longer name.
        for layer in sorted(by_layer, key=lambda name: name.count(".")):
            act = acts[layer]
            axis = unit_axis(runtime, layer)
            along: list[nn.Module] = []
            for i, (place, basis) in enumerate(by_layer[layer].items()):
                _check_basis_can_be_spliced(basis, place, act, axis)
                along.append(_CoordinateWriter(basis, act, axis))
                self._names[place] = f"{self.module_name(layer)}.{_PLACES}.{i}.{_COORDINATES}"
            self._insert_coordinates(net, self.module_name(layer), along)
            self._layers.append(layer)
        self.runtime = Runtime(
            net, [], runtime.preprocessing, runtime.device, runtime.head, like=x[:1],
            unit_axes={self.module_name(name): at for name, at in runtime.unit_axes.items()},
        )  # fmt: skip

    def module_name(self, place: str) -> str:
        """Return the module that puts out what a layer or the directions of a basis say."""
        if place in self._names:
            return self._names[place]
        name = place
        # The innermost spliced layer around it was put in last.
        for layer in self._layers:
            if place.startswith(f"{layer}."):
                inner = place.removeprefix(f"{layer}.")
                name = f"{self.module_name(layer)}.{_INNER}.{inner}"
        return name

    @staticmethod
    def _insert_coordinates(net: nn.Module, name: str, writers: list[nn.Module]) -> None:
        *path, last = name.split(".")
        home = net
        for part in path:
            inner = _copy_with_own_children(home.get_submodule(part))
            _children(home)[part] = inner
            home = inner
        layer = home.get_submodule(last)
        _children(home)[last] = _LayerWithDirections(layer, writers)


class _LayerWithDirections(nn.Module):
    """A layer and what is written to directions behind it."""

    def __init__(self, layer: nn.Module, writers: list[nn.Module]) -> None:
        super().__init__()
        self.layer = layer
        self.places = nn.ModuleList(writers)
        self.train(layer.training)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        out = self.layer(*args, **kwargs)
        found = out
        for along in self.places:
            found = along(out) + found
        return found


class _CoordinateWriter(nn.Module):
    """What a change of coordinates adds to a layer's output."""

    def __init__(self, basis: Basis, act: torch.Tensor, axis: int) -> None:
        super().__init__()
        self.read = _CoordinateReader(basis, axis)
        self.coordinates = nn.Identity()
        self.coordinates.unit_axis = axis  # pyright: ignore
        self.scale = _NormalisationScale(basis, axis) if basis.normalise != "none" else None
        self.write = (
            _linear_layer_from_directions(basis, act.ndim, axis)
            .to(act.device)
            .requires_grad_(False)
        )
        self.dtype = None if act.dtype is torch.float32 else act.dtype

    def forward(self, out: torch.Tensor) -> torch.Tensor:
        now = self.read(out)
        added = self.write(self.coordinates(now) - now)
        if self.scale is not None:
            added = added * self.scale(out)
        return added if self.dtype is None else added.to(self.dtype)


class _CoordinateReader(nn.Module):
    """From a layer's output to coordinates, laid out as the output is."""

    one_step = True

    def __init__(self, basis: Basis, axis: int) -> None:
        super().__init__()
        self._basis, self._axis = basis, axis

    def forward(self, out: torch.Tensor) -> torch.Tensor:
        moved = out.movedim(self._axis, 1)
        flat = moved.flatten(2) if moved.ndim > 2 else moved.unsqueeze(2)
        found = self._basis.coordinates(flat)
        return found.reshape(len(moved), -1, *moved.shape[2:]).movedim(1, self._axis)


class _NormalisationScale(nn.Module):
    """What normalisation divides a layer's output by."""

    one_step = True

    def __init__(self, basis: Basis, axis: int) -> None:
        super().__init__()
        self._basis, self._axis = basis, axis

    def forward(self, out: torch.Tensor) -> torch.Tensor:
        return self._basis.normalisation_scale(out.float().movedim(self._axis, 1)).movedim(
            1, self._axis
        )


def _linear_layer_from_directions(basis: Basis, axes: int, axis: int) -> nn.Module:
    """Return the linear layer from coordinates to activations."""
    k, d = basis.directions.shape
    if axis == axes - 1:
        made: nn.Module = nn.Linear(k, d, bias=False)
    else:
        made = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}[axes](k, d, 1, bias=False)
    weight = next(made.parameters())
    with torch.no_grad():
        weight.copy_(torch.from_numpy(basis.directions).T.reshape(weight.shape))
    return made


def _check_basis_can_be_spliced(basis: Basis, place: str, act: torch.Tensor, axis: int) -> None:
    if act.ndim == 4 and axis == 2:
        raise BasisError(
            f"{place!r} is a basis of how much heads gather, along which none can be moved.",
            "Choose the heads themselves, or a basis over another layer.",
        )
    check_basis_fits(basis, act.shape[axis], place.partition("@")[0])


def _copy_with_own_children(module: nn.Module) -> nn.Module:
    """Return a module with the same weights whose children can be exchanged."""
    made = copy.copy(module)
    made.__dict__["_modules"] = dict(_children(module))
    return made


def _children(module: nn.Module) -> dict[str, nn.Module | None]:
    return module.__dict__["_modules"]
