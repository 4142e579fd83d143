"""Architectures by name: a bundle stores a name and arguments, never code.

>>> @register("tiny")                                         # doctest: +SKIP
... def tiny(classes: int, width: int = 8) -> nn.Module: ...
>>> net = build("tiny", {"classes": 3})                       # doctest: +SKIP
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from circuitz.errors import BuilderError, CircuitzError

if TYPE_CHECKING:
    from torch import nn

BuilderT = TypeVar("BuilderT", bound=Callable[..., Any])

# Shipped builders are imported when first asked for.
_SHIPPED = {
    "small-cnn": "circuitz.models.zoo.small_cnn",
    "small-transformer": "circuitz.models.zoo.small_transformer",
    "text-classifier": "circuitz.models.zoo.text_classifier",
    "bridged-classifier": "circuitz.models.adapters.bridged_classifier",
    "bridged-lm": "circuitz.models.adapters.bridged",
    "import": "circuitz.models.adapters.imported",
}
_BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register(name: str) -> Callable[[BuilderT], BuilderT]:
    """Make a module class, or a function returning a module, known by a name.

    Parameters
    ----------
    name
        The name bundles will store; registering a name again replaces it.

    Returns
    -------
    A decorator that returns what it decorates.
    """

    def record_builder(builder: BuilderT) -> BuilderT:
        _BUILDERS[name] = builder
        return builder

    return record_builder


def builder_names() -> tuple[str, ...]:
    """Return the names that can be built, sorted."""
    return tuple(sorted({*_SHIPPED, *_BUILDERS}))


def build(name: str, args: Mapping[str, Any] | None = None) -> nn.Module:
    """Build a network with fresh weights.

    Parameters
    ----------
    name
        Registered name.
    args
        Keyword arguments of the builder; JSON values only, so that a bundle can hold them.

    Returns
    -------
    The module, with ``circuitz_builder = (name, args)`` set so that it can be saved by name.

    Raises
    ------
    BuilderError
        If the name is not registered, or the arguments do not fit.
    """
    if name not in _BUILDERS and name in _SHIPPED:
        import_module(_SHIPPED[name])
    if name not in _BUILDERS:
        near = get_close_matches(name, builder_names(), 1)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise BuilderError(
            f"No architecture is registered as {name!r}; known: {', '.join(builder_names())}.",
            f"{guess}Register it with @circuitz.models.zoo.builders.register({name!r}).",
        )
    builder = _BUILDERS[name]
    given = dict(args or {})
    try:
        plain = json.loads(json.dumps(given))
    except (TypeError, ValueError) as problem:
        raise BuilderError(
            f"Arguments of {name!r} are not plain JSON values: {problem}.",
            "Use numbers, strings, lists and dicts.",
        ) from problem
    try:
        inspect.signature(builder).bind(**given)
        net = _strip_wrappers(builder(**given))
    except CircuitzError:
        raise
    except (TypeError, ValueError) as problem:
        raise BuilderError(
            f"{name!r} cannot be built from {given}: {problem}.",
            f"Its arguments are {inspect.signature(builder)}.",
        ) from problem
    object.__setattr__(net, "circuitz_builder", (name, plain))
    return net


def _strip_wrappers(net: Any) -> Any:
    """Return a network without what ``torch.compile`` puts around it: it is kept by its own names."""
    from circuitz.models.adapters.unwrap import strip_wrappers  # noqa: PLC0415 (names are known without torch)

    return strip_wrappers(net)
