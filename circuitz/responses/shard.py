"""A sweep in pieces: what one shard of the inputs says, how shards add up, where they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.atomic import staged_file_replacement
from circuitz.disk.hashing import array_digest
from circuitz.disk.tensors_io import read_safetensors_in_place, safetensors_bytes
from circuitz.errors import BundleError
from circuitz.models.run.unit_space import UnitSpace
from circuitz.responses.running_statistics import RunningStatistics
from circuitz.z.inputs import InputSet

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Shard:
    """What a stretch of the inputs says about the units of several places.

    Parameters
    ----------
    statistics
        One a place.
    responses, peaks
        One ``(n, u)`` float32 a place, the mean and the largest value over positions; empty
        where they are not kept.
    shown
        ``(m,)`` inputs whose embeddings are wanted, ascending: exemplars of some unit.
    embedding
        ``(m, d)`` float32 their embeddings.
    embedded
        ``(d,)`` float64 sum of the embeddings of all inputs.
    speaking, speaking_index
        ``(k, s)`` largest margins of each class and the inputs they were seen on, -1 for none.
    """

    statistics: tuple[RunningStatistics, ...]
    responses: tuple[F32, ...]
    peaks: tuple[F32, ...]
    shown: I64
    embedding: F32
    embedded: F64
    speaking: F32
    speaking_index: I64

    def plus_later(
        self, later: Shard, spaces: Sequence[UnitSpace], scene: I64 | None, extra_inputs: I64
    ) -> Shard:
        """Return what this one's and later inputs say; ``responses`` and ``peaks`` are left out.

        ``extra_inputs`` are inputs whose embeddings stay, whether or not they are exemplars still.
        """
        tallies = tuple(
            a.plus_later(b, place, scene)
            for a, b, place in zip(self.statistics, later.statistics, spaces, strict=True)
        )
        shown = np.concatenate([self.shown, later.shown])
        embedding = np.concatenate([self.embedding, later.embedding])
        kept = np.isin(shown, np.union1d(exemplar_inputs(tallies), extra_inputs))
        margin = np.concatenate([self.speaking, later.speaking], 1)
        index = np.concatenate([self.speaking_index, later.speaking_index], 1)
        order = np.argsort(-margin, axis=1, kind="stable")[:, : self.speaking.shape[1]]
        return replace(
            self,
            statistics=tallies,
            responses=(),
            peaks=(),
            shown=shown[kept],
            embedding=embedding[kept],
            embedded=self.embedded + later.embedded,
            speaking=np.take_along_axis(margin, order, 1),
            speaking_index=np.take_along_axis(index, order, 1),
        )

    def to_bytes(self) -> bytes:
        """Return the shard as a safetensors file."""
        arrays: dict[str, Array] = {name: getattr(self, name) for name in _PLAIN}
        for i, tally in enumerate(self.statistics):
            arrays |= tally.to_arrays(f"{i}.")
        for name in ("responses", "peaks"):
            arrays |= {f"{name}.{i}": a for i, a in enumerate(getattr(self, name))}
        return safetensors_bytes(arrays, what="shard")

    @classmethod
    def from_bytes(cls, data: bytes, space_count: int, place: str) -> Shard:
        """Return what :meth:`to_bytes` gave.

        Raises
        ------
        BundleError
            If the file is damaged.
        """
        arrays, _ = read_safetensors_in_place(memoryview(data), place)
        tallies = tuple(RunningStatistics.from_arrays(arrays, f"{i}.") for i in range(space_count))
        kept = [
            tuple(
                np.array(arrays[f"{name}.{i}"])
                for i in range(space_count)
                if f"{name}.{i}" in arrays
            )
            for name in ("responses", "peaks")
        ]
        plain = {name: np.array(arrays[name]) for name in _PLAIN}
        return cls(tallies, kept[0], kept[1], **plain)


_PLAIN = ("shown", "embedding", "embedded", "speaking", "speaking_index")


def exemplar_inputs(statistics: Sequence[RunningStatistics]) -> I64:
    """Return the inputs that are exemplars of some unit, ascending."""
    return distinct_indices_in_tables([t.top_index for t in statistics])


def distinct_indices_in_tables(tables: Sequence[I64]) -> I64:
    """Return the inputs that tables name, ascending; -1 stands for none."""
    found = np.unique(np.concatenate([np.zeros(0, np.int64), *(t.ravel() for t in tables)]))
    return found[found >= 0]


class ShardCache:
    """A folder of finished shards, named by what they were made from.

    Parameters
    ----------
    folder
        Made when it does not exist; ``None`` keeps nothing.
    setting
        Hash of everything but the inputs: network, layers, settings.
    """

    def __init__(self, folder: Path | None, setting: str) -> None:
        self._folder = folder
        self._setting = setting
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def shard_path(self, inputs: InputSet, start: int, stop: int) -> Path | None:
        """Return where the shard of some inputs lies, or would."""
        if self._folder is None:
            return None
        digest = hashlib.sha256(f"{self._setting} {start}".encode())
        for array in (inputs.images, inputs.labels, inputs.scene):
            digest.update(b"-" if array is None else array_digest(array[start:stop]))
        return self._folder / f"{digest.hexdigest()[:32]}.safetensors"

    def load_shard(self, file: Path | None, space_count: int) -> Shard | None:
        """Return a finished shard; a damaged file counts as none."""
        if file is None or not file.is_file():
            return None
        with suppress(BundleError, KeyError, OSError):
            return Shard.from_bytes(file.read_bytes(), space_count, file.name)
        return None

    def save_shard(self, file: Path | None, shard: Shard) -> None:
        """Keep a finished shard, wholly or not at all."""
        if file is not None:
            with staged_file_replacement(file, shard.to_bytes()):
                pass
