"""What units of one layer do to those of a later one, toward a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from circuitz.effects.edge.exact_edges import (
    ResponseChanges,
    estimated_response_changes,
    exact_response_changes,
    layers_in_call_order,
)
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.restore_state import outside_inference_mode
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.patching.interchange import check_basis_not_over_heads, count_exchangeable_parts
from circuitz.patching.source_rows import draw_sources
from circuitz.stats.edge_bootstrap import (
    Shares,
    bootstrap_edge_shares,
    jaccard_overlap_of_edges,
    mark_strongest_edges,
)
from circuitz.z.check_z import check_annotated_model
from circuitz.z.inputs import SPLITS
from circuitz.z.layer import LayerSpec
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]

#: Units of a layer that are run one by one; of more, those that gradients point to.
EXACT = 256
#: Name of what a basis does not explain of its layer.
REST = "rest"
_SHORTLIST_IMAGES = 32


@dataclass(frozen=True, eq=False)
class ContrastPairs:
    """Inputs of other classes, each beside one of the class, whose values it takes.

    Parameters
    ----------
    x, donors
        Prepared inputs ``(n, ...)``.
    scene
        ``(n,)`` scene of each input, for clustering.
    padding
        Number of the token that fills up short texts; -1 for none.
    """

    x: torch.Tensor
    donors: torch.Tensor
    scene: I64
    padding: int = -1

    @classmethod
    def draw_toward_class(
        cls, z: AnnotatedModel, runtime: Runtime, target: str, split: str, images: int, seed: int
    ) -> ContrastPairs:
        """Draw inputs of a split of D.

        Raises
        ------
        UnitError
            If there is no such class.
        InputsError
            If D is not at hand, has no labels, or has no input of the split.
        """
        name = str(target).removeprefix(f"{OUTPUT}:")
        if name not in z.classes:
            raise UnitError(
                f"{name!r} is not a class of {z.name}.", f"Its classes are {', '.join(z.classes)}."
            )
        if split not in SPLITS:
            raise InputsError(f"There is no split {split!r}.", f"Splits are {', '.join(SPLITS)}.")
        if z.data is None:
            raise InputsError(
                "D, the labelled images effects are measured on, is not at hand.",
                "Open it and pass it: z = z.with_(data=data), or measure(z, data=data).",
            )
        k = z.classes.index(name)
        drawn = draw_sources(z.data, z.classes, per_split=images, donors=1, seed=seed, head=z.head)
        rows = np.flatnonzero((drawn.split == SPLITS.index(split)) & ~drawn.shows[:, k])
        if not len(rows):
            raise InputsError(
                f"No image of the {split} split shows another class than {name}.",
                "Split D by class (leave split unset to have that done), or add images.",
            )
        at, lenders = drawn.index[rows], drawn.index[drawn.donors[rows, k, 0]]
        images_ = z.data.images
        x, lent = (runtime.prepare(np.asarray(images_[i])) for i in (at, lenders))
        return cls(x, lent, drawn.scene[rows], z.data.padding)


@dataclass(frozen=True, eq=False)
class EdgeTable:
    """Edges between two layers, toward a class.

    Parameters
    ----------
    frame
        One row a pair: ``source``, ``target``, ``direct`` with ``low`` and ``high``, ``total``,
        ``found``, ``often`` (share of resamples in which it is among the strongest, as many as
        were found), ``rough`` (the estimate by EAP-IG), ``rough_often`` (how often it is among
        the strongest of those) and ``reason``: why a share is NaN, because the target hardly moves
        when the whole source layer is exchanged, or why ``direct`` is zero by definition, because
        every path runs through layers that are held; else empty. Strongest first.
    again
        Mean overlap (Jaccard) of the strongest edges of a resample with those of all images.
    again_rough
        The same for EAP-IG's strongest edges, as many.
    agreement
        Overlap of the strongest edges with EAP-IG's.
    tried
        Source units that were run, of how many.
    images, scenes
        Inputs, and independent scenes among them.
    held
        Layers between the two, held for ``direct``.
    """

    frame: pd.DataFrame
    again: float
    again_rough: float
    agreement: float
    tried: tuple[int, int]
    images: int
    scenes: int
    held: tuple[str, ...] = ()

    @property
    def sums(self) -> pd.DataFrame:
        """Sums of ``direct`` and ``total`` over the sources that were run, by target (the index).

        Near one where sources work by themselves, or in pairs and ``both`` was asked for. NaN where
        every share of the target is.
        """
        shares = self.frame.groupby("target", sort=False)
        sums = {name: shares[name].sum(min_count=1) for name in ("direct", "total")}
        return pd.DataFrame(sums)

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()  # pyright: ignore


@outside_inference_mode
def edges(
    z: AnnotatedModel,
    source: str,
    target: str,
    toward: str,
    *,
    units: list[int] | None = None,
    split: str = "test",
    images: int = 120,
    exact: int = EXACT,
    steps: int = 5,
    both: bool = False,
    least: float = 0.05,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> EdgeTable:
    """Measure how units of one layer drive those of a later one when inputs turn into a class.

    Parameters
    ----------
    z
        Annotated model with D at hand.
    source, target
        Names of two of its layers, or of bases over them (``conv4@nmf``): their units are then
        directions. A source direction moves activations along itself by as much as its coordinate
        differs; ``conv4@nmf:rest`` is all that the basis does not explain.
    toward
        Class: on inputs of other classes, units of ``source`` take the values they have on inputs
        of this one.
    units
        Target units; all by default.
    split, images, seed
        Source images of the split (evenly over classes), one lending image each.
    exact
        Source units that are run one by one. Of a larger layer, those with the largest share of
        any target by EAP-IG on *select*.
    steps
        Points of EAP-IG.
    both
        Whether each source is exchanged twice, as the first and as the last, and the mean of the
        two told, as in a circuit graph: where sources work in pairs at most, shares then sum to
        one. By default as the first only: how far it gets by itself. Doubles the work.
    least
        Smallest share that counts as an edge, when its interval lies on one side of zero.
    level, resamples
        Of the bootstrap over scenes.
    progress
        Called with steps done and in all.

    Returns
    -------
    EdgeTable
        ``direct``: units of the layers in between are held; ``total``: they are free. In shares
        of what the target does when the whole source layer is exchanged, in the same way.

    Raises
    ------
    LayerError
        If a layer is not one of z's, or ``target`` does not come after ``source``.
    UnitError, InputsError
        If there is no such class or basis, or D cannot be used.
    BasisError
        If a basis does not fit its layer, or lies over attention heads.
    """
    check_annotated_model(z)
    run = runtime(z)
    pairs = ContrastPairs.draw_toward_class(z, run, toward, split, images, seed)
    before, after, held = _resolve_spaces_and_held_layers(z, run, pairs.x, source, target)
    chosen = shortlist_source_units(
        z, run, before, after, toward, held, units, exact, steps, images, seed
    )
    found = exact_response_changes(
        run, before, after, pairs.x, pairs.donors,
        held=held, source_units=chosen, target_units=units, both=both, padding=pairs.padding,
        progress=progress,
    )  # fmt: skip
    free = found
    if held:
        free = exact_response_changes(
            run, before, after, pairs.x, pairs.donors,
            source_units=chosen, target_units=units, both=both, padding=pairs.padding,
        )  # fmt: skip
    if not free.whole.any():
        raise LayerError(
            f"Nothing of {source!r} reaches {target!r}.", "Choose a layer that comes after it."
        )
    rough = estimated_response_changes(
        run, before, after, pairs.x, pairs.donors,
        held=held, target_units=units, steps=steps, padding=pairs.padding,
    )[:, found.source_units]  # fmt: skip

    def resampled_shares(change: F32, whole: F32, count: int | None = None) -> Shares:
        return bootstrap_edge_shares(
            change, whole, pairs.scene,
            least=least, level=level, resamples=resamples, seed=seed, count=count,
        )  # fmt: skip

    direct = resampled_shares(found.change, found.whole)
    count = int(direct.detected.sum())
    guess = resampled_shares(rough, found.whole, count)
    total = direct if free is found else resampled_shares(free.change, free.whole)
    return EdgeTable(
        _edge_frame(before, after, held, found, direct, total, guess),
        direct.stability,
        guess.stability,
        jaccard_overlap_of_edges(
            mark_strongest_edges(direct.estimate, count),
            mark_strongest_edges(guess.estimate, count),
        ),
        (len(found.source_units), count_exchangeable_parts(before)),
        len(pairs.x),
        len(np.unique(pairs.scene)),
        tuple(held),
    )


def shortlist_source_units(
    z: AnnotatedModel,
    runtime: Runtime,
    source: LayerSpec | UnitSpace,
    target: LayerSpec | UnitSpace,
    toward: str,
    held: list[str],
    units: list[int] | None,
    exact: int,
    steps: int,
    images: int,
    seed: int,
) -> I64 | None:
    """Return source units worth running, chosen by EAP-IG on *select*; ``None``: all of them."""
    place = UnitSpace.of_layer(source)
    if place.spec.size <= exact:
        return None
    pairs = ContrastPairs.draw_toward_class(
        z, runtime, toward, "select", min(images, _SHORTLIST_IMAGES), seed
    )
    rough = estimated_response_changes(
        runtime, source, target, pairs.x, pairs.donors,
        held=held, target_units=units, steps=steps, padding=pairs.padding,
    ).mean(0)  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.nan_to_num(np.abs(rough) / np.abs(rough).sum(0), nan=0.0).max(1)
    best = np.argsort(-size[: place.spec.size], kind="stable")[:exact]
    # What a basis leaves is always run: without it nothing adds up.
    return np.append(np.sort(best), np.arange(place.spec.size, count_exchangeable_parts(place)))


def _resolve_spaces_and_held_layers(
    z: AnnotatedModel, runtime: Runtime, x: torch.Tensor, source: str, target: str
) -> tuple[UnitSpace, UnitSpace, list[str]]:
    specs = {spec.name: spec for spec in z.layers}
    for name in (source, target):
        if name.partition("@")[0] not in specs:
            raise LayerError(f"{name!r} is not a layer of z.", f"Its layers are {list(specs)}.")
    before, after = resolve_unit_space(z, source), resolve_unit_space(z, target)
    check_basis_not_over_heads(before)
    check_basis_not_over_heads(after)
    order = layers_in_call_order(runtime, list(specs), x)
    i, j = order.index(before.layer.name), order.index(after.layer.name)
    if i >= j:
        raise LayerError(
            f"{target!r} does not come after {source!r}.", f"The order is {', '.join(order)}."
        )
    return before, after, order[i + 1 : j]


def _edge_frame(
    before: UnitSpace,
    after: UnitSpace,
    held: list[str],
    changes: ResponseChanges,
    direct: Shares,
    total: Shares,
    guess: Shares,
) -> pd.DataFrame:
    u, v = np.indices(direct.estimate.shape)
    still = np.isnan(total.estimate).all(0)
    # Nothing at all, on any input, although the target moves: no path but through what is held.
    cut = ~changes.whole.any(0) & ~changes.change.any((0, 1)) & ~still
    for share in (direct.estimate, direct.low, direct.high, guess.estimate):
        share[:, cut] = 0.0
    hardly = np.isnan(direct.estimate).all(0)
    moved = f"hardly moves, if at all, when all of {before.name} is exchanged"
    between = ", ".join(held)
    reasons = np.select(
        [cut, still & hardly, still, hardly],
        [
            f"every path runs through {between}, held for direct",
            moved,
            f"{moved}: paths cancel",
            f"{moved} and {between} held",
        ],
        "",
    )
    rest = before.spec.size
    names = [f"{before.name}:{i if i < rest else REST}" for i in changes.source_units]
    frame = pd.DataFrame(
        {
            "source": [names[i] for i in u.ravel()],
            "target": [f"{after.name}:{i}" for i in changes.target_units[v.ravel()]],
            "direct": direct.estimate.ravel(),
            "low": direct.low.ravel(),
            "high": direct.high.ravel(),
            "total": total.estimate.ravel(),
            "found": direct.detected.ravel(),
            "often": direct.recurrence.ravel(),
            "rough": guess.estimate.ravel(),
            "rough_often": guess.recurrence.ravel(),
            "reason": reasons[v.ravel()],
        }
    )
    sizes = [-frame[name].abs().fillna(-1).to_numpy() for name in ("total", "direct")]
    return frame.iloc[np.lexsort(sizes)].reset_index(drop=True)
