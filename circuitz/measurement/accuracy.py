"""How often a network is right on D: near chance, nothing else that is measured means anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.source_rows import class_membership_mask
from circuitz.stats.counted_shares import Share, share_with_wilson_interval
from circuitz.z.model import AnnotatedModel

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class DataAccuracy:
    """How often a network is right on rows of D.

    Parameters
    ----------
    share
        Right answers over all answers, with its 95 % Wilson interval.
    guess
        The share that is right when the same is always said.
    """

    share: Share
    guess: float

    @property
    def beats_guessing(self) -> bool:
        """Whether the interval lies above always saying the same."""
        return self.share.low > self.guess


def accuracy_on_data(z: AnnotatedModel, rows: I64 | None = None) -> DataAccuracy:
    """Run the network on D and count right answers.

    Parameters
    ----------
    z
        A model with D and labels, whose network can be run.
    rows
        ``(n,)`` rows of D; all by default.

    Raises
    ------
    InputsError
        If D is not at hand or has no labels.
    """
    if z.data is None:
        raise InputsError("D is not at hand.", "Attach it: z = z.with_(data=data).")
    members = class_membership_mask(z.data, z.classes, z.head)
    rows = np.arange(len(members)) if rows is None else rows
    logits, members = runtime(z).logits(z.data.images[rows]), members[rows]
    if z.head == "multi-label":
        # A yes or no for every class, each counted.
        right = (logits > 0) == members
        guess = float(np.maximum(members.mean(0), 1 - members.mean(0)).mean())
    else:
        right = logits.argmax(1) == members.argmax(1)
        guess = float(members.mean(0).max())
    return DataAccuracy(share_with_wilson_interval(int(right.sum()), int(right.size)), guess)
