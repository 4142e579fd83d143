"""Plain questions to a network: where it is, what it is made of, what it returned."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any

import torch
from torch import nn

from circuitz.errors import CircuitzError, LayerError, NetworkError, WeightsError
from circuitz.models.adapters.unwrap import name_of_enclosing_torchscript
from circuitz.models.run.find_output import LOGITS, describe_outputs, tensors_by_name

# Where classes of networks lay when hashes of them were first stored. Results that were measured
# before a file moved stay valid, so the hashes go on with the old name.
_MODULE_IN_HASHES = {
    "circuitz.models.adapters.bridged": "circuitz.models.bridged",
    "circuitz.models.adapters.bridged_classifier": "circuitz.models.bridged_classifier",
    "circuitz.models.zoo.small_cnn": "circuitz.models.small_cnn",
    "circuitz.models.zoo.small_transformer": "circuitz.models.small_transformer",
    "circuitz.models.zoo.text_classifier": "circuitz.models.text_classifier",
}


def class_name_for_hashes(net: nn.Module) -> str:
    """Return the class of a network as hashes of results name it: the same wherever its file lies."""
    kind = type(net)
    module = _MODULE_IN_HASHES.get(kind.__module__, kind.__module__)
    output = getattr(net, "circuitz_output", "")
    reading = f" output {output}" if output else ""
    return f"<class '{module}.{kind.__qualname__}'>{reading}"


def find_layer(net: nn.Module, name: str) -> nn.Module:
    """Return the module of that dotted name.

    Raises
    ------
    LayerError
        If there is none; the message suggests near names.
    """
    known = dict(net.named_modules(remove_duplicate=False))
    if name and name in known:
        script = name_of_enclosing_torchscript(net, name)
        if script:
            raise LayerError(
                f"Layer {name!r} cannot be read or written: {script!r} is TorchScript.",
                "Choose another, or put the Python module it was made from in its place.",
            )
        return known[name]
    near = get_close_matches(name, list(known), 3) or [n for n in known if n][:6]
    raise LayerError(
        f"The network has no layer {name!r}.", f"Near names: {', '.join(near) or 'none'}."
    )


def check_takes_one_input(net: nn.Module) -> None:
    """Refuse a network whose ``forward`` cannot be called with one input alone.

    Raises
    ------
    NetworkError
        Naming what else it wants.
    """
    try:
        parameters = signature(net.forward).parameters.values()
    except (TypeError, ValueError):  # what has no signature is found out when it is called
        return
    plain = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.default is Parameter.empty]
    one = next((p for p in needed if p.kind in plain), None)
    more = [p.name for p in needed if p is not one and p.kind in (*plain, Parameter.KEYWORD_ONLY)]
    if more:
        first = "" if one is None else f"{one.name} and "
        raise NetworkError(
            f"The network reads more than one input: {type(net).__name__}.forward() wants {first}"
            f"{', '.join(more)}.",
            "Wrap it in a module whose forward() takes the one input that is looked at and hands "
            "the others on itself.",
        )


@contextmanager
def translate_network_errors(x: torch.Tensor | None) -> Generator[None]:
    """Turn whatever a network's own code raises into an error of ours that says so.

    Raises
    ------
    NetworkError
        Chained to the cause.
    """
    try:
        yield
    except CircuitzError:
        raise
    except Exception as problem:
        shape = "" if x is None else f" of shape {tuple(x.shape)}"
        raise NetworkError(
            f"The network fails on inputs{shape}: {type(problem).__name__}: {problem}",
            "Check size, channels and colour order of the preprocessing, then its forward().",
        ) from problem


def device_of(net: nn.Module) -> torch.device:
    """Return where a network's parameters are; the CPU when it has none."""
    return next((p.device for p in net.parameters()), torch.device("cpu"))


def check_network_weights_finite(net: nn.Module) -> None:
    """Refuse a network with NaN or infinite weights.

    Raises
    ------
    WeightsError
        Naming the first such parameter or buffer.
    """
    held: Mapping[str, Any] = net.state_dict(keep_vars=True)
    for name, tensor in held.items():
        if not isinstance(tensor, torch.Tensor):  # what a module keeps besides, as it likes
            continue
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.detach()).all()):
            raise WeightsError(
                f"Weights {name!r} hold NaN or infinite values.",
                "Training probably diverged: load an earlier checkpoint or lower the rate.",
            )


def check_logits_finite(logits: torch.Tensor, on: str) -> None:
    """Refuse logits ``(n, classes)`` that are NaN or infinite on inputs described by ``on``.

    Raises
    ------
    WeightsError
        Naming the classes, where it is some of them.
    """
    bad = (~torch.isfinite(logits)).any(0).nonzero()[:, 0].tolist()
    if bad:
        some = f" (class {', '.join(map(str, bad[:6]))})" if len(bad) < logits.shape[1] else ""
        raise WeightsError(
            f"The network's logits are not finite on {on}{some}.",
            "Check the preprocessing; in half precision, values may overflow.",
        )


def extract_logits(out: Any, head: str = "softmax") -> torch.Tensor:
    """Return the logits tensor ``(n, classes)`` from what a network returned.

    Parameters
    ----------
    out
        A tensor, or a mapping, object or tuple that holds the logits.
    head
        With ``binary`` the network returns one logit s for the second of two classes, ``(n, 1)``
        or ``(n,)``. It becomes (-s/2, s/2), of which softmax makes exactly sigmoid(s).

    Raises
    ------
    LayerError
        If there is no two-dimensional tensor in it, or several of which none is called logits; or
        if a binary head has several logits.
    """
    if not isinstance(out, torch.Tensor):
        out = _only_logits_among_outputs(out)
    if head == "binary" and isinstance(out, torch.Tensor):
        if out.ndim == 2 and out.shape[1] != 1:
            raise LayerError(
                f"A binary head has one logit; the network returns {out.shape[1]}.",
                "Wrap it with head='softmax', or 'multi-label'.",
            )
        if out.ndim in (1, 2):
            half = out.reshape(-1, 1) / 2
            return torch.cat([-half, half], 1)
    if not isinstance(out, torch.Tensor) or out.ndim != 2:
        found = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
        if isinstance(out, torch.Tensor) and out.ndim == 3:
            raise LayerError(
                f"The network returns {found}, something at every position, not logits (inputs, "
                "classes).",
                "Of a language model: cz.wrap(model, tokens), or pass the TransformerLens model "
                "(circuitz.models.adapters.transformer_lens.Lens.of_model(model).bridge); else wrap it in a "
                "module that returns one row of class scores an input.",
            )
        raise LayerError(
            f"The network returns {found}, not logits (inputs, classes).",
            "Wrap it in a module that returns one row of class scores an input.",
        )
    return out


def _only_logits_among_outputs(out: Any) -> torch.Tensor:
    tensors = tensors_by_name(out)
    if LOGITS in tensors:
        return tensors[LOGITS]
    flat = [name for name, tensor in tensors.items() if tensor.ndim in (1, 2)]
    if len(flat) != 1:
        many = f"; {', '.join(map(repr, flat))} could be logits" if flat else ", not logits"
        raise LayerError(
            f"The network returns {describe_outputs(out)}{many} (inputs, classes).",
            "Say which it is: cz.wrap(net, data, output=…)."
            if flat
            else "Wrap it in a module that returns one row of class scores an input.",
        )
    return tensors[flat[0]]
