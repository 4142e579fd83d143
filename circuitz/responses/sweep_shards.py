"""A sweep over the concept set in parts: each shard is computed alone, then all are summed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from circuitz.disk.hashing import array_digest, arrays_hash, json_hash
from circuitz.errors import MeasurementError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.network_facts import class_name_for_hashes
from circuitz.models.run.picture_maps import fold_onto_picture, picture_map_shape
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.models.zoo.read_out import READ, ReadOut
from circuitz.responses import token_grid
from circuitz.responses.embedding import embed_activations, penultimate_layer
from circuitz.responses.exemplars import Exemplars
from circuitz.responses.relevance import (
    margins_of_logits,
    rank_inputs_by_relevance,
    top_margin_inputs,
)
from circuitz.responses.running_statistics import RunningStatistics
from circuitz.responses.shard import Shard, distinct_indices_in_tables, exemplar_inputs
from circuitz.responses.token_grid import TokenPictures
from circuitz.stats.exemplar_quality import exemplar_quality
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec
from circuitz.z.measurements import LayerMeasurements

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]

SHARD = 4096
# Numbers a shard may hold before it is folded, over all units.
_MOST = 2**25


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep's settings, and its parts: each shard can be computed anywhere, in any order.

    Parameters
    ----------
    runtime, inputs, batch, responses
        See :func:`sweep`.
    spaces
        Whose units are measured.
    reused_spaces
        Whose measurements are held, but for what depends on the rest of the network.
    reused_exemplars
        ``(m,)`` inputs that are exemplars of units of ``reused_spaces``, ascending.
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
    spaces: tuple[UnitSpace, ...]
    inputs: InputSet
    batch: int
    responses: bool
    relevant: int | None
    embed: LayerSpec
    length: int
    padding: int = -1
    reused_spaces: tuple[UnitSpace, ...] = ()
    reused_exemplars: I64 = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def plan(
        cls,
        runtime: Runtime,
        specs: Sequence[LayerSpec | UnitSpace],
        inputs: InputSet,
        *,
        batch: int = 64,
        responses: bool = True,
        relevant: int | None = None,
        embed: LayerSpec | None = None,
        reused: Mapping[str, LayerMeasurements] | None = None,
        shard: int | None = None,
    ) -> Sweep:
        """Make a sweep ready; see :func:`sweep`."""
        reused = reused or {}
        wanted = tuple(UnitSpace.of_layer(s) for s in specs)
        embed = embed or penultimate_layer(runtime, wanted, inputs)
        places = tuple(p for p in wanted if p.name not in reused)
        again = tuple(p for p in wanted if p.name in reused)
        units = sum(p.spec.size for p in places)
        length = max(batch, min(shard or SHARD, _MOST // max(1, units)))
        return cls(
            runtime, places, inputs, batch, responses, relevant, embed, length, inputs.padding,
            again, distinct_indices_in_tables([reused[p.name].exemplars for p in again]),
        )  # fmt: skip

    def settings_hash(self) -> str:
        """Hash of everything the results are made from, but the inputs."""
        bases = {p.name: p.basis.hash for p in self.spaces if p.basis is not None}
        how = self.runtime.preprocessing
        return json_hash(
            [
                "sweep 3",
                arrays_hash(weights_to_numpy(self.runtime.module)),
                [how.mean, how.std, how.size, how.colour, self.runtime.head],
                [p.name for p in self.spaces],
                bases,
                [self.embed.name, self.responses, self.relevant, self.length, self.padding],
                array_digest(self.reused_exemplars).hex(),
                class_name_for_hashes(self.runtime.module),
            ]
        )

    def shard_ranges(self) -> list[tuple[int, int]]:
        """Return where shards start and stop."""
        n = len(self.inputs)
        return [(i, min(i + self.length, n)) for i in range(0, n, self.length)]

    def shard(
        self, start: int, stop: int, progress: Progress | None = None, *, first: int = 0
    ) -> Shard:
        """Compute one shard; ``first`` is the index of the first image there is here."""
        n, scene = stop - start, self.inputs.scene
        mean = [np.empty((n, p.spec.size), np.float32) for p in self.spaces]
        peak = [np.empty((n, p.spec.size), np.float32) for p in self.spaces]
        best = [Exemplars(p.spec.size, self.map_shape(p), scene) for p in self.spaces]
        # Of a text a probe reads the mean, and so does whoever looks at it.
        rank = [
            m if p.layer.name == READ else k
            for p, m, k in zip(self.spaces, mean, peak, strict=True)
        ]
        embedding = np.empty((n, self.embed.size), np.float32)
        margin: list[F32] = []
        names = list({p.layer.name: None for p in self.spaces} | {self.embed.name: None})
        images = self.inputs.images[start - first : stop - first]
        for where, acts, logits in self.runtime.read(images, names, self.batch):
            margin.append(margins_of_logits(logits.float(), self.runtime.head).cpu().numpy())
            for i, place in enumerate(self.spaces):
                maps = place.maps_of_units(acts[place.layer.name]).float()
                there = self._token_mask(place, images[where])
                if there is None:
                    means = maps.mean((2, 3))
                    maps = self._undo_position_weights(place, maps, images[where])
                    # Several times faster than amax on maps that lie channels-last.
                    peaks = functional.max_pool2d(maps, place.shape)[..., 0, 0]
                else:
                    there = there.to(maps.device)
                    peaks = maps.masked_fill(~there, -torch.inf).amax((2, 3))
                    maps = maps * there
                    means = maps.sum((2, 3)) / there.sum((2, 3))
                mean[i][where], peak[i][where] = means.cpu().numpy(), peaks.cpu().numpy()
                self._check_finite(place, mean[i][where], start + where.start)
                best[i].add_batch(
                    start + where.start, self._maps_to_keep(place, maps), rank[i][where]
                )
            embedding[where] = embed_activations(self.embed, acts[self.embed.name])
            if progress is not None:
                progress(start + where.stop, len(self.inputs))
        said = zip(mean, peak, rank, best, strict=True)
        tallies = tuple(RunningStatistics.of_shard(start, *one) for one in said)
        also = self.reused_exemplars[
            (self.reused_exemplars >= start) & (self.reused_exemplars < stop)
        ]
        shown = np.union1d(exemplar_inputs(tallies), also)
        spoken = top_margin_inputs(
            np.concatenate(margin), start, self.relevance_candidates_per_class(margin[0].shape[1])
        )
        return Shard(
            statistics=tallies,
            responses=tuple(mean) if self.responses else (),
            peaks=tuple(peak) if self.responses else (),
            shown=shown,
            embedding=embedding[shown - start],
            embedded=embedding.sum(0, dtype=np.float64),
            speaking=spoken[0],
            speaking_index=spoken[1],
        )

    def map_shape(self, space: UnitSpace) -> tuple[int, int]:
        """Return the shape of the maps that are kept of exemplars: places in a picture, or tokens."""
        return space.shape if self.inputs.is_tokens else picture_map_shape(space.spec)

    def _maps_to_keep(self, space: UnitSpace, maps: torch.Tensor) -> torch.Tensor:
        if self.inputs.is_tokens or maps.shape[2:] == self.map_shape(space):
            return maps
        return fold_onto_picture(space.spec, maps.flatten(2))

    def _token_mask(self, space: UnitSpace, images: npt.NDArray[np.int32]) -> torch.Tensor | None:
        """Return ``(n, 1, 1, t)`` where there is a token, or None where all positions count."""
        if self.padding < 0:
            return None
        there = space.token_mask(torch.from_numpy(np.array(images)), self.padding)
        return None if there is None else there[:, None, None]

    def _undo_position_weights(
        self, space: UnitSpace, maps: torch.Tensor, images: npt.NDArray[np.int32]
    ) -> torch.Tensor:
        """Return maps of what a probe reads as they are at a token, else short texts loom large."""
        read_out = getattr(self.runtime.module, "read_out", None)
        if space.layer.name != READ or not isinstance(read_out, ReadOut):
            return maps
        most = read_out.position_weights(self.runtime.prepare(images)).amax(1)
        return maps / most[:, None, None, None].to(maps.device)

    def measurements_from_shards(
        self,
        whole: Shard,
        responses_and_peaks: Sequence[tuple[tuple[F32, ...], tuple[F32, ...]]],
        reused: Mapping[str, LayerMeasurements],
    ) -> dict[str, LayerMeasurements]:
        """Return measurements given the sum of all shards, their responses and peaks.

        And of what is held, see :func:`sweep`.
        """
        heard: dict[str, tuple[I64, F32]] = {}
        every = (*self.spaces, *self.reused_spaces)
        if self.relevance_candidates_per_class(len(whole.speaking)):
            ranked = rank_inputs_by_relevance(
                self.runtime, every, self.inputs.images, whole.speaking_index, self.batch
            )
            heard = {place.name: one for place, one in zip(every, ranked, strict=True)}
        found: dict[str, LayerMeasurements] = {}
        for i, place in enumerate(self.spaces):
            tally = whole.statistics[i]
            best = tally.exemplars(place, self.inputs.scene)
            neighbours, how_much = tally.neighbours()
            nothing = np.zeros((0, place.spec.size), np.float32)
            histogram = tally.histogram
            n = float(tally.count[0])
            found[place.name] = LayerMeasurements(
                layer=place.name,
                responses=np.concatenate([r[i] for r, _ in responses_and_peaks])
                if self.responses
                else nothing,
                peaks=np.concatenate([p[i] for _, p in responses_and_peaks])
                if self.responses
                else nothing,
                exemplars=best.index,
                exemplar_boxes=self._exemplar_boxes(place, best),
                exemplar_heat=self._exemplar_heat(place, best, tally.high.astype(np.float32)),
                histogram=histogram.counts,
                histogram_edges=histogram.edges,
                statistics=np.stack(
                    [
                        tally.total / n,
                        tally.standard_deviation,
                        tally.active / n,
                        tally.low,
                        tally.high,
                    ],
                    1,
                ).astype(np.float32),
                spectrum=tally.inputs_from_lowest_to_highest(),
                neighbours=neighbours,
                neighbour_correlation=how_much,
            )
        found |= {place.name: reused[place.name] for place in self.reused_spaces}
        return {
            name: self._with_downstream_scores(layer, whole, *heard.get(name, (None, None)))
            for name, layer in found.items()
        }

    def _with_downstream_scores(
        self, layer: LayerMeasurements, whole: Shard, relevant: I64 | None, share: F32 | None
    ) -> LayerMeasurements:
        """Return measurements with all that depends on what is not before the layer."""
        there = layer.exemplars >= 0
        centre = (whole.embedded / len(self.inputs)).astype(np.float32)
        vectors = np.zeros((*there.shape, len(centre)), np.float32)
        vectors[there] = whole.embedding[np.searchsorted(whole.shown, layer.exemplars[there])]
        scores = exemplar_quality(vectors - centre, there)
        return replace(
            layer,
            clarity=scores.clarity,
            polysemanticity=scores.polysemanticity,
            redundancy=scores.redundancy,
            relevant=relevant,
            relevance=share,
            embedding=self.embed.name,
        )

    def _exemplar_boxes(self, space: UnitSpace, best: Exemplars) -> npt.NDArray[np.int16]:
        if not self.inputs.is_tokens:
            image = (int(self.inputs.images.shape[1]), int(self.inputs.images.shape[2]))
            return best.receptive_boxes(
                space.layer.receptive, self.runtime.preprocessing.size, image
            )
        found = token_grid.token_boxes(best.map[:, :, 0].argmax(2), self.inputs)
        if not space.layer.token_axes:  # a vector a text is about all of it
            found[:] = (0, 0, *TokenPictures(self.inputs).shape[1:3])
        found[best.index < 0] = 0
        return found

    def _exemplar_heat(self, space: UnitSpace, best: Exemplars, high: F32) -> npt.NDArray[np.uint8]:
        heat = best.heat_maps(high)
        tokens = self.inputs.is_tokens and bool(space.layer.token_axes)
        return token_grid.lay_out_in_grid(heat[:, :, 0]) if tokens else heat

    def relevance_candidates_per_class(self, classes: int) -> int:
        """Return how many inputs a class are searched for exemplars by relevance."""
        if self.relevant is not None:
            return max(0, self.relevant)
        return int(np.clip(len(self.inputs) // (40 * max(1, classes)), 8, 48))

    @staticmethod
    def _check_finite(space: UnitSpace, means: F32, start: int) -> None:
        if not np.isfinite(means).all():
            row, unit = np.argwhere(~np.isfinite(means))[0]
            raise MeasurementError(
                f"{space.name}:{unit} is not finite on image {start + row}.",
                "In half precision values may overflow; otherwise look at that image and at the "
                "network's normalisation.",
            )
