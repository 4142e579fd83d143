"""M_L as a value: how likely people who hold a card, and believe its words, find a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.cards.card import Card
from circuitz.cards.judged.class_answer import Arm
from circuitz.disk.hashing import json_hash
from circuitz.errors import CircuitzError, PosteriorError
from circuitz.posterior.likelihood_from_people.cue_evidence import (
    GRADES,
    READINGS,
    CueEvidence,
    SeenWords,
    cue_evidence,
    steps_from_levels,
)
from circuitz.posterior.likelihood_from_people.label_probabilities import (
    DEPTHS,
    LikelihoodWeights,
    class_probabilities,
)
from circuitz.posterior.likelihood_from_people.weights_of_schema_1 import weights_of_schema_1

F64 = npt.NDArray[np.float64]
SCHEMA = 2


@dataclass(frozen=True, eq=False)
class FittedLikelihood:
    """How people label inputs with a card, learned from their labels.

    Made by :func:`circuitz.posterior.likelihood_from_people.fit_likelihood.fit_likelihood`; the
    formula stands in :mod:`circuitz.posterior.likelihood_from_people.label_probabilities`.

    Parameters
    ----------
    classes
        Classes that were ever offered, sorted; others have no bias.
    weights
        Its parameters.
    members
        Parameters fitted anew with raters and z's drawn again; their spread is the error.
    raters
        Expected sureness of every rater (T; the larger, the surer); their geometric mean is 1.
    counts
        Answers by arm, and what was left out.
    remarks
        What was odd about the answers, one sentence each.
    seed
        Seed of the members.
    """

    classes: tuple[str, ...]
    weights: LikelihoodWeights
    members: tuple[LikelihoodWeights, ...]
    raters: dict[str, float]
    counts: dict[str, int]
    remarks: tuple[str, ...] = ()
    seed: int = 0

    def class_probabilities(
        self,
        card: Card,
        levels: npt.ArrayLike | None = None,
        *,
        arm: Arm = "hidden",
        seen: Sequence[SeenWords] | None = None,
    ) -> F64:
        """Return how likely each class of the card is said, ``(n, k)`` in the card's order.

        Parameters
        ----------
        card
            The card that is held.
        levels
            ``(n, c)`` activity of its cues, -1 to 1, in the order of
            :func:`circuitz.cards.activity.distinct_cues`; read as displayed, in steps. The shown
            arm may go without.
        arm
            ``hidden``: activity alone, words at face value, as J needs it. ``shown``: the picture.
        seen
            Of each input, whether it shows each word (the shown arm).

        Raises
        ------
        PosteriorError
            If levels do not fit, or what the arm reads is missing.
        """
        evidence = self._evidence(card, levels, arm, seen)
        return class_probabilities(self._of_card(self.weights, card), evidence)

    def log_likelihood(
        self,
        card: Card,
        labels: npt.ArrayLike,
        levels: npt.ArrayLike | None = None,
        *,
        arm: Arm = "hidden",
        seen: Sequence[SeenWords] | None = None,
    ) -> F64:
        """Return log M_L(y | x, z) of every input, ``(n,)`` nats.

        Parameters
        ----------
        labels
            ``(n,)`` indices into the card's classes; else as :meth:`class_probabilities`.

        Raises
        ------
        PosteriorError
            As :meth:`class_probabilities`, or if labels do not fit.
        """
        evidence = self._evidence(card, levels, arm, seen)
        return self._log_likelihoods(card, labels, evidence, (self.weights,))[0]

    def member_log_likelihoods(
        self,
        card: Card,
        labels: npt.ArrayLike,
        levels: npt.ArrayLike | None = None,
        *,
        arm: Arm = "hidden",
        seen: Sequence[SeenWords] | None = None,
    ) -> F64:
        """Return log M_L by every member, ``(members, n)``; as :meth:`log_likelihood`."""
        evidence = self._evidence(card, levels, arm, seen)
        return self._log_likelihoods(card, labels, evidence, self.members)

    @cached_property
    def hash(self) -> str:
        """Hash of all it says."""
        return json_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the likelihood as JSON values."""
        return {
            "schema": SCHEMA,
            "classes": list(self.classes),
            "weights": _weights_record(self.weights),
            "members": [_weights_record(member) for member in self.members],
            "raters": dict(self.raters),
            "counts": dict(self.counts),
            "remarks": list(self.remarks),
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> FittedLikelihood:
        """Read a likelihood back.

        Raises
        ------
        PosteriorError
            If it is malformed, not finite, or of a newer schema.
        """
        try:
            schema = int(record["schema"])
            if schema > SCHEMA:
                raise PosteriorError("A newer version wrote this likelihood.", "Update circuitz.")
            read = weights_of_schema_1 if schema == 1 else _read_weights
            classes = tuple(str(name) for name in record["classes"])
            return cls(
                classes=classes,
                weights=read(record["weights"], len(classes)),
                members=tuple(read(one, len(classes)) for one in record["members"]),
                raters={str(name): float(v) for name, v in record["raters"].items()},
                counts={str(name): int(n) for name, n in record["counts"].items()},
                remarks=tuple(str(remark) for remark in record["remarks"]),
                seed=int(record["seed"]),
            )
        except CircuitzError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise PosteriorError(
                f"This is not a fitted likelihood: {type(error).__name__} {error}.", "Fit it anew."
            ) from error

    def _evidence(
        self,
        card: Card,
        levels: npt.ArrayLike | None,
        arm: Arm,
        seen: Sequence[SeenWords] | None,
    ) -> CueEvidence:
        steps = None if levels is None else steps_from_levels(card, levels)
        return cue_evidence(card, card.names, arm=arm, steps=steps, seen=seen)

    def _log_likelihoods(
        self,
        card: Card,
        labels: npt.ArrayLike,
        evidence: CueEvidence,
        members: Sequence[LikelihoodWeights],
    ) -> F64:
        y = np.asarray(labels, np.int64)
        if y.shape != (len(evidence),) or (
            len(y) and not 0 <= y.min() <= y.max() < len(card.names)
        ):
            raise PosteriorError(
                f"Labels {y.shape} do not fit {len(evidence)} inputs and {len(card.names)} classes.",
                "Give one index into the card's classes for each input.",
            )
        found = [class_probabilities(self._of_card(m, card), evidence) for m in members]
        return np.log(np.array([p[np.arange(len(y)), y] for p in found]).reshape(-1, len(y)))

    def _of_card(self, weights: LikelihoodWeights, card: Card) -> LikelihoodWeights:
        """Return the parameters with the bias of the card's classes, in its order."""
        of_class = dict(zip(self.classes, weights.bias, strict=True))
        bias = np.array([of_class.get(name, 0.0) for name in card.names])
        return replace(weights, bias=bias)


def _weights_record(weights: LikelihoodWeights) -> dict[str, Any]:
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in vars(weights).items()
    }


def _read_weights(record: Mapping[str, Any], k: int) -> LikelihoodWeights:
    sizes = {
        "grades": len(GRADES), "values": len(READINGS), "promises": len(READINGS),
        "depths": len(DEPTHS), "bias": k,
    }  # fmt: skip
    array = {name: np.asarray(record[name], np.float64).reshape(n) for name, n in sizes.items()}
    names = ("saturation", "sign_blind", "guessing", "spread")
    number = {name: float(record[name]) for name in names}
    if not all(np.isfinite(part).all() for part in (*array.values(), *number.values())):
        raise ValueError("a number is not finite")
    return LikelihoodWeights(
        grades=array["grades"], values=array["values"], promises=array["promises"],
        saturation=number["saturation"], depths=array["depths"], sign_blind=number["sign_blind"],
        guessing=number["guessing"], spread=number["spread"], bias=array["bias"],
    )  # fmt: skip
