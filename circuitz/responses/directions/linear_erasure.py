"""Concepts taken out of activations, so that no linear read-out finds them any more.

LEACE (Belrose et al. 2023): of all affine maps after which a concept correlates with no unit, the
one that moves activations least, in their own metric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import InputsError

_RIDGE = 1e-4


@dataclass(frozen=True, eq=False)
class Eraser:
    """An affine map ``x - (x - centre) @ project.T``.

    Parameters
    ----------
    centre
        ``(d,)`` float64.
    project
        ``(d, d)`` float64 of a rank no higher than the number of concepts.
    """

    centre: torch.Tensor
    project: torch.Tensor

    @classmethod
    def fit(cls, x: torch.Tensor, concepts: npt.NDArray[np.float32]) -> Eraser:
        """Fit to labelled inputs.

        Parameters
        ----------
        x
            ``(n, d)`` activations.
        concepts
            ``(n, c)`` of 0 and 1; rows with an unknown label are left out.

        Raises
        ------
        InputsError
            If fewer than two rows have all labels.
        """
        known = np.isfinite(concepts).all(1)
        if known.sum() < 2:
            raise InputsError(
                "Hardly any text has all labels of the concepts to erase.", "Label more texts."
            )
        rows = x[torch.from_numpy(known)].double()
        told = torch.from_numpy(concepts[known]).double()
        centre = rows.mean(0)
        moved, told = rows - centre, told - told.mean(0)
        spread = moved.T @ moved / len(rows)
        # Directions in which nothing ever moves must not be divided by nothing.
        spread += _RIDGE * spread.diagonal().mean().clamp(min=1e-12) * torch.eye(len(spread))
        size, axes = torch.linalg.eigh(spread)
        whiten = axes @ torch.diag(size.rsqrt()) @ axes.T
        colour = axes @ torch.diag(size.sqrt()) @ axes.T
        left, weight, _ = torch.linalg.svd(whiten @ (moved.T @ told), full_matrices=False)
        left = left[:, weight > 1e-9 * weight.max().clamp(min=1e-12)]
        return cls(centre, colour @ left @ left.T @ whiten)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return activations ``(n, d)`` without the concepts."""
        wide = x.double()
        return (wide - (wide - self.centre) @ self.project.T).to(x.dtype)
