"""What a network chooses when its words are taken at face value, beside what else could explain it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from circuitz.errors import InterventionError
from circuitz.stats.agreement import IntervalEstimate, right_share_with_interval
from circuitz.z.agreement_record import AgreementRecord, with_agreement_records
from circuitz.z.word_match import POPULATION_NAMES, Population

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

#: How near to true activations of the same units, and how far above permuted words, is *works*.
NEAR_TRUE, ABOVE_PERMUTED = 0.05, 0.20
TRUE, DONORS, REGRESSION, NETWORK = "true activations", "all donors", "regression", "network"
REWRITE, PERMUTED = "rewrite", "permuted words"


@dataclass(frozen=True, eq=False, repr=False)
class FaceValueRewrite:
    """Choices by picture, and how often they are the network's own.

    Parameters
    ----------
    classes
        Order of the columns.
    population
        ``D`` where the pictures are z's D, else ``D'``.
    rows
        ``(n,)`` which of the pictures were scored; the others lack a word.
    margins
        ``(n, k)`` class margins when every unit that bears words puts out what its words imply, and
        all others take values of pictures of other classes.
    predicted
        ``(n,)`` the class the network itself chooses.
    labels
        ``(n,)`` true classes, or ``None``; nothing but ``accuracy`` reads them.
    others
        ``(n,)`` choices of what it is compared with, by name.
    permuted
        ``(r, n)`` choices when words change places among units.
    words, units, unlabelled
        Words that were asked for, units that were rewritten, and how many annotated units have no
        word that the concept set labels.
    left_out
        Pictures of which some word is not known.
    donors
        Pictures of D that lend values to units without words.
    simulated
        Whether values of words rest on a simulated person's answers.
    weights_hash, annotations_hash, concepts_hash, inputs_hash
        What it was made of.
    """

    classes: tuple[str, ...]
    population: Population
    rows: I64
    margins: F64
    predicted: I64
    labels: I64 | None
    others: Mapping[str, I64]
    permuted: I64
    words: tuple[str, ...]
    units: tuple[str, ...]
    unlabelled: int
    left_out: int
    donors: int
    simulated: bool
    weights_hash: str
    annotations_hash: str
    concepts_hash: str
    inputs_hash: str

    @property
    def chosen(self) -> I64:
        """``(n,)`` class of the largest margin."""
        return self.margins.argmax(1).astype(np.int64)

    @property
    def agreement(self) -> IntervalEstimate:
        """Share of pictures on which rewrite and network choose the same class (Wilson, 95 %)."""
        return _share(self.chosen, self.predicted)

    @property
    def accuracy(self) -> IntervalEstimate | None:
        """Share of pictures on which the rewrite is right; ``None`` without labels."""
        return None if self.labels is None else _share(self.chosen, self.labels)

    @property
    def works(self) -> bool:
        """Whether words say what the units do.

        Agreement is within .05 of that with true activations of the same units, and .20 or more
        above that with words permuted among units.
        """
        own = self.agreement.estimate
        permuted = float((self.permuted == self.predicted).mean()) if len(self.permuted) else 1.0
        true = _share(self.others[TRUE], self.predicted).estimate
        return own >= true - NEAR_TRUE and own >= permuted + ABOVE_PERMUTED

    @property
    def frame(self) -> pd.DataFrame:
        """How often each way of choosing agrees with the network, and is right, one row each.

        Columns: way, agreement, low, high (of the agreement), accuracy, n. Of permuted words: the
        mean over permutations, and the middle 95 % of them. Accuracy is NaN without labels.
        """
        rows = [self._row(REWRITE, self.chosen)]
        rows += [self._row(name, self.others[name]) for name in (TRUE,) if name in self.others]
        if len(self.permuted):
            shares = (self.permuted == self.predicted).mean(1)
            low, high = np.quantile(shares, [0.025, 0.975])
            right = np.nan if self.labels is None else float((self.permuted == self.labels).mean())
            rows.append((PERMUTED, float(shares.mean()), low, high, right, len(self.rows)))
        rows += [self._row(name, v) for name, v in self.others.items() if name != TRUE]
        rows.append(self._row(NETWORK, self.predicted))
        columns = ["way", "agreement", "low", "high", "accuracy", "n"]
        return pd.DataFrame(rows, columns=columns)

    def _row(self, name: str, chosen: I64) -> tuple[Any, ...]:
        same = _share(chosen, self.predicted)
        right = np.nan if self.labels is None else _share(chosen, self.labels).estimate
        return name, same.estimate, same.low, same.high, right, same.n

    def to_json(self) -> dict[str, Any]:
        """Return figures and choices as JSON values."""
        rows = self.frame.astype(object).where(self.frame.notna(), None).to_dict("records")
        return {
            "population": self.population,
            "works": self.works,
            "agreement": asdict(self.agreement),
            "accuracy": None if self.accuracy is None else asdict(self.accuracy),
            "ways": rows,
            "n": len(self.rows),
            "left_out": self.left_out,
            "words": list(self.words),
            "units": list(self.units),
            "unlabelled": self.unlabelled,
            "donors": self.donors,
            "simulated": self.simulated,
            "rows": self.rows.tolist(),
            "chosen": [self.classes[k] for k in self.chosen],
            "predicted": [self.classes[k] for k in self.predicted],
            "hashes": {
                "weights": self.weights_hash,
                "annotations": self.annotations_hash,
                "concepts": self.concepts_hash,
                "inputs": self.inputs_hash,
            },
        }

    def __repr__(self) -> str:
        where = POPULATION_NAMES[self.population]
        head = f"Words at face value on {where}: {'works' if self.works else 'does not work'}"
        about = (
            f"{len(self.words)} words on {len(self.units)} units; {len(self.rows)} pictures, "
            f"{self.left_out} left out for want of a word"
        )
        if self.simulated:
            about += "; values of words rest on SIMULATED answers"
        lines = [head, f"  {about}"]
        for row in self.frame.to_dict("records"):
            right = "" if pd.isna(row["accuracy"]) else f", right on {row['accuracy']:.1%}"
            interval = f"[{row['low']:.1%}, {row['high']:.1%}]"
            lines.append(
                f"  {row['way']}: as the network on {row['agreement']:.1%} {interval}{right}"
            )
        return "\n".join(lines)


def with_agreement(z: AnnotatedModel, *results: FaceValueRewrite) -> AnnotatedModel:
    """Return z with the agreement kept, for its card; one of the same population is replaced.

    Raises
    ------
    InterventionError
        If a result is of other weights, words or concepts than z's.
    """
    for result in results:
        made_of = (result.weights_hash, result.annotations_hash, result.concepts_hash)
        if made_of != (z.weights_hash, z.annotations_hash, z.concepts_hash):
            raise InterventionError(
                "The rewrite was made with other weights, words or concepts than this z's.",
                "Rewrite this one: cz.rewrite(z, images).",
            )
    return with_agreement_records(
        z,
        (
            AgreementRecord(
                result.population,
                result.agreement.estimate,
                result.agreement.low,
                result.agreement.high,
                result.agreement.n,
                result.works,
                result.left_out,
                result.simulated,
                result.weights_hash,
                result.annotations_hash,
                result.concepts_hash,
                result.inputs_hash,
            )
            for result in results
        ),
    )


def _share(chosen: I64, reference: I64) -> IntervalEstimate:
    found = right_share_with_interval(int((chosen == reference).sum()), len(reference))
    return found or IntervalEstimate(float("nan"), 0.0, 1.0, 0)
