"""Units that a probe reads, and what each puts into what it reads of a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import UnitError
from circuitz.models.run.basis import load_basis
from circuitz.models.zoo.fit_probe import ProbedNetwork
from circuitz.models.zoo.read_out import READ
from circuitz.z.bases import basis_sizes
from circuitz.z.model import AnnotatedModel
from circuitz.z.targets import canonical_target
from circuitz.z.unit import Unit

I32 = npt.NDArray[np.int32]
_BATCH = 64


def unit_indices_by_place(z: AnnotatedModel, units: Sequence[str]) -> dict[str, list[int]]:
    """Return numbers of units by place: those of the cut, and directions over it.

    Parameters
    ----------
    z
        A model with a linear read-out.
    units
        ``read:17``; ``read@sae:3`` of a basis; or ``blocks.1.mlp.hook_post:17``, the same unit as
        ``read:17`` where the probe reads that layer.

    Raises
    ------
    UnitError
        If one does not exist, or is not of what the probe reads.
    """
    at = str(z.builder_args.get("at", ""))
    sizes = basis_sizes(z.bases)
    found: dict[str, list[int]] = {}
    for name in units:
        same = f"{READ}{name[len(at) :]}" if at and name.startswith((f"{at}:", f"{at}@")) else name
        unit = Unit.parse(canonical_target(same, z.layers, z.classes, sizes))
        if unit.layer != READ or unit.position is not None:
            raise UnitError(
                f"{name} is not of the layer that the probe reads, {READ} ({at or 'the cut'}).",
                f"Take {READ}:0 and so on, or directions of it: circuitz directions --layer {READ}.",
            )
        place = f"{READ}@{unit.basis}" if unit.basis else READ
        if unit.index not in found.setdefault(place, []):
            found[place].append(unit.index)
    return found


def contributions_to_probe_input(
    z: AnnotatedModel, net: ProbedNetwork, chosen: Mapping[str, Sequence[int]], tokens: I32
) -> torch.Tensor:
    """Return what units put into what the probe is given of texts, ``(n, width)`` float32.

    A unit puts in itself; a direction its coordinate, times its row, at each token.

    Parameters
    ----------
    z, net
        The model and its network.
    chosen
        Of :func:`unit_indices_by_place`.
    tokens
        ``(n, t)``.
    """
    bases = {place: load_basis(z.bases, place) for place in chosen if place != READ}
    parts: list[torch.Tensor] = []
    device = net.read_out.probe.weight.device
    with torch.no_grad():
        for start in range(0, len(tokens), _BATCH):
            some = torch.from_numpy(tokens[start : start + _BATCH].astype(np.int64)).to(device)
            flat = (
                net.read_out.weigh_positions(net.probed_activations(some), some)
                .transpose(1, 2)
                .float()
            )
            there = (some != net.read_out.padding)[:, None]
            said = torch.zeros_like(flat)
            for place, numbers in chosen.items():
                rows = torch.as_tensor(list(numbers), device=device)
                if place == READ:
                    said[:, rows] += flat[:, rows]
                    continue
                basis = bases[place]
                found = basis.coordinates(flat)
                kept = torch.zeros_like(found)
                kept[:, rows] = found[:, rows]
                # What fills up short texts has coordinates, and is not read.
                said += basis.activation_change(kept, flat) * there
            parts.append(said.mean(2).cpu())
    return torch.cat(parts)
