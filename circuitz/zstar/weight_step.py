"""The weight step: training that takes away the use of what was flagged.

Five terms, each the gradient of one part of the posterior:

* the labels, on images whose flagged regions show something else (:mod:`circuitz.zstar.edits.pixel_edits`);
* the labels again with the units that carry no words shuffled between images, so that what the
  class depends on moves into units that have words (less is unexplained);
* no change of the logits when the units of flagged concepts take other images' values;
* where an image is trained on without and with a flagged concept, responses that agree between
  both and the image as it is, but for the units about that concept: neither the concept nor what
  the edits leave behind can then become a cue;
* responses that correlate with what their words say on the concept set (fewer mismatches).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.models.run.prepare_inputs import prepare_inputs
from circuitz.models.run.restore_state import temporary_forward_hooks
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.training import Recipe, fit
from circuitz.patching.source_rows import rows_of_select_split, rows_of_split
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.zstar.edits.pixel_edits import Editor
from circuitz.zstar.weight_plan import WeightStepPlan

I64 = npt.NDArray[np.int64]
_CONCEPT_BATCH = 48
ALIGN, HIDE, SILENCE, AGREE = 3.0, 1.0, 1.0, 3.0


def train_weight_step(
    net: nn.Module,
    spec: LayerSpec,
    preprocessing: Preprocessing,
    data: InputSet,
    concept_set: InputSet,
    plan: WeightStepPlan,
    editor: Editor | None,
    recipe: Recipe,
    progress: Callable[[int, int], None] | None = None,
    *,
    head: str = "softmax",
    rows: I64 | None = None,
) -> float:
    """Train the network in place on the *select* rows of D.

    Parameters
    ----------
    net, spec, preprocessing
        The network, its cut and its preprocessing.
    data, concept_set
        D with labels, and the concept set.
    plan
        What to take away and what to aim for.
    editor
        Edits the training images; ``None`` leaves them as they are.
    recipe
        Epochs, rates and the seed.
    progress
        Called with steps done and in all.
    head
        ``softmax``, or ``binary``, whose one logit is presented as two.
    rows
        Rows of D to train on, of *select*; by default all of it.

    Returns
    -------
    Mean loss over the last epoch.
    """
    assert data.labels is not None
    rows = rows_of_select_split(data) if rows is None else rows
    edit = None if editor is None else editor.make_batch_edit_for_rows(rows)
    if editor is not None and editor.makes_several_versions:
        plan = plan.with_surplus_freed()
    loss = _WeightStepLoss(net, spec, preprocessing, concept_set, plan, recipe.seed, head)
    # For networks with dropout: a search that was stopped and goes on draws the same.
    torch.manual_seed(recipe.seed)
    return fit(
        net,
        data.images[rows],
        data.labels[rows],
        preprocessing,
        recipe,
        loss=loss,
        augment=edit,
        progress=progress,
    )


class _WeightStepLoss:
    def __init__(
        self,
        net: nn.Module,
        spec: LayerSpec,
        preprocessing: Preprocessing,
        concept_set: InputSet,
        plan: WeightStepPlan,
        seed: int,
        head: str,
    ) -> None:
        assert concept_set.concepts is not None
        self.runtime = Runtime(net, [spec], preprocessing, head=head)
        self.layer, self.spec, self.preprocessing = (
            net.get_submodule(spec.name),
            spec,
            preprocessing,
        )
        self.images = concept_set.images
        self.rows = rows_of_split(concept_set, "select")
        self.rng = np.random.default_rng((seed, 1))
        self.shuffle = torch.Generator().manual_seed(seed)
        self.hide, self.silence = torch.tensor(plan.hide), torch.tensor(plan.silence)
        self.units = torch.tensor([unit for unit, _ in plan.aims])
        self.others = torch.tensor(
            [u for u in range(spec.size) if u not in plan.silence], dtype=torch.long
        )
        self.labels = torch.from_numpy(concept_set.concepts[:, [c for _, c in plan.aims]])

    def __call__(self, net: nn.Module, x: torch.Tensor, y: torch.Tensor, rows: I64) -> torch.Tensor:
        n, once = len(x), len(rows)
        # Of several versions the first is the image as it is. It carries the shortcut, so its
        # label teaches nothing here.
        plain = once if n > once else 0
        y = y[plain:]
        extra = len(self.units) > 0 or len(self.silence) > 0
        chosen = self.rng.choice(self.rows, _CONCEPT_BATCH) if extra else self.rows[:0]
        if extra:
            more = prepare_inputs(
                np.asarray(self.images[chosen]), self.preprocessing, str(x.device)
            )
            x = torch.cat([x, more])
        seen: list[torch.Tensor] = []

        def capture_output(_module: nn.Module, _args: Any, out: torch.Tensor) -> None:
            seen.append(out)

        with temporary_forward_hooks({self.layer: capture_output}):
            logits = self.runtime.to_logits(net(x))[plain:n]
        act = seen[0].movedim(self.spec.unit_axis, 1)
        own, lent = act[plain:n], act[n:]
        loss = functional.cross_entropy(logits, y)
        if len(self.hide):
            order = torch.randperm(len(own), generator=self.shuffle)
            loss = loss + HIDE * functional.cross_entropy(
                self._logits_with_units_swapped(own, own[order], self.hide), y
            )
        if len(self.silence):
            order = torch.randint(len(lent), (len(own),), generator=self.shuffle)
            moved = self._logits_with_units_swapped(own, lent[order], self.silence) - logits
            # The variance has a gradient too: without it, shrinking all logits would do.
            loss = loss + SILENCE * moved.square().mean() / (logits.var() + 1e-6)
        if plain and len(self.others):
            loss = loss + AGREE * self._version_disagreement(act[:n], once)
        if len(self.units):
            loss = loss + ALIGN * self._response_label_mismatch(lent, torch.from_numpy(chosen))
        return loss

    def _logits_with_units_swapped(
        self, own: torch.Tensor, other: torch.Tensor, units: torch.Tensor
    ) -> torch.Tensor:
        """Return logits with some units' values taken from other images."""
        mixed = own.clone()
        mixed[:, units] = other[:, units]
        return self.runtime.resume(self.spec.name, mixed.movedim(1, self.spec.unit_axis))

    def _version_disagreement(self, act: torch.Tensor, batch_size: int) -> torch.Tensor:
        """Return the mean squared difference of two versions of an image, in units of variance."""
        r = _mean_over_positions(act)[:, self.others]
        versions = r.unflatten(0, (-1, batch_size))
        return 2 * versions.var(0).mean() / (r.var(0).mean() + 1e-6)

    def _response_label_mismatch(self, act: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the mean of 1 - Pearson's correlation of response and label."""
        r, c = _mean_over_positions(act)[:, self.units], self.labels[rows].to(act.device)
        known = torch.isfinite(c)
        c = torch.where(known, c, torch.zeros_like(c))
        n = known.sum(0).clamp_min(1)
        r = (r - (r * known).sum(0) / n) * known
        c = (c - c.sum(0) / n) * known
        size = (r.square().sum(0) * c.square().sum(0)).sqrt() + 1e-6
        return (1 - (r * c).sum(0) / size).mean()


def _mean_over_positions(act: torch.Tensor) -> torch.Tensor:
    """Return each unit's mean over positions, ``(n, u)``."""
    return act.flatten(2).mean(2) if act.ndim > 2 else act
