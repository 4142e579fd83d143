"""How often a network is right on D: near chance, nothing else that is measured means anything."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from circuitz.stats.balanced_share import BalancedShare
from circuitz.stats.counted_shares import Share

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Where a z's notes keep it.
ACCURACY_NOTE: Final = "accuracy"


@dataclass(frozen=True)
class DataAccuracy:
    """How often a network is right on rows of D.

    Parameters
    ----------
    share
        Right answers over all answers, with its 95 % Wilson interval.
    guess
        The share that is right when the same is always said.
    balanced
        The mean of the shares of the classes, which is ``chance`` when the same is always said:
        of a yes or no for each class that of both answers.
    chance
        Balanced accuracy of always saying the same.
    """

    share: Share
    guess: float
    balanced: BalancedShare
    chance: float

    @property
    def beats_guessing(self) -> bool:
        """Whether the interval lies above always saying the same."""
        return self.share.low > self.guess

    @property
    def beats_chance(self) -> bool:
        """Whether the interval of the balanced accuracy lies above chance."""
        return self.balanced.low > self.chance

    def __str__(self) -> str:
        return str(self.share)

    def warning(self) -> str:
        """Say what is wrong with it; empty where it beats chance.

        A network that is right more often in every class than chance may still be right less
        often than who always names the commonest class.
        """
        if self.beats_chance:
            return ""
        return (
            f"Accuracy on D is {self.share}, no better than always saying the same: balanced over "
            f"classes {self.balanced}, by chance {self.chance:.1%}. The preprocessing, the order "
            "of the classes, the labels or the weights are probably wrong, or training was too "
            "short: nothing that is measured on it can be trusted."
        )


def accuracy_note(accuracy: DataAccuracy, z: AnnotatedModel) -> dict[str, Any]:
    """Return an accuracy as JSON values, with what it was counted on."""
    return {**asdict(accuracy), "weights": z.weights_hash, "data": z.data_hash}


def accuracy_from_notes(z: AnnotatedModel) -> DataAccuracy | None:
    """Return the accuracy kept with a z; None where none is, or weights or D have changed since."""
    note = z.notes.get(ACCURACY_NOTE)
    if not isinstance(note, dict):
        return None
    if (note.get("weights"), note.get("data")) != (z.weights_hash, z.data_hash):
        return None
    try:
        return DataAccuracy(
            Share(**note["share"]), float(note["guess"]), BalancedShare(**note["balanced"]),
            float(note["chance"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):  # notes are anybody's to write
        return None
