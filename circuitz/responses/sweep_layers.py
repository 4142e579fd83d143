"""One pass over the concept set: what every unit of every layer responds to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.disk.hashing import array_digest, arrays_hash, json_hash
from circuitz.errors import InputsError, MeasurementError
from circuitz.jobs.job import Executor
from circuitz.models.adapters.weight_arrays import to_numpy
from circuitz.models.run.network_facts import type_in_hashes
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import Place
from circuitz.models.zoo.read_out import READ, ReadOut
from circuitz.responses import token_grid
from circuitz.responses.embedding import embedded, penultimate
from circuitz.responses.exemplars import Exemplars
from circuitz.responses.relevance import margins, relevance, speaking
from circuitz.responses.running_statistics import Tally
from circuitz.responses.shard import Shard, Shelf, exemplars_of, indices
from circuitz.responses.token_grid import TokenPictures
from circuitz.stats.quality import quality
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import LayerMeasurements

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

SHARD = 4096
# Numbers a shard may hold before it is folded, over all units.
_MOST = 2**25


def sweep(
    runtime: Runtime,
    specs: Sequence[LayerSpec | Place],
    inputs: InputSet,
    *,
    batch: int = 64,
    responses: bool = True,
    relevant: int | None = None,
    embed: LayerSpec | None = None,
    held: Mapping[str, LayerMeasurements] | None = None,
    store: Path | None = None,
    shard: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, LayerMeasurements]:
    """Measure what all units respond to in one streaming pass.

    Statistics, histograms, exemplars by activation, the activation spectrum, co-active units and
    scores of how much a unit means one thing come from the pass; a second look at the few inputs
    that speak most for each class gives exemplars by relevance. The batch size changes results
    only by rounding.

    Parameters
    ----------
    runtime
        The network.
    specs
        Layers, and bases over layers, to measure all at once.
    inputs
        The concept set (n images).
    batch
        Images at a time.
    responses
        Whether to keep two numbers an image and unit, which concept match and checks need.
        Without them memory does not grow with the number of images.
    relevant
        Inputs a class to search for exemplars by relevance: by default a fortieth of all,
        shared among classes, at least 8 and at most 48 each; 0 leaves relevance out.
    embed
        Layer whose means over positions say how alike two images are; by default the last of
        ``specs`` that is not the logits: in most networks the penultimate layer.
    held
        Measurements on these very inputs, by place, of units whose responses are what they were.
        Of them only what also depends on the rest of the network is measured: exemplars by
        relevance, and scores by embedding.
    store
        Folder of finished shards. A sweep that was killed goes on where it was; shards are
        found again by the hash of the network, the settings and their images.
    shard
        Images a shard; by default 4,096, and fewer where there are very many units. The same for
        the same shards, bit for bit, whoever computes them; else up to rounding.
    executor
        Who computes the shards; by default this process, one after the other.
    progress
        Called with images done and images in all, or with shards where an executor is given.

    Returns
    -------
    One :class:`~circuitz.z.measurements.LayerMeasurements` a layer.

    Raises
    ------
    InputsError
        If there are no images, or they do not fit the network.
    MeasurementError
        If a unit's response is not finite.
    BuilderError
        If an executor is given and the network was not made by a registered builder.
    """
    if not len(inputs):
        raise InputsError("The concept set is empty.", "Units are measured on images: add some.")
    job = Sweep.of(
        runtime, specs, inputs, batch=batch, responses=responses, relevant=relevant, embed=embed,
        held=held, shard=shard,
    )  # fmt: skip
    shelf = Shelf(store, job.setting() if store is not None else "")
    kept: list[tuple[tuple[F32, ...], tuple[F32, ...]]] = []
    whole: Shard | None = None
    if executor is None:
        found = _shards(job, shelf, progress)
    else:
        from circuitz.responses.sweep_job import shards  # noqa: PLC0415 (it needs this class)

        found = shards(job, shelf, executor, progress)
    for part in found:
        kept.append((part.responses, part.peaks))
        whole = part if whole is None else whole.plus(part, job.places, inputs.scene, job.shown)
    assert whole is not None
    return job.finish(whole, kept, held or {})


def _shards(job: Sweep, shelf: Shelf, progress: Progress | None) -> Iterator[Shard]:
    for start, stop in job.stretches():
        file = shelf.file(job.inputs, start, stop)
        shard = shelf.take(file, len(job.places))
        if shard is None:
            shard = job.shard(start, stop, progress)
            shelf.put(file, shard)
        elif progress is not None:
            progress(stop, len(job.inputs))
        yield shard


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep's settings, and its parts: each shard can be computed anywhere, in any order.

    Parameters
    ----------
    runtime, inputs, batch, responses
        See :func:`sweep`.
    places
        Whose units are measured.
    again
        Whose measurements are held, but for what depends on the rest of the network.
    shown
        ``(m,)`` inputs that are exemplars of units of ``again``, ascending.
    relevant
        Inputs a class.
    embed
        Layer whose mean over positions is an image's embedding.
    length
        Images a shard.
    padding
        Number of the token that fills up short texts, whose positions do not count; -1 for none.
    """

    runtime: Runtime
    places: tuple[Place, ...]
    inputs: InputSet
    batch: int
    responses: bool
    relevant: int | None
    embed: LayerSpec
    length: int
    padding: int = -1
    again: tuple[Place, ...] = ()
    shown: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(
        cls,
        runtime: Runtime,
        specs: Sequence[LayerSpec | Place],
        inputs: InputSet,
        *,
        batch: int = 64,
        responses: bool = True,
        relevant: int | None = None,
        embed: LayerSpec | None = None,
        held: Mapping[str, LayerMeasurements] | None = None,
        shard: int | None = None,
    ) -> Sweep:
        """Make a sweep ready; see :func:`sweep`."""
        held = held or {}
        wanted = tuple(Place.of(s) for s in specs)
        embed = embed or penultimate(runtime, wanted, inputs)
        places = tuple(p for p in wanted if p.name not in held)
        again = tuple(p for p in wanted if p.name in held)
        units = sum(p.spec.size for p in places)
        length = max(batch, min(shard or SHARD, _MOST // max(1, units)))
        return cls(
            runtime, places, inputs, batch, responses, relevant, embed, length, inputs.padding,
            again, indices([held[p.name].exemplars for p in again]),
        )  # fmt: skip

    def setting(self) -> str:
        """Hash of everything the results are made from, but the inputs."""
        bases = {p.name: p.basis.hash for p in self.places if p.basis is not None}
        how = self.runtime.preprocessing
        return json_hash(
            [
                "sweep 3",
                arrays_hash(to_numpy(self.runtime.module)),
                [how.mean, how.std, how.size, how.colour, self.runtime.head],
                [p.name for p in self.places],
                bases,
                [self.embed.name, self.responses, self.relevant, self.length, self.padding],
                array_digest(self.shown).hex(),
                type_in_hashes(self.runtime.module),
            ]
        )

    def stretches(self) -> list[tuple[int, int]]:
        """Return where shards start and stop."""
        n = len(self.inputs)
        return [(i, min(i + self.length, n)) for i in range(0, n, self.length)]

    def shard(
        self, start: int, stop: int, progress: Progress | None = None, *, first: int = 0
    ) -> Shard:
        """Compute one shard; ``first`` is the index of the first image there is here."""
        n, scene = stop - start, self.inputs.scene
        mean = [np.empty((n, p.spec.size), np.float32) for p in self.places]
        peak = [np.empty((n, p.spec.size), np.float32) for p in self.places]
        best = [Exemplars(p.spec.size, p.shape, scene) for p in self.places]
        # Of a text a probe reads the mean, and so does whoever looks at it.
        rank = [
            m if p.layer.name == READ else k
            for p, m, k in zip(self.places, mean, peak, strict=True)
        ]
        embedding = np.empty((n, self.embed.size), np.float32)
        margin: list[F32] = []
        names = list({p.layer.name: None for p in self.places} | {self.embed.name: None})
        images = self.inputs.images[start - first : stop - first]
        for where, acts, logits in self.runtime.read(images, names, self.batch):
            margin.append(margins(logits.float(), self.runtime.head).cpu().numpy())
            for i, place in enumerate(self.places):
                maps = place.maps(acts[place.layer.name]).float()
                there = self._tokens(place, images[where])
                if there is None:
                    means = maps.mean((2, 3))
                    maps = self._unweighed(place, maps, images[where])
                    # Several times faster than amax on maps that lie channels-last.
                    peaks = functional.max_pool2d(maps, place.shape)[..., 0, 0]
                else:
                    there = there.to(maps.device)
                    peaks = maps.masked_fill(~there, -torch.inf).amax((2, 3))
                    maps = maps * there
                    means = maps.sum((2, 3)) / there.sum((2, 3))
                mean[i][where], peak[i][where] = means.cpu().numpy(), peaks.cpu().numpy()
                self._finite(place, mean[i][where], start + where.start)
                best[i].add(start + where.start, maps, rank[i][where])
            embedding[where] = embedded(self.embed, acts[self.embed.name])
            if progress is not None:
                progress(start + where.stop, len(self.inputs))
        said = zip(mean, peak, rank, best, strict=True)
        tallies = tuple(Tally.of(start, *one) for one in said)
        also = self.shown[(self.shown >= start) & (self.shown < stop)]
        shown = np.union1d(exemplars_of(tallies), also)
        spoken = speaking(np.concatenate(margin), start, self.spoken(margin[0].shape[1]))
        return Shard(
            tallies=tallies,
            responses=tuple(mean) if self.responses else (),
            peaks=tuple(peak) if self.responses else (),
            shown=shown,
            embedding=embedding[shown - start],
            embedded=embedding.sum(0, dtype=np.float64),
            speaking=spoken[0],
            speaking_index=spoken[1],
        )

    def _tokens(self, place: Place, images: npt.NDArray[np.int32]) -> torch.Tensor | None:
        """Return ``(n, 1, 1, t)`` where there is a token, or None where all positions count."""
        if self.padding < 0:
            return None
        there = place.tokens(torch.from_numpy(np.array(images)), self.padding)
        return None if there is None else there[:, None, None]

    def _unweighed(
        self, place: Place, maps: torch.Tensor, images: npt.NDArray[np.int32]
    ) -> torch.Tensor:
        """Return maps of what a probe reads as they are at a token, else short texts loom large."""
        read_out = getattr(self.runtime.module, "read_out", None)
        if place.layer.name != READ or not isinstance(read_out, ReadOut):
            return maps
        most = read_out.weights(self.runtime.prepare(images)).amax(1)
        return maps / most[:, None, None, None].to(maps.device)

    def finish(
        self,
        whole: Shard,
        kept: Sequence[tuple[tuple[F32, ...], tuple[F32, ...]]],
        held: Mapping[str, LayerMeasurements],
    ) -> dict[str, LayerMeasurements]:
        """Return measurements given the sum of all shards, their responses and peaks.

        And of what is held, see :func:`sweep`.
        """
        heard: dict[str, tuple[I64, F32]] = {}
        every = (*self.places, *self.again)
        if self.spoken(len(whole.speaking)):
            ranked = relevance(
                self.runtime, every, self.inputs.images, whole.speaking_index, self.batch
            )
            heard = {place.name: one for place, one in zip(every, ranked, strict=True)}
        found: dict[str, LayerMeasurements] = {}
        for i, place in enumerate(self.places):
            tally = whole.tallies[i]
            best = tally.exemplars(place, self.inputs.scene)
            neighbours, how_much = tally.neighbours()
            nothing = np.zeros((0, place.spec.size), np.float32)
            histogram = tally.histogram
            n = float(tally.count[0])
            found[place.name] = LayerMeasurements(
                layer=place.name,
                responses=np.concatenate([r[i] for r, _ in kept]) if self.responses else nothing,
                peaks=np.concatenate([p[i] for _, p in kept]) if self.responses else nothing,
                exemplars=best.index,
                exemplar_boxes=self._boxes(place, best),
                exemplar_heat=self._heat(place, best, tally.high.astype(np.float32)),
                histogram=histogram.counts,
                histogram_edges=histogram.edges,
                statistics=np.stack(
                    [tally.total / n, tally.deviation, tally.active / n, tally.low, tally.high], 1
                ).astype(np.float32),
                spectrum=tally.spectrum(),
                neighbours=neighbours,
                neighbour_correlation=how_much,
            )
        found |= {place.name: held[place.name] for place in self.again}
        return {
            name: self._in_context(layer, whole, *heard.get(name, (None, None)))
            for name, layer in found.items()
        }

    def _in_context(
        self, layer: LayerMeasurements, whole: Shard, relevant: I64 | None, share: F32 | None
    ) -> LayerMeasurements:
        """Return measurements with all that depends on what is not before the layer."""
        there = layer.exemplars >= 0
        centre = (whole.embedded / len(self.inputs)).astype(np.float32)
        vectors = np.zeros((*there.shape, len(centre)), np.float32)
        vectors[there] = whole.embedding[np.searchsorted(whole.shown, layer.exemplars[there])]
        scores = quality(vectors - centre, there)
        return replace(
            layer,
            clarity=scores.clarity,
            polysemanticity=scores.polysemanticity,
            redundancy=scores.redundancy,
            relevant=relevant,
            relevance=share,
            embedding=self.embed.name,
        )

    def _boxes(self, place: Place, best: Exemplars) -> npt.NDArray[np.int16]:
        if not self.inputs.is_tokens:
            image = (int(self.inputs.images.shape[1]), int(self.inputs.images.shape[2]))
            return best.boxes(place.layer.receptive, self.runtime.preprocessing.size, image)
        found = token_grid.boxes(best.map[:, :, 0].argmax(2), self.inputs)
        if not place.layer.token_axes:  # a vector a text is about all of it
            found[:] = (0, 0, *TokenPictures(self.inputs).shape[1:3])
        found[best.index < 0] = 0
        return found

    def _heat(self, place: Place, best: Exemplars, high: F32) -> npt.NDArray[np.uint8]:
        heat = best.heat(high)
        tokens = self.inputs.is_tokens and bool(place.layer.token_axes)
        return token_grid.laid_out(heat[:, :, 0]) if tokens else heat

    def spoken(self, classes: int) -> int:
        """Return how many inputs a class are searched for exemplars by relevance."""
        if self.relevant is not None:
            return max(0, self.relevant)
        return int(np.clip(len(self.inputs) // (40 * max(1, classes)), 8, 48))

    @staticmethod
    def _finite(place: Place, means: F32, start: int) -> None:
        if not np.isfinite(means).all():
            row, unit = np.argwhere(~np.isfinite(means))[0]
            raise MeasurementError(
                f"{place.name}:{unit} is not finite on image {start + row}.",
                "In half precision values may overflow; otherwise look at that image and at the "
                "network's normalisation.",
            )
