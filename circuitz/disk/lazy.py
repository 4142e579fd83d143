"""Values that are read from disk when somebody first looks at them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Deferred(Generic[T]):
    """A value still on disk.

    Parameters
    ----------
    load
        Reads it; called at most once.
    key
        Hash that names the value, known without reading it.
    saved
        Where it lies, for whoever copies it without reading it.
    """

    def __init__(self, load: Callable[[], T], key: str = "", saved: object | None = None) -> None:
        self._load: Callable[[], T] | None = load
        self._lock = threading.RLock()
        self._value: T
        self.key = key
        self.saved = saved

    @property
    def loaded(self) -> bool:
        """Whether the value has been read."""
        return self._load is None

    def get(self) -> T:
        """Read the value, or return what was read before."""
        with self._lock:
            if self._load is not None:
                self._value = self._load()
                self._load = None
            return self._value


class LazyField(Generic[T]):
    """A dataclass field that accepts a :class:`Deferred` and hands out its value."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Any: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T | None: ...
    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:
            return None  # what the dataclass takes as the default
        value = instance.__dict__[self._slot]
        return value.get() if isinstance(value, Deferred) else value

    def __set__(self, instance: object, value: T | Deferred[T] | Deferred[T | None] | None) -> None:
        instance.__dict__[self._slot] = value


def lazy_field_content_unread(instance: object, name: str) -> Any:
    """Return a lazy field's content as stored, without reading anything from disk."""
    return instance.__dict__[f"_{name}"]
