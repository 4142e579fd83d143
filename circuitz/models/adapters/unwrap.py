"""The network itself, where it comes wrapped, or a named error where none can be had."""

from __future__ import annotations

from typing import Any, cast

from torch import jit, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

from circuitz.errors import NetworkError

_QUANTISED = (
    "torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized", "torch.ao.nn.sparse.quantized",
    "torch.nn.quantized", "torch.nn.intrinsic.quantized", "bitsandbytes",
)  # fmt: skip


def readable_network(net: object) -> nn.Module:
    """Return the network whose layers can be read and written, with the same numbers.

    What ``torch.compile``, ``DataParallel`` or ``DistributedDataParallel`` put around a network is
    taken off; parameters are shared with it. A TransformerLens model becomes one that tells what
    follows the last token (:class:`circuitz.models.adapters.bridged.BridgedLM`).

    Raises
    ------
    NetworkError
        If it is no network, or TorchScript, or quantised, or its parameters are not there yet, or
        parts of it run on several devices at once.
    """
    net = strip_wrappers(net)
    if not isinstance(net, nn.Module) or isinstance(net, type):
        what = net.__name__ if isinstance(net, type) else type(net).__name__
        raise NetworkError(
            f"{what} is no network: a torch.nn.Module that can be called is needed.",
            "Pass the module itself: of a class an instance, of an exported program the module "
            "it was exported from, of a state dict the network it was loaded into.",
        )
    if is_transformer_lens_model(net):
        from circuitz.models.adapters.bridged import BridgedLM  # noqa: PLC0415 (it needs what is here)
        from circuitz.models.adapters.transformer_lens import Lens  # noqa: PLC0415

        return BridgedLM.from_lens(Lens(net))
    _refuse_unreadable(net)
    return net


def strip_wrappers(net: object) -> object:
    """Return what is inside ``torch.compile`` and parallel wrappers; other things as they are."""
    while True:
        inner = getattr(net, "_orig_mod", None) if is_compiled(net) else None
        if isinstance(net, DataParallel | DistributedDataParallel):
            inner = net.module
        if not isinstance(inner, nn.Module):
            return net
        net = inner


def is_transformer_lens_model(net: object) -> bool:
    """Whether this is a TransformerLens model."""
    return hasattr(net, "run_with_hooks") and hasattr(net, "cfg")


def is_compiled(module: object) -> bool:
    """Whether ``torch.compile`` was called on a module, or ``compile`` of it."""
    if type(module).__name__ == "OptimizedModule":
        return True
    return isinstance(module, nn.Module) and bool(getattr(module, "_compiled_call_impl", None))


def name_of_enclosing_torchscript(net: nn.Module, name: str) -> str:
    """Return the outermost TorchScript that a layer is or lies in; empty where there is none."""
    parts = name.split(".")
    outer = (".".join(parts[: i + 1]) for i in range(len(parts)))
    return next((o for o in outer if isinstance(net.get_submodule(o), jit.ScriptModule)), "")


def _refuse_unreadable(net: nn.Module) -> None:
    if isinstance(net, jit.ScriptModule):
        raise NetworkError(
            f"The network is TorchScript ({type(net).__name__}): its layers cannot be read or "
            "written, since they are not called as modules.",
            "Pass the Python module that was traced or scripted, with its weights: "
            "net.load_state_dict(scripted.state_dict()).",
        )
    for name, module in net.named_modules():
        kind = type(module)
        if kind.__module__.startswith(_QUANTISED):
            raise NetworkError(
                f"The network is quantised ({name or 'it'} is a {kind.__module__}.{kind.__name__}): "
                "its numbers are rounded by what else is in a batch, or cannot be set freely.",
                "Pass the float network it was made from.",
            )
        if isinstance(module, DataParallel) and len(cast(list[Any], module.device_ids)) > 1:
            raise NetworkError(
                f"{name!r} runs on {len(cast(list[Any], module.device_ids))} devices at once.",
                "Put what is inside it in its place: net.features = net.features.module.",
            )
    for name, parameter in net.named_parameters():
        if is_lazy(parameter) or parameter.is_meta:
            raise NetworkError(
                f"Weights {name!r} have no numbers yet.",
                "Run the network once on an input, or load its weights.",
            )
