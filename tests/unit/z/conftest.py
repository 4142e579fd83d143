"""A small z with everything in it, and a disk that fails when told to."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from circuitz.disk.hashing import picture_hash
from circuitz.z.effect import Effect
from circuitz.z.finding import Finding, Remedy, Waiver
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.measurements import EffectMeasurements, LayerMeasurements, Measurements
from circuitz.z.model import AnnotatedModel

CLASSES = ("husky", "poodle", "beagle")


def make_inputs(n: int = 12, seed: int = 0, role: str = "concepts", **more: Any) -> InputSet:
    rng = np.random.default_rng(seed)
    concepts = rng.integers(0, 2, (n, 2)).astype(np.float32)
    concepts[0, 0] = np.nan
    fields: dict[str, Any] = {
        "images": rng.integers(0, 256, (n, 8, 8, 3)).astype(np.uint8),
        "concepts": concepts,
        "concept_names": ("snow", "pointed ears"),
        "split": (np.arange(n) % 3).astype(np.uint8),
        "scene": np.arange(n, dtype=np.int64),
        "masks": rng.integers(0, 3, (n, 8, 8)).astype(np.uint8),
        "mask_names": ("", "ears", "coat"),
        "pairs": np.array([[0, 1, 0]], np.int64),
        "role": role,
        "recipe": {"world": "dogs", "seed": seed},
    }
    return InputSet(**{**fields, **more})


def make_measurements(n: int = 12, units: int = 4, seed: int = 0) -> Measurements:
    rng = np.random.default_rng(seed)
    responses = rng.normal(size=(n, units)).astype(np.float32)
    layer = LayerMeasurements(
        layer="conv2",
        responses=responses,
        peaks=responses + 1,
        exemplars=np.tile(np.arange(9, dtype=np.int64), (units, 1)),
        exemplar_boxes=np.zeros((units, 9, 4), np.int16),
        exemplar_heat=np.zeros((units, 9, 3, 3), np.uint8),
        histogram=np.ones((units, 5), np.int64),
        histogram_edges=np.ones((units, 6), np.float32),
    )
    shares = rng.normal(size=(n, units, 3)).astype(np.float32)
    shares[0, 0, 0] = np.nan
    effects = EffectMeasurements(
        units=tuple(f"conv2:{i}" for i in range(units)),
        targets=CLASSES,
        scale=np.ones(3, np.float32),
        sufficiency=shares,
        necessity=-shares,
        split=(np.arange(n) % 3).astype(np.uint8),
        scene=np.arange(n, dtype=np.int64),
        source=np.arange(n, dtype=np.int64),
        drive=rng.normal(size=(units, 3)).astype(np.float32),
        span=np.ones(units, np.float32),
        groups=(("conv2:0", "conv2:2"),),
        group_sufficiency=rng.normal(size=(1, n, 3)).astype(np.float32),
        group_necessity=rng.normal(size=(1, n, 3)).astype(np.float32),
    )
    png = b"\x89PNG\r\n\x1a\n" + bytes([seed]) * 40
    name = picture_hash(png)
    return Measurements(
        layers={"conv2": layer},
        effects=effects,
        weights_hash="w",
        concepts_hash="c",
        data_hash="d",
        pictures={name: png},
        group_pictures={"conv2:0+conv2:2->husky": (name, name)},
        seed=seed,
    )


def make_finding(**more: Any) -> Finding:
    fields: dict[str, Any] = {
        "id": "f1",
        "kind": "implausible-driver",
        "version": 1,
        "units": ("conv2:1",),
        "target": "output:husky",
        "verdict": "flagged",
        "sentence": "Snow alone makes husky fire.",
        "estimate": 0.8,
        "ci": (0.7, float("inf")),
        "power": float("nan"),
        "effects": (Effect(("conv2:1",), "output:husky", "sufficiency", estimate=0.8),),
        "remedies": (Remedy("retrain", "Retrain without it", {"units": ["conv2:1"]}),),
        "hashes": (("code", "0.1"),),
    }
    return Finding(**{**fields, **more})


def make_z(seed: int = 0, **more: Any) -> AnnotatedModel:
    rng = np.random.default_rng(seed)
    fields: dict[str, Any] = {
        "name": "husky",
        "classes": CLASSES,
        "subject": "dog",
        "layers": (LayerSpec("conv1", 2), LayerSpec("conv2", 4, spatial_axes=(2, 3))),
        "cut": ("conv2",),
        "preprocessing": Preprocessing(size=(8, 8)),
        "builder": "small-cnn",
        "builder_args": {"width": 4},
        "weights": {
            "conv2.weight": rng.normal(size=(4, 2, 3, 3)).astype(np.float32),
            "norm.count": np.array(7, np.int64),
        },
        "bases": {"conv2@nmf": rng.normal(size=(3, 4)).astype(np.float32)},
        "concept_set": make_inputs(),
        "measurements": make_measurements(seed=seed),
        "findings": (make_finding(),),
        "waivers": (Waiver("f9", "ann", "known", "2026-01-01T00:00:00+00:00"),),
        "notes": {"lambda": 0.5, "nested": {"list": [1, None, True, "ä"]}},
        "story": "# Husky\n\nIt saw snow.\n",
    }
    z = AnnotatedModel(**{**fields, **more})
    return z.annotate("conv2:1", "snow on the ground", concepts=("snow",), author="ann")


@pytest.fixture(scope="session")
def new_z() -> Callable[..., AnnotatedModel]:
    return make_z


@pytest.fixture
def z() -> AnnotatedModel:
    return make_z()


@pytest.fixture(scope="session")
def new_inputs() -> Callable[..., InputSet]:
    return make_inputs


@pytest.fixture(scope="session")
def new_measurements() -> Callable[..., Measurements]:
    return make_measurements


@pytest.fixture(scope="session")
def new_finding() -> Callable[..., Finding]:
    return make_finding


class Disk:
    """Counts every operation that changes the disk, and does something at a chosen one."""

    OPERATIONS = ("fsync", "link", "rename", "replace", "mkdir", "ftruncate")

    def __init__(self, act: Callable[[], None], at: int) -> None:
        self.act, self.at, self.count = act, at, 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.act()

    @contextmanager
    def watched(self, after: bool = False) -> Iterator[Disk]:
        """Intercept operations, acting before (or after) the chosen one is done."""
        disk = self

        def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
            def wrapped(*args: Any, **kwargs: Any) -> Any:
                if after:
                    made = real(*args, **kwargs)
                    disk.step()
                    return made
                disk.step()
                return real(*args, **kwargs)

            return wrapped

        class File:
            """A file whose writes fail half-way."""

            def __init__(self, file: Any) -> None:
                self._file = file

            def __getattr__(self, name: str) -> Any:
                return getattr(self._file, name)

            def __enter__(self) -> File:
                return self

            def __exit__(self, *error: Any) -> None:
                self._file.close()

            def write(self, data: Any) -> int:
                half = memoryview(data)[: len(data) // 2]
                written = self._file.write(half)
                self._file.flush()
                disk.step()
                return written + self._file.write(memoryview(data)[len(half) :])

        real_open = io.open

        def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
            if set(mode) & set("wxa+"):
                disk.step()
                return File(real_open(file, mode, *args, **kwargs))
            return real_open(file, mode, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            for name in self.OPERATIONS:
                patch.setattr(os, name, wrap(getattr(os, name)))
            patch.setattr(io, "open", opened)
            yield self


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted() -> None:
    raise KeyboardInterrupt


def killed() -> None:
    os.kill(os.getpid(), 9)


@pytest.fixture(scope="session")
def disk() -> Any:
    """``disk(act, at)`` with ``act`` one of ``full``, ``interrupted``, ``killed``."""
    acts = {"full": full, "interrupted": interrupted, "killed": killed}
    return lambda act, at: Disk(acts[act], at)


@pytest.fixture(scope="session")
def relabelled() -> Callable[[AnnotatedModel, str], AnnotatedModel]:
    """Give every entry of z's log other authors and times."""

    def change(z: AnnotatedModel, author: str) -> AnnotatedModel:
        log = tuple(
            replace(entry, author=author, time="2001-01-01T00:00:00+00:00") for entry in z.log
        )
        return z.with_(log=log)

    return change
