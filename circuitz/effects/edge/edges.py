"""What units of one layer do to those of a later one, toward a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from circuitz.effects.edge.exact_edges import Changes, depth_order, exact_changes, rough_changes
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.basis_space import place_of
from circuitz.models.run.open_runtime import runtime
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import Place
from circuitz.patching.interchange import check_movable, parts_of
from circuitz.patching.source_rows import draw_sources
from circuitz.stats.bootstrap import Shares, overlap, shares, strongest
from circuitz.z.check_z import check_z
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
class Contrast:
    """Inputs of other classes, each beside one of the class, whose values it takes.

    Parameters
    ----------
    x, lent
        Prepared inputs ``(n, ...)``.
    scene
        ``(n,)`` scene of each input, for clustering.
    padding
        Number of the token that fills up short texts; -1 for none.
    """

    x: torch.Tensor
    lent: torch.Tensor
    scene: I64
    padding: int = -1

    @classmethod
    def toward(
        cls, z: AnnotatedModel, run: Runtime, target: str, split: str, images: int, seed: int
    ) -> Contrast:
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
        x, lent = (run.prepare(np.asarray(images_[i])) for i in (at, lenders))
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
        """By target the sums of ``direct`` and ``total`` over the sources that were run.

        Near one where sources work by themselves, or in pairs and ``both`` was asked for.
        """
        shares = self.frame.groupby("target", sort=False)
        sums = {name: shares[name].sum(min_count=1) for name in ("direct", "total")}
        return pd.DataFrame(sums)

    def _repr_html_(self) -> str:
        return self.frame._repr_html_()  # pyright: ignore


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
    check_z(z)
    run = runtime(z)
    pairs = Contrast.toward(z, run, toward, split, images, seed)
    before, after, held = _between(z, run, pairs.x, source, target)
    chosen = shortlist(z, run, before, after, toward, held, units, exact, steps, images, seed)
    found = exact_changes(
        run, before, after, pairs.x, pairs.lent,
        held=held, sources=chosen, targets=units, both=both, padding=pairs.padding,
        progress=progress,
    )  # fmt: skip
    free = found
    if held:
        free = exact_changes(
            run, before, after, pairs.x, pairs.lent,
            sources=chosen, targets=units, both=both, padding=pairs.padding,
        )  # fmt: skip
    if not free.whole.any():
        raise LayerError(
            f"Nothing of {source!r} reaches {target!r}.", "Choose a layer that comes after it."
        )
    rough = rough_changes(
        run, before, after, pairs.x, pairs.lent,
        held=held, targets=units, steps=steps, padding=pairs.padding,
    )[:, found.sources]  # fmt: skip

    def told(change: F32, whole: F32, count: int | None = None) -> Shares:
        return shares(
            change, whole, pairs.scene,
            least=least, level=level, resamples=resamples, seed=seed, count=count,
        )  # fmt: skip

    direct = told(found.change, found.whole)
    count = int(direct.found.sum())
    guess = told(rough, found.whole, count)
    total = direct if free is found else told(free.change, free.whole)
    return EdgeTable(
        _frame(before, after, held, found, direct, total, guess),
        direct.again,
        guess.again,
        overlap(strongest(direct.estimate, count), strongest(guess.estimate, count)),
        (len(found.sources), parts_of(before)),
        len(pairs.x),
        len(np.unique(pairs.scene)),
        tuple(held),
    )


def shortlist(
    z: AnnotatedModel,
    run: Runtime,
    source: LayerSpec | Place,
    target: LayerSpec | Place,
    toward: str,
    held: list[str],
    units: list[int] | None,
    exact: int,
    steps: int,
    images: int,
    seed: int,
) -> I64 | None:
    """Return source units worth running, chosen by EAP-IG on *select*; ``None``: all of them."""
    place = Place.of(source)
    if place.spec.size <= exact:
        return None
    pairs = Contrast.toward(z, run, toward, "select", min(images, _SHORTLIST_IMAGES), seed)
    rough = rough_changes(
        run, source, target, pairs.x, pairs.lent,
        held=held, targets=units, steps=steps, padding=pairs.padding,
    ).mean(0)  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.nan_to_num(np.abs(rough) / np.abs(rough).sum(0), nan=0.0).max(1)
    best = np.argsort(-size[: place.spec.size], kind="stable")[:exact]
    # What a basis leaves is always run: without it nothing adds up.
    return np.append(np.sort(best), np.arange(place.spec.size, parts_of(place)))


def _between(
    z: AnnotatedModel, run: Runtime, x: torch.Tensor, source: str, target: str
) -> tuple[Place, Place, list[str]]:
    specs = {spec.name: spec for spec in z.layers}
    for name in (source, target):
        if name.partition("@")[0] not in specs:
            raise LayerError(f"{name!r} is not a layer of z.", f"Its layers are {list(specs)}.")
    before, after = place_of(z, source), place_of(z, target)
    check_movable(before)
    check_movable(after)
    order = depth_order(run, list(specs), x)
    i, j = order.index(before.layer.name), order.index(after.layer.name)
    if i >= j:
        raise LayerError(
            f"{target!r} does not come after {source!r}.", f"The order is {', '.join(order)}."
        )
    return before, after, order[i + 1 : j]


def _frame(
    before: Place,
    after: Place,
    held: list[str],
    found: Changes,
    direct: Shares,
    total: Shares,
    guess: Shares,
) -> pd.DataFrame:
    u, v = np.indices(direct.estimate.shape)
    still = np.isnan(total.estimate).all(0)
    # Nothing at all, on any input, although the target moves: no path but through what is held.
    cut = ~found.whole.any(0) & ~found.change.any((0, 1)) & ~still
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
    names = [f"{before.name}:{i if i < rest else REST}" for i in found.sources]
    frame = pd.DataFrame(
        {
            "source": [names[i] for i in u.ravel()],
            "target": [f"{after.name}:{i}" for i in found.targets[v.ravel()]],
            "direct": direct.estimate.ravel(),
            "low": direct.low.ravel(),
            "high": direct.high.ravel(),
            "total": total.estimate.ravel(),
            "found": direct.found.ravel(),
            "often": direct.often.ravel(),
            "rough": guess.estimate.ravel(),
            "rough_often": guess.often.ravel(),
            "reason": reasons[v.ravel()],
        }
    )
    sizes = [-frame[name].abs().fillna(-1).to_numpy() for name in ("total", "direct")]
    return frame.iloc[np.lexsort(sizes)].reset_index(drop=True)
