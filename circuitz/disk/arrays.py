"""Named arrays that never change and may still lie on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.hashing import arrays_hash
from circuitz.errors import WeightsError

Array = npt.NDArray[Any]


def read_only_array(array: npt.ArrayLike) -> Array:
    """Return the array as one nobody can write to; copied unless it already is one.

    A live network's parameters share memory with the arrays taken from them: without the copy,
    training the network would change a z that was made before.
    """
    given = np.asarray(array)
    shared = isinstance(given.base, np.ndarray) and given.base.flags.writeable
    if given.flags.writeable or shared:
        given = given.copy(order="C")
        given.flags.writeable = False
    return given


def _read_only_numeric_array(name: str, array: npt.ArrayLike) -> Array:
    made = read_only_array(array)
    if made.dtype.kind not in "fiub" or made.dtype.itemsize > 8:
        raise WeightsError(
            f"The array {name!r} has the dtype {made.dtype}, which z cannot hold.",
            "Convert it to floats, integers or booleans of at most 8 bytes.",
        )
    return made


class Arrays(Mapping[str, Array]):
    """Arrays by name, read-only; those of a bundle are read when first touched.

    Parameters
    ----------
    arrays
        The arrays, or a function that reads them.
    digest
        Their hash when it is known already (see :func:`circuitz.disk.hashing.arrays_hash`).

    Raises
    ------
    WeightsError
        If an array holds no numbers a bundle can keep.
    """

    __slots__ = ("__weakref__", "_arrays", "_digest", "_load", "_lock")

    def __init__(
        self,
        arrays: Mapping[str, npt.ArrayLike] | Callable[[], Mapping[str, Array]],
        digest: str = "",
    ) -> None:
        self._lock = threading.RLock()
        self._digest = digest
        self._arrays: dict[str, Array] | None = None
        self._load: Callable[[], Mapping[str, Array]] | None = None
        if callable(arrays):
            self._load = arrays
        else:
            self._arrays = {
                str(name): _read_only_numeric_array(name, value) for name, value in arrays.items()
            }

    @classmethod
    def of(cls, arrays: Mapping[str, npt.ArrayLike]) -> Arrays:
        """Return ``arrays`` itself when it is one already."""
        return arrays if isinstance(arrays, Arrays) else cls(arrays)

    @property
    def loaded(self) -> bool:
        """Whether the arrays are at hand, or still only on disk."""
        return self._arrays is not None

    @property
    def hash(self) -> str:
        """Hash over names, dtypes, shapes and contents; computed once."""
        with self._lock:
            if not self._digest:
                self._digest = arrays_hash(self._load_all())
            return self._digest

    def _load_all(self) -> dict[str, Array]:
        with self._lock:
            if self._arrays is None:
                assert self._load is not None
                self._arrays = {
                    name: read_only_array(value) for name, value in self._load().items()
                }
                self._load = None
            return self._arrays

    def __getitem__(self, name: str) -> Array:
        return self._load_all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load_all())

    def __len__(self) -> int:
        return len(self._load_all())

    # Arrays have no single truth value to compare by; ``hash`` compares contents.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        if self._arrays is None:
            return f"Arrays(on disk, {self._digest[:8]})"
        return f"Arrays({', '.join(f'{n} {v.shape}' for n, v in self._arrays.items())})"

    def __reduce__(self) -> tuple[type[Arrays], tuple[dict[str, Array], str]]:
        return (Arrays, (dict(self._load_all()), self._digest))
