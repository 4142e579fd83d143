"""Judgements as arrays: who said what about which input."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.errors import LabellingError
from circuitz.labelling.labels.rater_votes import RaterOfKind, titles_of_raters
from circuitz.store.judgement import Judgement

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to questions about inputs, ready to learn from.

    Parameters
    ----------
    shares
        ``(m, k)`` float64, rows summing to 1: a choice is a row with a single 1, a rater's own
        probabilities are soft.
    item
        ``(m,)`` int64: which row of the features an answer is about.
    rater
        ``(m,)`` int64 index into ``raters``.
    raters
        Their names.
    """

    shares: F64
    item: npt.NDArray[np.int64]
    rater: npt.NDArray[np.int64]
    raters: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.shares)


def validate_and_normalise_answers(
    answers: npt.ArrayLike | Answers,
    n: int,
    k: int,
    *,
    item: npt.ArrayLike | None = None,
    rater: Sequence[str] | None = None,
) -> Answers:
    """Check answers and put them into one form; "cannot tell" (NaN or -1) is left out.

    Parameters
    ----------
    answers
        ``(m,)`` chosen classes, -1 for "cannot tell"; or ``(m, k)`` probabilities, a row of NaN
        for "cannot tell".
    n, k
        Number of inputs and of classes.
    item
        ``(m,)`` which input each answer is about; default: one answer an input, in order.
    rater
        ``(m,)`` who gave each; default: one rater.

    Raises
    ------
    LabellingError
        If shapes, classes or probabilities do not fit, or no answer is left.
    """
    if isinstance(answers, Answers):
        found = answers
    else:
        raw = np.asarray(answers)
        shares = _one_hot_with_nan_rows(raw, k) if raw.ndim == 1 else np.asarray(raw, np.float64)
        names = ["rater"] * len(raw) if rater is None else list(rater)
        raters, rater_index = _number_raters(names)
        found = Answers(
            shares,
            np.arange(len(raw)) if item is None else np.asarray(item, np.int64),
            rater_index,
            raters,
        )
    m = len(found.shares)
    if found.shares.shape != (m, k) or found.item.shape != (m,) or found.rater.shape != (m,):
        raise LabellingError(
            f"Answers {found.shares.shape} do not fit {k} classes.", "Give one row an answer."
        )
    keep = ~np.isnan(found.shares).any(1)
    shares = found.shares[keep]
    if not len(shares):
        raise LabellingError("There are no answers to learn from.", "Ask somebody first.")
    if (shares < 0).any() or not np.allclose(shares.sum(1), 1, atol=1e-3):
        raise LabellingError("Some probabilities do not sum to 1.", "Give a distribution a row.")
    if found.item.min() < 0 or found.item.max() >= n:
        raise LabellingError(f"An answer is about an input beyond the {n} given.", "Check items.")
    return Answers(
        shares / shares.sum(1, keepdims=True), found.item[keep], found.rater[keep], found.raters
    )


def answers_from_judgements(
    judgements: Iterable[Judgement],
    classes: Sequence[str],
    position: Mapping[str, int],
    *,
    soft: bool = True,
) -> Answers:
    """Read answers from the store's rows.

    Parameters
    ----------
    judgements
        Labelling judgements (current ones).
    classes
        The classes, in the model's order.
    position
        Row of the features by item hash; judgements about other items are left out.
    soft
        Use the rater's own probabilities where given, rather than the choice alone.

    Raises
    ------
    LabellingError
        If an answer names an unknown class, or none is left.
    """
    shares: list[F64] = []
    items: list[int] = []
    given_by: list[RaterOfKind] = []
    index = {name: i for i, name in enumerate(classes)}
    for judgement in judgements:
        answer = judgement.answer
        if answer is None or not judgement.items or judgement.items[0] not in position:
            continue
        choice = answer.get("choice")
        if choice in (CANNOT_TELL, DISCARDED):
            continue
        given: Mapping[str, Any] = (answer.get("probabilities") or {}) if soft else {}
        row = np.zeros(len(classes))
        try:
            for name, value in (given or {str(choice): 1.0}).items():
                row[index[name]] = float(value)
        except KeyError as error:
            raise LabellingError(
                f"Judgement {judgement.id} names {error}, which is no class.",
                f"Classes are {', '.join(classes)}.",
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            raise LabellingError(
                f"Judgement {judgement.id} has probabilities that are no numbers.",
                "Withdraw it, or leave it out of the store.",
            ) from error
        shares.append(row)
        items.append(position[judgement.items[0]])
        given_by.append((judgement.rater, judgement.rater_kind))
    titles = titles_of_raters(given_by)
    raters, rater_index = _number_raters([titles[one] for one in given_by])
    found = Answers(
        np.array(shares).reshape(len(shares), len(classes)),
        np.array(items, np.int64),
        rater_index,
        raters,
    )
    return validate_and_normalise_answers(
        found, max(position.values(), default=0) + 1, len(classes)
    )


def _number_raters(names: Sequence[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Return the raters in order of appearance, and whose each answer is."""
    number: dict[str, int] = {}
    index = [number.setdefault(name, len(number)) for name in names]
    return tuple(number), np.array(index, np.int64)


def _one_hot_with_nan_rows(choices: npt.NDArray[Any], k: int) -> F64:
    whole = choices.astype(np.int64)
    if len(whole) and (whole.max() >= k or whole.min() < -1 or (whole != choices).any()):
        raise LabellingError(f"Some choices are not among the {k} classes.", "Use 0 to k - 1.")
    rows = np.zeros((len(whole), k))
    rows[np.arange(len(whole)), whole] = 1.0
    rows[whole == -1] = np.nan
    return rows
