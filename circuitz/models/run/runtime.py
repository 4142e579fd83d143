"""A network that can be read at layers, stopped at one, and resumed from one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.errors import InterventionError, LayerError
from circuitz.models.adapters.unwrap import readable_network
from circuitz.models.run.cut_network import CheckedCut, GraphCut, TailCut, make_checked_cut
from circuitz.models.run.intervention_hooks import (
    DONOR_KINDS,
    bases_of_interventions,
    make_intervention_hooks,
)
from circuitz.models.run.network_facts import (
    check_network_weights_finite,
    check_takes_one_input,
    device_of,
    extract_logits,
    find_layer,
    translate_network_errors,
)
from circuitz.models.run.prepare_inputs import prepare_inputs, random_tokens
from circuitz.models.run.restore_state import eval_mode, temporary_forward_hooks
from circuitz.models.run.unit_axes import UnitAxis, find_unit_axes
from circuitz.z.intervention import Intervention
from circuitz.z.layer import LayerSpec, Preprocessing

F32 = npt.NDArray[np.float32]


class Runtime:
    """Runs one network in eval mode and leaves it as it was, whatever happens.

    Parameters
    ----------
    module
        The network: prepared inputs ``(n, c, h, w)`` in, logits ``(n, classes)`` out. Without
        what ``torch.compile`` or ``DataParallel`` put around it
        (:func:`circuitz.models.adapters.unwrap.readable_network`).
    layers
        Layers that will be read: names or specs.
    preprocessing
        How 8-bit images become inputs.
    device
        Where to run; the module is moved there. By default where it is.
    head
        What its logits mean (see :class:`circuitz.z.model.AnnotatedModel`); a binary head is
        presented as two logits.
    like
        A prepared input ``(n, ...)`` that all others have the shape and type of; by default they
        are what the preprocessing makes.
    bases
        A z's arrays of directions over its layers, for interventions along them.
    unit_axes
        Axes of units that are known already, by layer, besides those of specs.

    Raises
    ------
    LayerError
        If a layer does not exist.
    WeightsError
        If a parameter or buffer is not finite.
    NetworkError
        If it is of a kind that cannot be read by layers; and from every method that runs it, if
        the network itself raises an exception.
    """

    def __init__(
        self,
        module: nn.Module,
        layers: Sequence[str | LayerSpec],
        preprocessing: Preprocessing,
        device: str | None = None,
        head: str = "softmax",
        like: torch.Tensor | None = None,
        bases: Mapping[str, npt.NDArray[Any]] | None = None,
        unit_axes: Mapping[str, UnitAxis] | None = None,
    ) -> None:
        module = readable_network(module)
        self.device = str(device or device_of(module))
        self.module = module.to(self.device)
        self.layers = tuple(s if isinstance(s, str) else s.name for s in layers)
        self.preprocessing = preprocessing
        self.head = head
        self.bases: Mapping[str, npt.NDArray[Any]] = {} if bases is None else bases
        self._example = None if like is None else like[:1]
        #: Where units of layers lie, as far as it was looked up (:mod:`circuitz.models.run.unit_axes`).
        self.unit_axes = {s.name: UnitAxis(s.unit_axis) for s in layers if not isinstance(s, str)}
        self.unit_axes |= unit_axes or {}
        self._cuts: dict[str, CheckedCut] = {}
        # Layers whose output a later in-place operation overwrites, found out when it happens.
        self._overwritten: set[str] = set()
        for name in self.layers:
            find_layer(module, name)
        check_takes_one_input(module)
        check_network_weights_finite(module)

    @property
    def dtype(self) -> torch.dtype:
        """The floating type of the network's parameters."""
        for p in self.module.parameters():
            if p.is_floating_point():
                return p.dtype
        return torch.float32

    def prepare(self, images: npt.NDArray[Any]) -> torch.Tensor:
        """Return 8-bit images ``(n, h, w, c)`` as the network's input ``(n, c, h, w)``.

        Token sequences ``(n, length)`` int32 stay what they are, as int64.
        """
        return prepare_inputs(images, self.preprocessing, self.device, self.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits for prepared inputs; gradients flow when they are enabled."""
        with eval_mode(self.module):
            return self._call_network(self.cast_inputs(x))

    def _call_network(self, x: torch.Tensor) -> torch.Tensor:
        with translate_network_errors(x):
            out = self.module(x)
        return self.to_logits(out)

    def to_logits(self, out: Any) -> torch.Tensor:
        """Return logits ``(n, classes)`` from what the network returned."""
        return extract_logits(out, self.head)

    def logits(self, images: npt.NDArray[Any], batch: int = 64) -> F32:
        """Return float32 logits ``(n, classes)`` of 8-bit images ``(n, h, w, c)``."""
        parts: list[F32] = []
        with torch.no_grad():
            for i in range(0, len(images), batch):
                out = self.forward(self.prepare(images[i : i + batch]))
                parts.append(out.float().cpu().numpy())
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def read(
        self,
        images: npt.NDArray[Any],
        layers: Sequence[str] | None = None,
        batch: int = 64,
    ) -> Iterator[tuple[slice, dict[str, torch.Tensor], torch.Tensor]]:
        """Run images in batches and yield what the layers put out.

        Parameters
        ----------
        images
            ``(n, h, w, c)`` uint8; may be a memory map.
        layers
            Names; by default those the runtime was made with.
        batch
            Images at a time.

        Yields
        ------
        Slice of ``images``, ``{layer: output}`` (batch first, without gradient), logits.

        Raises
        ------
        LayerError
            If a layer does not exist, is not called exactly once, or gives no tensor.
        """
        wanted = self.layers if layers is None else tuple(layers)
        for i in range(0, len(images), batch):
            where = slice(i, min(i + batch, len(images)))
            acts, logits = self.run(self.prepare(images[where]), wanted)
            yield where, acts, logits

    def run(
        self, x: torch.Tensor, layers: Sequence[str]
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Return outputs of the layers, and the logits, for prepared inputs, without gradient."""
        seen: dict[str, list[torch.Tensor]] = {name: [] for name in layers}
        versions: dict[str, int] = {}
        modules: dict[nn.Module, list[str]] = {}
        for name in layers:
            modules.setdefault(find_layer(self.module, name), []).append(name)

        def catch_output(module: nn.Module, _args: Any, out: Any) -> None:
            for name in modules[module]:
                tensor = _check_tensor_output(name, out)
                if name in self._overwritten:
                    tensor = tensor.clone()
                versions[name] = tensor._version
                seen[name].append(tensor)

        with (
            torch.no_grad(),
            eval_mode(self.module),
            temporary_forward_hooks(dict.fromkeys(modules, catch_output)),
        ):
            logits = self._call_network(self.cast_inputs(x))
        for name, outs in seen.items():
            _check_called_once(name, len(outs))
        spoilt = {n for n, outs in seen.items() if outs[0]._version != versions[n]}
        if spoilt:
            # Copying every output would be the simple way, and cost more than the rare repeat.
            self._overwritten |= spoilt
            return self.run(x, layers)
        return {name: outs[0] for name, outs in seen.items()}, logits

    def intervene(
        self,
        x: torch.Tensor,
        interventions: Sequence[Intervention],
        *,
        donors: torch.Tensor | None = None,
        layers: Sequence[str] = (),
    ) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Run prepared inputs with something done to units of any layers.

        Values that are lent (mean, resample, patch) are those of a run in which nothing is done.

        Parameters
        ----------
        x
            Prepared inputs ``(n, ...)``.
        interventions
            What is done; several at one layer are done in this order.
        donors
            Prepared inputs that lend values to ``patch``; by default ``x``.
        layers
            Layers whose outputs are wanted, as they are with everything done.

        Returns
        -------
        Outputs of ``layers``, and logits, without gradient.

        Raises
        ------
        LayerError
            If a layer does not exist, is not called exactly once, or gives no tensor.
        UnitError
            If a unit, a direction, a basis or a position does not exist.
        InterventionError
            If donors or values do not fit the layer.
        BasisError
            If a basis does not fit its layer, or lies over attention heads.
        """
        bases = bases_of_interventions(interventions, self.bases)
        lending = {i.module: i.kind for i in interventions if i.kind in DONOR_KINDS}
        patched = {i.module for i in interventions if i.kind == "patch"}
        others = {i.module for i in interventions if i.kind in ("mean", "resample")}
        if patched & others and donors is not None:
            raise InterventionError(
                f"{min(patched & others)!r} is patched from donors and from the inputs themselves.",
                "Run the two interventions one after the other.",
            )
        lent: dict[str, torch.Tensor] = {}
        for names, source in ((others, x), (patched - others, x if donors is None else donors)):
            if names:
                lent |= self.run(source, [n for n in lending if n in names])[0]
        modules = {i.module: find_layer(self.module, i.module) for i in interventions}
        axes = find_unit_axes(self, list(modules))
        found, calls = make_intervention_hooks(
            axes, modules, interventions, lent, _check_tensor_output, bases
        )
        known = len(self._overwritten)
        with temporary_forward_hooks(found):
            read, logits = self.run(x, layers)
        passes = 1 + (len(self._overwritten) > known)  # it ran again, to keep a copy
        for name, count in calls.items():
            _check_called_once(name, count // passes)
        return read, logits

    def forward_to(self, layer: str, x: torch.Tensor) -> torch.Tensor:
        """Return the layer's output for prepared inputs, computing nothing after the layer."""
        return self._cached_cut_at_layer(layer).cut.run_before(self.cast_inputs(x))

    def resume(
        self, layer: str, act: torch.Tensor, inputs: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return logits given the layer's output, computing only what is downstream.

        Parameters
        ----------
        layer
            Name of the layer.
        act
            Its output, batch first; left unchanged.
        inputs
            Prepared inputs, needed only where a path runs around the layer.

        Raises
        ------
        LayerError
            If a path runs around the layer and no inputs are given, or the shape does not fit.
        """
        checked = self._cached_cut_at_layer(layer)
        if checked.bypassed and inputs is None:
            raise LayerError(
                f"Not every path to the output goes through {layer!r}.",
                "Cut at a layer that all paths cross, for instance after the residual sum.",
            )
        if tuple(act.shape[1:]) != checked.shape:
            raise LayerError(
                f"{layer!r} puts out {checked.shape} for one input, not {tuple(act.shape[1:])}.",
                "Give activations as forward_to or read return them.",
            )
        act = act.to(self.device, checked.dtype)
        if checked.overwrites:
            act = act.clone()
        if inputs is not None:
            inputs = self.cast_inputs(inputs)
        elif checked.cut.needs_input:
            inputs = self.blank_inputs(len(act))
        return self.to_logits(checked.cut.run_after(act, inputs))

    def resumes_downstream_only(self, layer: str) -> bool:
        """Whether resuming from the layer runs only what is downstream of it."""
        return isinstance(self._cached_cut_at_layer(layer).cut, GraphCut | TailCut)

    def is_bypassed(self, layer: str) -> bool:
        """Whether some path from the input to the output runs around the layer."""
        return self._cached_cut_at_layer(layer).bypassed

    def cast_inputs(self, x: torch.Tensor) -> torch.Tensor:
        """Return inputs on the network's device, and in its floating type if they have one."""
        x = x.clone() if x.is_inference() else x
        return x.to(self.device, self.dtype) if x.is_floating_point() else x.to(self.device)

    def blank_inputs(self, n: int) -> torch.Tensor:
        """Return ``n`` prepared inputs of zeros: black pictures, or the first token."""
        if self._example is not None:
            return self.cast_inputs(self._example.new_zeros((n, *self._example.shape[1:])))
        if self.preprocessing.is_tokens:
            return torch.zeros(
                (n, self.preprocessing.size[1]), dtype=torch.long, device=self.device
            )
        size = (n, len(self.preprocessing.mean), *self.preprocessing.size)
        return torch.zeros(size, dtype=self.dtype, device=self.device)

    def _cached_cut_at_layer(self, layer: str) -> CheckedCut:
        if layer not in self._cuts:
            module = find_layer(self.module, layer)
            # A module may be registered under two names; the graph knows it by the first.
            name = next(n for n, m in self.module.named_modules() if m is module)
            self._cuts[layer] = make_checked_cut(self, name)
        return self._cuts[layer]

    def random_inputs(self, n: int, seed: int = 0) -> torch.Tensor:
        """Return ``n`` prepared inputs of noise, or of two tokens.

        Where padding is known every other text is half as long, of odd seeds the first, of even
        ones the second.
        """
        like, draw = self.blank_inputs(n), torch.Generator().manual_seed(seed)
        if not like.is_floating_point():
            padding = self.preprocessing.padding
            texts = random_tokens(like.cpu(), padding, draw, short_first=seed % 2 == 1)
            return self.cast_inputs(texts)
        return self.cast_inputs(torch.randn(like.shape, generator=draw))


def _check_tensor_output(name: str, out: Any) -> torch.Tensor:
    if not isinstance(out, torch.Tensor) or out.ndim < 2:
        raise LayerError(
            f"Layer {name!r} does not put out one tensor with a unit axis.",
            "Choose a module that returns a single tensor.",
        )
    return out


def _check_called_once(name: str, calls: int) -> None:
    if calls != 1:
        times = "never called" if calls == 0 else f"called {calls} times"
        raise LayerError(
            f"Layer {name!r} is {times} in one forward pass.",
            "Choose a module that forward() calls exactly once.",
        )
