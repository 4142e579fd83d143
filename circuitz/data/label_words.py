"""Labels that are words: which class each is, and in what order the classes stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError

_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_SHOWN = 12


def words_of_labels(labels: Any) -> list[str] | None:
    """Return labels as words, where they are class names rather than numbers."""
    for step in ("detach", "cpu", "numpy"):
        if hasattr(labels, step):
            labels = getattr(labels, step)()
    try:
        array = np.asarray(labels)
    except ValueError:  # told by name when labels are read
        return None
    if array.dtype.kind == "U" or (
        array.dtype.kind == "O"
        and array.ndim == 1
        and len(array) > 0
        and all(isinstance(v, str) for v in array)
    ):
        return [str(word) for word in array.ravel()]
    return None


def order_label_words(labels: Any, words: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the classes that words name, in the likeliest order, and a remark that says which.

    A categorical's own order is kept; whole numbers as text stand in the order of numbers, and
    other words in that of the alphabet.
    """
    names = set(words)
    categories = getattr(getattr(labels, "dtype", None), "categories", None)
    if categories is not None:
        order, by = tuple(str(name) for name in categories), "of the categorical they come in"
    elif all(_WHOLE.fullmatch(name.strip()) for name in names):
        order = tuple(sorted(names, key=lambda name: (int(float(name)), name)))
        by = "of the numbers that they are"
    else:
        order, by = tuple(sorted(names)), "of the alphabet"
    shown = ", ".join(order[:_SHOWN]) + (", …" if len(order) > _SHOWN else "")
    return order, (
        f"Labels are words, and their classes are taken in the order {by}: {shown}. If the "
        "logits are in another order, give classes= with names in theirs."
    )


def number_label_words(words: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return for each word the place of its class, ``(n,)``.

    Raises
    ------
    InputsError
        If a word is none of the names.
    """
    place = {name: i for i, name in enumerate(names)}
    unknown = sorted(set(words) - set(names))
    if unknown:
        raise InputsError(
            f"A label is {unknown[0]!r}, which is no class.",
            f"Classes are {', '.join(names[:_SHOWN])}.",
        )
    return np.array([place[word] for word in words], np.int64)


def check_labels_count_from_zero(labels: npt.NDArray[np.int64] | None, classes: int) -> None:
    """Refuse labels from 1 to the number of classes.

    Raises
    ------
    InputsError
        If that is how they run.
    """
    if labels is None or labels.ndim != 1 or not len(labels):
        return
    if classes > 1 and int(labels.min()) == 1 and int(labels.max()) == classes:
        raise InputsError(
            f"Labels seem to start at 1: they run from 1 to {classes}, and there are {classes} "
            "classes.",
            "Count classes from 0, in the order of the logits: pass labels - 1.",
        )
