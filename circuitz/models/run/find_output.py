"""Which of the tensors a network returns are its logits: found by running it, and said."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.run.output_values import (
    is_computed_from,
    output_values,
    outputs_with_gradient,
)

#: What Hugging Face and others call them.
LOGITS: Final = "logits"


@dataclass(frozen=True)
class OutputChoice:
    """Which output is read as logits.

    Parameters
    ----------
    key
        Its key, name or number; empty where the network returns one tensor.
    remark
        How that was found out, for people; empty where there was nothing to choose.
    """

    key: str = ""
    remark: str = ""


def tensors_by_name(out: Any) -> dict[str, torch.Tensor]:
    """Return the tensors a network returned by key, name or number.

    Parameters
    ----------
    out
        A tensor, mapping, tuple, list or named tuple, data class, or an object with attributes.
    """
    if isinstance(out, torch.Tensor):
        return {"": out}
    items: Mapping[Any, Any]
    if isinstance(out, Mapping):
        items = cast(Mapping[Any, Any], out)
    elif isinstance(out, tuple | list):
        every = cast(Sequence[Any], out)
        items = dict(zip(_names_in_sequence(every), every, strict=True))
    elif dataclasses.is_dataclass(out):
        items = {f.name: getattr(out, f.name) for f in dataclasses.fields(out)}
    else:
        items = dict(getattr(out, "__dict__", {}))
        if isinstance(getattr(out, LOGITS, None), torch.Tensor):
            items = {LOGITS: out.logits, **items}
    return {str(name): t for name, t in items.items() if isinstance(t, torch.Tensor)}


def output_by_key(out: Any, key: str) -> Any:
    """Return what a network returned under a key, name or number.

    It is not looked at, so that this works on what stands for a tensor while a network is traced.

    Raises
    ------
    LayerError
        If there is none of that key.
    """
    if isinstance(out, Mapping):
        for name, value in cast(Mapping[Any, Any], out).items():
            if str(name) == key:
                return value
    elif isinstance(out, tuple | list):
        names = [str(n) for n in _names_in_sequence(cast(Sequence[Any], out))]
        if key in names:
            return out[names.index(key)]
    elif hasattr(out, key):
        return getattr(out, key)
    raise LayerError(
        f"The network returns no output {key!r}: it returns {describe_outputs(out)}.",
        "Name one of these as output=.",
    )


def _names_in_sequence(out: Sequence[Any]) -> Sequence[Any]:
    return getattr(out, "_fields", range(len(out)))


def describe_outputs(out: Any) -> str:
    """Say what a network returned, by name and shape."""
    kind = type(out).__name__
    if isinstance(out, torch.Tensor):
        return f"a tensor of shape {tuple(out.shape)}"
    found = tensors_by_name(out)
    listed = ", ".join(f"{name!r} {tuple(t.shape)}" for name, t in found.items())
    return f"a {kind} of {listed}" if listed else f"a {kind} without tensors"


def find_output(
    net: nn.Module, x: torch.Tensor, out: Any, columns: int | None = None, output: str = ""
) -> OutputChoice:
    """Find which of the tensors a network returns are its logits.

    Those with as many columns as there are classes; of several the one named ``logits``, or the
    one that is computed from all the others.

    Parameters
    ----------
    net
        The network; it is run again where several fit.
    x
        Prepared inputs ``(n, ...)``.
    out
        What it returned for them.
    columns
        Number of classes, where that is known. Two classes may have one logit.
    output
        Key, name or number of the output to take, where the user says so.

    Raises
    ------
    LayerError
        If none fits, or which of several it is cannot be told.
    """
    if isinstance(out, torch.Tensor):
        if output not in ("", "0"):
            raise LayerError(
                f"There is no output {output!r}: the network returns one tensor.",
                "Leave output= out.",
            )
        return OutputChoice()
    if output:
        if output.isdecimal() and output not in tensors_by_name(out):
            # Entries of a mapping or of a named tuple may be counted, too.
            output = dict(enumerate(tensors_by_name(out))).get(int(output), output)
        chosen = output_by_key(out, output)
        if not isinstance(chosen, torch.Tensor) or not _could_be_logits(chosen, len(x), columns):
            raise LayerError(
                f"Output {output!r} is no logits{_of_classes(columns)}: the network returns "
                f"{describe_outputs(out)}.",
                "Name another as output=.",
            )
        return OutputChoice(output, f"Of {describe_outputs(out)} {output!r} is read, as was asked.")
    tensors = tensors_by_name(out)
    found = {name: t for name, t in tensors.items() if _could_be_logits(t, len(x), columns)}
    if not found:
        any_width = [name for name, t in tensors.items() if _could_be_logits(t, len(x), None)]
        if LOGITS in tensors or len(any_width) == 1:
            # What is wrong with their shape is told by name elsewhere.
            return OutputChoice(LOGITS if LOGITS in tensors else any_width[0])
    of_classes = _of_classes(columns)
    if not found:
        raise LayerError(
            f"The network returns {describe_outputs(out)}: none is logits{of_classes} "
            "(inputs, classes).",
            "Wrap it in a module that returns one row of class scores an input.",
        )
    if len(found) == 1:
        name = next(iter(found))
        later = "" if name == LOGITS else _computed_from(net, x[:2], name)
        if later:
            raise LayerError(
                f"The network returns {describe_outputs(out)}: {name!r} alone has the shape of "
                f"logits{of_classes}, but {later!r} is computed from it.",
                f"Name the classes of {later!r}, or say output={name!r} if that is meant.",
            )
        reason = "it alone has the shape of logits" + of_classes
        return OutputChoice(name, _remark(out, name, reason))
    if LOGITS in found:
        return OutputChoice(LOGITS, _remark(out, LOGITS, "by its name"))
    last = _last_computed(net, x[:2], list(found))
    if last:
        return OutputChoice(last, _remark(out, last, "it is computed from the others"))
    raise LayerError(
        f"The network returns {describe_outputs(out)}: {', '.join(map(repr, found))} could be "
        f"logits{of_classes}, and which is meant cannot be told.",
        f"Say it: output={next(iter(found))!r}.",
    )


def _of_classes(columns: int | None) -> str:
    return "" if columns is None else f" of {columns} classes"


def _remark(out: Any, name: str, reason: str) -> str:
    if len(tensors_by_name(out)) < 2:
        return ""
    return (
        f"The network returns {describe_outputs(out)}; {name!r} is read as its logits: {reason}. "
        "Say output= if that is wrong."
    )


def _could_be_logits(tensor: torch.Tensor, n: int, columns: int | None) -> bool:
    if not tensor.is_floating_point() or tensor.ndim not in (1, 2) or len(tensor) != n:
        return False
    width = 1 if tensor.ndim == 1 else tensor.shape[1]
    return columns is None or width == columns or (columns == 2 and width == 1)


def _followed_outputs(net: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return outputs with what made them, less such as are only squashed from logits."""
    try:
        out = tensors_by_name(outputs_with_gradient(net, x))
    except Exception:  # a network that runs without gradient alone: nothing can be followed
        return {}
    squashed = ("softmax", "sigmoid", "log-probabilities")
    return {n: t for n, t in out.items() if output_values(t) not in squashed} or out


def _last_computed(net: nn.Module, x: torch.Tensor, names: Sequence[str]) -> str:
    """Return the output that is computed from all the others; empty where none is."""
    tensors = {n: t for n, t in _followed_outputs(net, x).items() if n in names}
    last = [
        name
        for name, tensor in tensors.items()
        if all(is_computed_from(tensor, other) for n, other in tensors.items() if n != name)
    ]
    return last[0] if len(last) == 1 else ""


def _computed_from(net: nn.Module, x: torch.Tensor, name: str) -> str:
    """Return an output that could be logits of other classes and is computed from this one."""
    tensors = _followed_outputs(net, x)
    rest = (n for n, t in tensors.items() if n != name and _could_be_logits(t, len(x), None))
    return (
        next((n for n in rest if is_computed_from(tensors[n], tensors[name])), "")
        if (name in tensors)
        else ""
    )
