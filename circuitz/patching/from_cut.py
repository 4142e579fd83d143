"""From the activations of the cut to the margins of the classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.interchange import Exchange, count_exchangeable_parts
from circuitz.z.layer import LayerSpec

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Tick = Callable[[int], None]

# Memory of one batch of patched activations.
_BYTES = 48 * 2**20


def class_margins(logits: torch.Tensor, head: str = "softmax") -> torch.Tensor:
    """Return each logit less the mean of the other logits, ``(n, k)``.

    Of a multi-label head, whose classes are told one by one, the logits themselves.
    """
    if head == "multi-label":
        return logits
    others = logits.shape[1] - 1
    return logits - (logits.sum(1, keepdim=True) - logits) / others


class Downstream:
    """What follows the cut, asked what changes when units take values from other inputs.

    Where everything after the cut is affine (a pool and a linear layer, say), the change is the
    sum of what each unit contributes, and contributions are computed once an input. Elsewhere
    the network is resumed from the patched activations. Both give the same numbers.

    Parameters
    ----------
    runtime, spec
        The network, and the layer of the cut; or a basis over it. Then units are its directions,
        and one more is the rest, all that the basis does not explain
        (:class:`circuitz.patching.interchange.Exchange`).
    acts
        ``(m, ...)`` activations of that layer on the inputs that are patched and lend values.
    shortcut
        Whether to look for the affine case; off to compare with the plain way.
    """

    def __init__(
        self,
        runtime: Runtime,
        spec: LayerSpec | UnitSpace,
        acts: torch.Tensor,
        *,
        shortcut: bool = True,
    ) -> None:
        self._runtime = runtime
        self._place = UnitSpace.of_layer(spec)
        self._spec = self._place.layer
        self.acts = acts
        item = max(1, acts[0].numel() * acts.element_size())
        self._chunk = max(1, min(1024, _BYTES // item))
        self.margins = self._margins_resumed_in_chunks(acts)
        slopes = self._margin_slopes_if_affine() if shortcut else None
        self._shares: torch.Tensor | None = None
        if slopes is not None:
            self._shares = self._margin_contributions_by_unit(slopes)

    @property
    def affine(self) -> bool:
        """Whether the exact shortcut is used."""
        return self._shares is not None

    def joint_margin_change(
        self, source: I64, donor: I64, target: I64, units: Sequence[int] | I64
    ) -> F32:
        """Return how margins change when units jointly take a donor's values.

        Parameters
        ----------
        source, donor
            ``(t,)`` positions in ``acts``: the input that is patched, and the one that lends.
        target
            ``(t,)`` class whose margin is read.
        units
            The set of units patched together.

        Returns
        -------
        ``(t,)`` float32, in logits.
        """
        if self._shares is not None:
            # One number an input and class is enough for the whole set.
            joint = self._shares[:, self._index_tensor(units)].sum(1)
            to, at = self._index_tensor(target), self._index_tensor(source)
            return (joint[self._index_tensor(donor), to] - joint[at, to]).cpu().numpy()
        found = np.empty(len(source), np.float32)
        for i in range(0, len(source), self._chunk):
            at = slice(i, i + self._chunk)
            patched = self.patched_activations(source[at], donor[at], units)
            to = self._index_tensor(target[at])
            before = self.margins[self._index_tensor(source[at]), to]
            after = self._margins_resumed_from_cut(patched).gather(1, to[:, None])[:, 0]
            found[at] = (after - before).cpu().numpy()
        return found

    def margin_change_by_unit(
        self,
        source: I64,
        donor: I64,
        target: I64,
        tick: Tick | None = None,
        units: slice = slice(None),
    ) -> F32:
        """Return :meth:`joint_margin_change` for every one of some units by itself, ``(t, u)`` float32."""
        if self._shares is not None:
            to, shares = self._index_tensor(target), self._shares[:, units]
            return (
                (
                    shares[self._index_tensor(donor), :, to]
                    - shares[self._index_tensor(source), :, to]
                )
                .cpu()
                .numpy()
            )
        which = range(count_exchangeable_parts(self._place))[units]
        found = np.empty((len(source), len(which)), np.float32)
        if self._place.basis is not None:
            return self._margin_change_by_direction(source, donor, target, tick, which)
        for i, u in enumerate(which):
            found[:, i] = self.joint_margin_change(source, donor, target, [u])
            if tick is not None:
                tick(i + 1)
        return found

    def _margin_change_by_direction(
        self, source: I64, donor: I64, target: I64, tick: Tick | None, which: range
    ) -> F32:
        """Return what each part changes: all parts of some inputs, whose coordinates are read once."""
        found = np.empty((len(source), len(which)), np.float32)
        done = 0.0
        for i in range(0, len(source), self._chunk):
            at = slice(i, i + self._chunk)
            swap, to = self._make_exchange(source[at], donor[at]), self._index_tensor(target[at])
            before = self.margins[self._index_tensor(source[at]), to]
            moves = swap.differing_parts()
            for j, u in enumerate(which):
                after = before
                if moves[u]:
                    after = self._margins_resumed_from_cut(
                        swap.output_with_parts_swapped(u)
                    ).gather(1, to[:, None])[:, 0]
                found[at, j] = (after - before).cpu().numpy()
                done += len(to) / len(source)
                if tick is not None:
                    tick(int(done))
        if tick is not None:
            tick(len(which))
        return found

    def joint_margin_change_all_classes(
        self, source: I64, donor: I64, units: int | Sequence[int]
    ) -> F32:
        """Return how all margins change when units jointly take a donor's values, ``(t, k)``."""
        some = [units] if isinstance(units, int) else list(units)
        if self._shares is not None:
            share = self._shares[:, self._index_tensor(some)].sum(1)
            return (
                (share[self._index_tensor(donor)] - share[self._index_tensor(source)]).cpu().numpy()
            )
        parts: list[F32] = []
        for i in range(0, len(source), self._chunk):
            at = slice(i, i + self._chunk)
            after = self._margins_resumed_from_cut(
                self.patched_activations(source[at], donor[at], some)
            )
            parts.append((after - self.margins[self._index_tensor(source[at])]).cpu().numpy())
        return np.concatenate(parts)

    def probabilities(self, source: int, donor: int, units: Sequence[int]) -> tuple[F32, F32]:
        """Return class probabilities ``(k,)`` of one input before and after a joint change."""
        after = self.patched_activations(np.array([source]), np.array([donor]), units)
        both = torch.cat([self.acts[source : source + 1], after])
        with torch.no_grad():
            logits = self._runtime.resume(self._spec.name, both).float()
            apart = self._runtime.head == "multi-label"
            share = (logits.sigmoid() if apart else logits.softmax(1)).cpu().numpy()
        return share[0], share[1]

    def patched_activations(
        self, source: I64, donor: I64, units: Sequence[int] | I64
    ) -> torch.Tensor:
        """Return the sources' activations with the units' values taken from the donors."""
        if self._place.basis is not None:
            return self._make_exchange(source, donor).output_with_parts_swapped(*map(int, units))
        axis = self._spec.unit_axis
        which = self._index_tensor(units)
        patched = self.acts[self._index_tensor(source)].clone()
        lent = self.acts[self._index_tensor(donor)].index_select(axis, which)
        return patched.index_copy_(axis, which, lent)

    def _make_exchange(self, source: I64, donor: I64) -> Exchange:
        return Exchange(
            self._place, self.acts[self._index_tensor(source)], self.acts[self._index_tensor(donor)]
        )

    def _index_tensor(self, places: Sequence[int] | I64) -> torch.Tensor:
        return torch.from_numpy(np.asarray(places, np.int64)).to(self.acts.device)

    def _margins_resumed_from_cut(self, act: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return self._margins_of_logits(self._runtime.resume(self._spec.name, act))

    def _margins_of_logits(self, logits: torch.Tensor) -> torch.Tensor:
        return class_margins(logits.float(), self._runtime.head)

    def _margins_resumed_in_chunks(self, acts: torch.Tensor) -> torch.Tensor:
        parts = [
            self._margins_resumed_from_cut(acts[i : i + self._chunk])
            for i in range(0, len(acts), self._chunk)
        ]
        return torch.cat(parts)

    def _margin_slopes_if_affine(self) -> torch.Tensor | None:
        """Return the slope of each margin ``(k, ...)``, or ``None`` if they are not constant.

        Constant slopes are not assumed but tried: they must predict the margins of all the
        activations at hand, and of random ones far from them with both signs.
        """
        basis = self._place.basis
        if basis is not None and basis.normalise != "none":
            return None  # what a coordinate adds depends on the input it is added to
        act = self.acts[:1].detach().clone().requires_grad_(True)
        with torch.enable_grad():
            out = self._margins_of_logits(self._runtime.resume(self._spec.name, act))[0]
            if not out.requires_grad:  # a network that cuts its own gradients
                return None
            rows = [
                torch.autograd.grad(out[k], act, retain_graph=True, materialize_grads=True)[0]
                for k in range(len(out))
            ]
        slopes = torch.cat(rows).float()
        draw = torch.Generator().manual_seed(0)
        size = 3 * self.acts.float().std().item() + 1e-3
        noise = size * torch.randn((16, *self.acts.shape[1:]), generator=draw)
        probes = self.acts[:16].float() + noise.to(self.acts.device)[: len(self.acts[:16])]
        constant = out.detach() - self._apply_slopes(slopes, self.acts[:1])[0]
        for acts, known in (
            (probes, self._margins_resumed_from_cut(probes)),
            (self.acts, self.margins),
        ):
            predicted = self._apply_slopes(slopes, acts) + constant
            error = (predicted - known).abs().max().item()
            if not error <= 2e-5 * max(1e-3, known.abs().max().item()):
                return None
        return slopes

    @staticmethod
    def _apply_slopes(slopes: torch.Tensor, acts: torch.Tensor) -> torch.Tensor:
        return acts.float().flatten(1) @ slopes.flatten(1).T

    def _margin_contributions_by_unit(self, slopes: torch.Tensor) -> torch.Tensor:
        """Return what each unit adds to each margin, ``(m, u, k)``."""
        basis, per_unit = self._place.basis, flatten_unit_maps(self._spec, slopes)
        parts: list[torch.Tensor] = []
        for acts in self.acts.split(self._chunk):
            maps = flatten_unit_maps(self._spec, acts).float()
            found = torch.einsum("nup,kup->nuk", maps, per_unit)
            if basis is not None:
                whole = found.sum(1, keepdim=True)
                found = torch.einsum(
                    "nup,kup->nuk",
                    basis.coordinates(maps),
                    basis.gradient_along_directions(per_unit),
                )
                found = torch.cat([found, whole - found.sum(1, keepdim=True)], 1)
            parts.append(found)
        return torch.cat(parts)
