"""One tensor under several names: files mostly hold it once."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from circuitz.errors import WeightsError

State = dict[str, torch.Tensor]


def with_tied_weights(
    own: Mapping[str, torch.Tensor], stored: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return weights of a file, with those it leaves out because they are tied to one it holds.

    Parameters
    ----------
    own
        The network's state dict; tied tensors lie in the same memory.
    stored
        Tensors of the file, by the same names.

    Raises
    ------
    WeightsError
        If the file holds two different tensors where the network has one under two names.
    """
    _refuse_untied(own, stored)
    whole = dict(stored)
    for name, tensor in own.items():
        if name in stored:
            continue
        for other, base in own.items():
            if (
                other in stored
                and _memory(base) == _memory(tensor)
                and stored[other].shape == base.shape
                and base.numel() * base.element_size() == base.untyped_storage().nbytes()
            ):
                whole[name] = _view_as(tensor, base, stored[other])
                break
    return whole


def _memory(tensor: torch.Tensor) -> tuple[int, torch.dtype]:
    return tensor.untyped_storage().data_ptr(), tensor.dtype


def _view_as(tensor: torch.Tensor, base: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return what ``tensor`` would be if ``base``, in whose memory it lies, had a value."""
    memory = torch.empty(base.numel(), dtype=value.dtype)
    torch.as_strided(memory, base.shape, base.stride(), base.storage_offset()).copy_(value)
    return torch.as_strided(
        memory, tensor.shape, tensor.stride(), tensor.storage_offset()
    ).contiguous()


def _refuse_untied(own: Mapping[str, torch.Tensor], stored: Mapping[str, torch.Tensor]) -> None:
    first: dict[tuple[object, ...], str] = {}
    for name, tensor in own.items():
        if name not in stored or not tensor.numel():
            continue
        place = *_memory(tensor), tensor.storage_offset(), tuple(tensor.shape), tensor.stride()
        other = first.setdefault(place, name)
        if not _equal(stored[name], stored[other]):
            raise WeightsError(
                f"{other} and {name} are one tensor in this network, and the file holds two "
                "different ones.",
                "Build the network with separate weights (untied), as it was trained.",
            )


def _equal(first: torch.Tensor, second: torch.Tensor) -> bool:
    return first is second or (first.shape == second.shape and bool((first == second).all()))
