"""Open a folder by its layout: a person's own, or one of the field's benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from circuitz.data.benchmarks import cub_files, spawrious, waterbirds
from circuitz.data.benchmarks.benchmark import OpenedBenchmark, Progress
from circuitz.data.benchmarks.cub import open_cub
from circuitz.data.folders.folder_pair import DataWithConcepts, open_folder_with_concepts
from circuitz.data.folders.image_folder import open_folder
from circuitz.data.folders.picture_files import check_is_folder
from circuitz.errors import InputsError

Layout = Literal["folder", "waterbirds", "spawrious", "cub"]
LAYOUTS: Final = ("auto", "folder", "waterbirds", "spawrious", "cub")


def requested_or_detected_layout(path: str | Path, layout: str = "auto") -> Layout:
    """Return the layout asked for, or the one a folder looks like.

    Raises
    ------
    InputsError
        If there is no such folder or layout.
    """
    folder = Path(path)
    check_is_folder(folder)
    if layout not in LAYOUTS:
        raise InputsError(f"There is no layout {layout!r}.", f"Choose {', '.join(LAYOUTS)}.")
    if layout != "auto":
        return layout
    if waterbirds.looks_like_waterbirds(folder):
        return "waterbirds"
    if cub_files.looks_like_cub(folder):
        return "cub"
    return "spawrious" if spawrious.looks_like_spawrious(folder) else "folder"


def open_layout(
    path: str | Path,
    layout: str = "auto",
    *,
    benchmark: str = "o2o_easy",
    classes: Sequence[str] | None = None,
    size: int | None = None,
    seed: int = 0,
    shifted: bool = False,
    progress: Progress | None = None,
) -> OpenedBenchmark:
    """Open a folder as D, with its concept set and D′ as far as the layout has them.

    Parameters
    ----------
    path
        The folder.
    layout
        ``auto`` (what it looks like), ``folder`` (a sub-folder a class), ``waterbirds``,
        ``spawrious`` or ``cub``.
    benchmark
        Which of Spawrious' benchmarks.
    classes
        Which species of CUB are D's; all by default.
    size
        Side to bring pictures to. A benchmark's are of many sizes: 224 by default.
    seed
        Of splits, and of the order of D′.
    shifted
        Whether to read D′ too, where the layout has one.
    progress
        Called with what is read, pictures read and pictures in all.

    Returns
    -------
    OpenedBenchmark
        D; the concept set or ``None``; D′ without labels or ``None``.

    Raises
    ------
    InputsError, ConceptLabelsError
        Naming the file and line that cannot be used.
    """
    kind = requested_or_detected_layout(path, layout)
    how = {"size": size, "seed": seed, "shifted": shifted, "progress": progress}
    if kind == "waterbirds":
        return waterbirds.open_waterbirds(path, **how)  # pyright: ignore[reportArgumentType]
    if kind == "spawrious":
        return spawrious.open_spawrious(path, name=benchmark, **how)  # pyright: ignore[reportArgumentType]
    if kind == "cub":
        return open_cub(path, classes=classes, **how)  # pyright: ignore[reportArgumentType]
    say = progress or (lambda _what, _done, _total: None)
    data = open_folder(
        path, size=size, seed=seed, role="D", progress=lambda done, n: say("read D", done, n)
    )
    return OpenedBenchmark(data)


def open_by_layout_with_concepts(
    path: Path,
    layout: str = "auto",
    table: Path | None = None,
    concept_folder: Path | None = None,
    *,
    benchmark: str = "o2o_easy",
    classes: Sequence[str] | None = None,
    size: int | None = None,
    network_size: tuple[int, int] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> DataWithConcepts:
    """Open D and a concept set: :func:`circuitz.data.folders.folder_pair.open_folder_with_concepts` for any layout.

    Parameters
    ----------
    path, layout, benchmark, classes
        As in :func:`open_layout`.
    table, concept_folder, size, network_size, seed, progress
        As in ``open_pair``. A concept set of one's own takes the place of the benchmark's.

    Raises
    ------
    InputsError, ConceptLabelsError
        As both, and where neither the benchmark nor the person has a concept set.
    """
    kind = requested_or_detected_layout(path, layout)
    if kind == "folder":
        return open_folder_with_concepts(
            path, table, concept_folder, size=size, network_size=network_size, seed=seed,
            progress=progress,
        )  # fmt: skip
    if table is not None and concept_folder is None:
        raise InputsError(
            f"--concepts labels pictures of folders, and {path} is laid out as {kind}.",
            "Give a --concept-set with it, or leave it out.",
        )
    side = size or (max(network_size) if network_size else None)
    found = open_layout(
        path, kind, benchmark=benchmark, classes=classes, size=side, seed=seed, progress=progress
    )
    if concept_folder is None:
        if found.concepts is None:
            raise InputsError(
                f"{path} has no concept set of its own.",
                "Give one with --concept-set and --concepts.",
            )
        shared = kind == "cub" and classes is None
        return DataWithConcepts(found.data, found.concepts, shared)
    say = progress or (lambda _what, _done, _total: None)
    own = open_folder(
        concept_folder, concepts=table, size=found.data.images.shape[1], seed=seed,
        role="concepts", progress=lambda done, n: say("read the concept set", done, n),
    )  # fmt: skip
    return DataWithConcepts(found.data, replace(own, labels=None, classes=()), shared=False)
