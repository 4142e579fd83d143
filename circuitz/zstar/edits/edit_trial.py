"""What a way to edit pictures does, measured on labelled pictures of the concept set.

An edit that works takes the concept's news away and leaves the rest: once pictures are edited,
nobody can tell any more which of them showed the concept, while the other concepts are told as
well as before. Both are measured by linear probes on what the network and plain colours see,
fitted to *edited* pictures of *select* and read on edited pictures of *test*, so that a trace of
the editing counts as news too. D′, masks and the truth of D have no part in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score

from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.source_rows import rows_of_split
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.edits.pixel_edits import make_editor
from circuitz.zstar.edits.recolour import colour_features
from circuitz.zstar.edits.regions import Finder, RegionFinder
from circuitz.zstar.label_columns import columns_of_same_kind

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

#: Pictures of a split that are edited, at most.
_PICTURES = 360
# A concept told less well than this before any edit says nothing about what edits leave of it.
_TOLD = 0.6
# Of the sum of squares of all features, the ridge of the probes.
_RIDGE = 0.03


@dataclass(frozen=True)
class EditTrial:
    """What came of one way to edit.

    Parameters
    ----------
    concept, way
        What was edited, and how.
    told_before, told_after
        Area under the ROC curve of a probe for the concept on unseen pictures, as they are and
        edited; ``.5`` after: no news of it is left.
    retained
        Share, above chance, of how well other concepts are told that is left in edited pictures;
        NaN where no other is labelled.
    problem
        Why the way could not be tried; empty where it was.
    """

    concept: str
    way: str
    told_before: float = float("nan")
    told_after: float = float("nan")
    retained: float = float("nan")
    problem: str = ""

    @property
    def worth(self) -> float:
        """Share of the concept's news taken away, times what is left of the rest; 0..1."""
        if self.problem:
            return 0.0
        before = max(abs(self.told_before - 0.5), 1e-3)
        taken = 1 - min(abs(self.told_after - 0.5) / before, 1.0)
        return taken * (1.0 if np.isnan(self.retained) else min(max(self.retained, 0.0), 1.0))

    def to_json(self) -> dict[str, object]:
        """Return the trial as JSON values."""
        figures = {
            name: None if np.isnan(value) else round(value, 3)
            for name, value in (
                ("told_before", self.told_before),
                ("told_after", self.told_after),
                ("retained", self.retained),
            )
        }
        tried = {"worth": round(self.worth, 3)} if not self.problem else {"problem": self.problem}
        return {"way": self.way, **figures, **tried}


class EditTester:
    """Tries ways to edit one concept on the concept set, as a network sees it."""

    def __init__(self, z: AnnotatedModel, concept: str, lexicon: Lexicon, *, seed: int = 0) -> None:
        concepts = z.concept_set
        assert concepts is not None
        assert concepts.concepts is not None
        self._z, self._set, self._concept, self._lexicon = z, concepts, concept, lexicon
        self._seed = seed
        own = columns_of_same_kind(concept, concepts, lexicon)
        self._column = own[0]
        self._rest = [c for c in range(len(concepts.concept_names)) if c not in own]
        draw = np.random.default_rng((seed, 5))
        fit, read = (rows_of_split(concepts, s) for s in ("select", "test"))
        if concepts.split is None:
            read = fit[1::2]
            fit = fit[::2]
        self._fit, self._read = (
            np.sort(draw.permutation(self._with_label(rows))[:_PICTURES]) for rows in (fit, read)
        )
        self._plain = tuple(self._features(self._images(rows)) for rows in (self._fit, self._read))
        self._before = self._auroc_by_column(self._plain[0], self._plain[1])

    def _with_label(self, rows: I64) -> I64:
        assert self._set.concepts is not None
        return rows[np.isfinite(self._set.concepts[rows, self._column])]

    def _images(self, rows: I64) -> U8:
        return np.asarray(self._set.images[rows])

    def try_way(self, way: str, finder: Finder) -> EditTrial:
        """Edit pictures by what a finder says and measure what can still be told."""
        assert self._z.data is not None
        alone = isinstance(finder, RegionFinder) and finder.alone
        if alone and not finder.images_show_concept(self._z.data.images).any():
            return EditTrial(self._concept, way, problem="found in no image of D")
        edited = [self._edit(rows, finder) for rows in (self._fit, self._read)]
        after = [self._auroc_by_column(*parts) for parts in zip(*edited, strict=True)]
        told = [tell[0] for tell in after]
        rest = np.mean([tell[1:] for tell in after], 0)
        before = self._before[1:]
        usable = before > _TOLD
        retained = (rest[usable] - 0.5) / (before[usable] - 0.5)
        return EditTrial(
            self._concept,
            way,
            float(self._before[0]),
            # Of several versions, the one that tells most.
            float(max(told, key=lambda v: abs(v - 0.5))),
            float(retained.clip(0, 1).mean()) if usable.any() else float("nan"),
        )

    def _edit(self, rows: I64, finder: Finder) -> list[F64]:
        """Return the features of every edited version of some pictures."""
        pictures = InputSet(self._images(rows), role="concepts")
        editor = make_editor(pictures, self._set, (finder,), self._lexicon, seed=self._seed)
        batch = np.arange(len(rows))
        rng = np.random.default_rng((self._seed, 6, len(rows)))
        made = editor.make_batch_edit_for_rows(batch)(pictures.images, batch, rng)
        versions = np.split(made, len(made) // len(rows))
        # Of several versions the first is the picture as it is.
        return [self._features(v) for v in (versions[1:] or versions)]

    def _features(self, images: U8) -> F64:
        """Return what the network's layers and plain colours say of pictures, ``(n, f)``."""
        layers = [spec.name for spec in self._z.layers]
        axes = {spec.name: spec.unit_axis for spec in self._z.layers}
        parts: list[F64] = []
        for _, acts, _ in runtime(self._z).read(images, layers):
            read = [_pooled(acts[name].movedim(axes[name], 1)) for name in layers]
            parts.append(torch.cat(read, 1).double().cpu().numpy())
        return np.concatenate([np.concatenate(parts), colour_features(images)], 1)

    def _auroc_by_column(self, fit: F64, read: F64) -> F64:
        """Return how well the concept, then every other column, is told on unseen pictures."""
        assert self._set.concepts is not None
        columns = [self._column, *self._rest]
        known = self._set.concepts[self._fit][:, columns].astype(np.float64)
        true = self._set.concepts[self._read][:, columns]
        scores = _ridge_scores(fit, known, read)
        return np.array([_auroc_of_known(true[:, i], scores[:, i]) for i in range(len(columns))])


def _pooled(act: torch.Tensor) -> torch.Tensor:
    """Return each unit's mean and largest value over positions, ``(n, 2 u)``."""
    flat = act.flatten(2) if act.ndim > 2 else act[..., None]
    return torch.cat([flat.mean(2), flat.amax(2)], 1) if flat.shape[2] > 1 else flat[..., 0]


def _ridge_scores(fit: F64, labels: F64, read: F64) -> F64:
    """Return linear scores of unseen rows for every label column; unknown labels weigh nothing."""
    mean, spread = fit.mean(0), fit.std(0) + 1e-9
    x, unseen = (fit - mean) / spread, ((read - mean) / spread).clip(-6, 6)
    filled = np.where(np.isfinite(labels), labels, np.nanmean(labels, 0, keepdims=True))
    y = np.nan_to_num(filled - filled.mean(0), nan=0.0)
    gram = x @ x.T
    gram[np.diag_indices(len(gram))] += _RIDGE * np.trace(gram) / len(gram) + 1e-9
    return unseen @ (x.T @ np.linalg.solve(gram, y))


def _auroc_of_known(true: F32, scores: F64) -> float:
    known = np.isfinite(true)
    if len(np.unique(true[known])) < 2:
        return 0.5
    return float(roc_auc_score(true[known] > 0.5, scores[known]))
