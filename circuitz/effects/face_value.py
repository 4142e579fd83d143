"""Activations as words at face value imply them, and what the network makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from circuitz.effects.unit_words import WordOfUnit
from circuitz.models.run.runtime import Runtime
from circuitz.patching.from_cut import Downstream
from circuitz.stats.word_values import ResponseFromWords, fit_response_from_words
from circuitz.z.layer import LayerSpec

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
WordsByUnit = Mapping[int, tuple[WordOfUnit, ...]]
Tick = Callable[[int], None]

_BATCH = 64
# A template whose values cancel so far says nothing of where a unit is active.
_CANCELS = 0.1


@dataclass(frozen=True, eq=False)
class LabelledActivations:
    """What units put out on labelled pictures of the concept set, and what words say of them.

    Parameters
    ----------
    spec
        The layer.
    responses
        ``(n, u)`` float32, means over positions.
    words, labels
        The words, and ``(n, w)`` labels of 0 to 1, NaN where not known.
    mean_maps
        ``(w, *spec.shape)`` mean activation over the pictures that show each word; of a word that
        none shows, over all.
    """

    spec: LayerSpec
    responses: F32
    words: tuple[str, ...]
    labels: F64
    mean_maps: torch.Tensor

    @classmethod
    def read(
        cls,
        runtime: Runtime,
        spec: LayerSpec,
        images: npt.NDArray[np.uint8],
        words: tuple[str, ...],
        labels: F64,
        tick: Tick | None = None,
    ) -> LabelledActivations:
        """Run the network up to the layer on labelled pictures."""
        shows = labels > 0.5
        shows[:, ~shows.any(0)] = True
        weights = torch.from_numpy(shows / shows.sum(0))
        responses: list[F32] = []
        maps: torch.Tensor | None = None
        done = 0
        for acts in activations(runtime, spec, images):
            responses.append(_unit_means(spec, acts).cpu().numpy().astype(np.float32))
            part = weights[done : done + len(acts)].to(acts.device, torch.float32)
            new = torch.einsum("nw,nf->wf", part, acts.flatten(1).float())
            maps = new if maps is None else maps + new
            done += len(acts)
            if tick is not None:
                tick(done)
        assert maps is not None
        return cls(
            spec, np.concatenate(responses), words, labels, maps.reshape(len(words), *spec.shape)
        )

    def rewriter(self, words: WordsByUnit) -> Rewriter:
        """Fit the units' responses to their words."""
        at = {word: i for i, word in enumerate(self.words)}
        fits: dict[int, tuple[list[int], ResponseFromWords]] = {}
        template = torch.ones(self.spec.shape, dtype=torch.float32, device=self.mean_maps.device)
        unit_first = template.movedim(self.spec.unit_axis - 1, 0)
        maps = self.mean_maps.movedim(self.spec.unit_axis, 1)
        for unit, said in words.items():
            columns, signs = [at[word.name] for word in said], [word.sign for word in said]
            fit = fit_response_from_words(self.responses[:, unit], self.labels[:, columns], signs)
            if fit is None:
                continue
            fits[unit] = (columns, fit)
            shape = maps[_columns_that_place(columns, signs), unit].mean(0)
            mean, size = shape.mean(), shape.abs().mean()
            if abs(float(mean)) > _CANCELS * float(size):
                unit_first[unit] = shape / mean
        return Rewriter(self.spec, fits, template)


def _columns_that_place(columns: list[int], signs: list[int]) -> list[int]:
    """Return the words that tell where a unit is active: what it is, or else what it has more with."""
    for wanted in (0, 1):
        found = [c for c, sign in zip(columns, signs, strict=True) if sign == wanted]
        if found:
            return found
    return columns


@dataclass(frozen=True, eq=False)
class Rewriter:
    """From values of words to activations of the units that bear them.

    Parameters
    ----------
    spec
        The layer.
    fits
        By unit, the columns of its words and the fit.
    template
        ``spec.shape``, of mean 1 over the positions of each unit: it depends on no picture that is
        scored.
    """

    spec: LayerSpec
    fits: Mapping[int, tuple[list[int], ResponseFromWords]]
    template: torch.Tensor

    @property
    def units(self) -> tuple[int, ...]:
        """Units that are rewritten."""
        return tuple(self.fits)

    def activations(self, values: F64) -> torch.Tensor:
        """Return ``(n, *spec.shape)`` for values of words ``(n, w)``; zeros for other units."""
        level = np.zeros((len(values), self.spec.size), np.float32)
        for unit, (columns, fit) in self.fits.items():
            level[:, unit] = fit.predict(values[:, columns])
        shape = [1] * (1 + len(self.spec.shape))
        shape[0], shape[self.spec.unit_axis] = level.shape
        return torch.from_numpy(level).reshape(shape).to(self.template.device) * self.template


@dataclass(frozen=True, eq=False)
class DonatedRest:
    """Scores classes when some units are given and all others take the values of donors.

    The margin of a class is averaged over donors of other classes, so that what is not given never
    speaks for the class whose margin is read. No class of the scored picture is asked for.

    Parameters
    ----------
    runtime, spec
        The network, and the layer of the cut.
    donors
        ``(d, *spec.shape)`` activations of the donors.
    classes
        ``(d,)`` their classes.
    """

    runtime: Runtime
    spec: LayerSpec
    donors: torch.Tensor
    classes: I64

    def margins(self, acts: torch.Tensor, units: tuple[int, ...]) -> F64:
        """Return the margins ``(n, k)`` when ``units`` have the values of ``acts``."""
        others = [u for u in range(self.spec.size) if u not in set(units)]
        parts: list[F64] = []
        for some in acts.split(_BATCH):
            n, d = len(some), len(self.donors)
            joined = torch.cat([some.to(self.donors), self.donors])
            downstream = Downstream(self.runtime, self.spec, joined)
            source = np.repeat(np.arange(n), d)
            donor = n + np.tile(np.arange(d), n)
            margins = downstream.margins.cpu().numpy()[source].astype(np.float64)
            if others:
                margins += downstream.joint_margin_change_all_classes(source, donor, others)
            parts.append(self._mean_over_donors_of_other_classes(margins.reshape(n, d, -1)))
        return np.concatenate(parts)

    def _mean_over_donors_of_other_classes(self, margins: F64) -> F64:
        lends = self.classes[:, None] != np.arange(margins.shape[2])
        return np.einsum("ndk,dk->nk", margins, lends / lends.sum(0))


def draw_donors(labels: I64, classes: int, count: int, seed: int) -> I64:
    """Return rows of D that lend, so that each class has ``count`` or more of other classes.

    Classes take turns in a random order, evenly.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(classes)
    pools = [list(rng.permutation(np.flatnonzero(labels == k))) for k in range(classes)]
    drawn: list[int] = []
    lent = np.zeros(classes, np.int64)
    turn = 0
    while (lent < count).any() and any(pools):
        k = int(order[turn % classes])
        turn += 1
        if pools[k]:
            drawn.append(int(pools[k].pop()))
            lent += np.arange(classes) != k
    return np.array(drawn, np.int64)


def activations(
    runtime: Runtime, spec: LayerSpec, images: npt.NDArray[np.uint8]
) -> Iterator[torch.Tensor]:
    """Yield a layer's activations on pictures, a batch at a time."""
    for i in range(0, len(images), _BATCH):
        with torch.no_grad():
            x = runtime.prepare(np.asarray(images[i : i + _BATCH]))
            yield runtime.forward_to(spec.name, x).clone()


def _unit_means(spec: LayerSpec, acts: torch.Tensor) -> torch.Tensor:
    """Return the mean over positions, ``(n, u)``."""
    return acts.movedim(spec.unit_axis, 1).flatten(2).float().mean(2) if acts.ndim > 2 else acts
