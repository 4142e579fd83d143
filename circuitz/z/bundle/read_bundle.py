"""Making a z from a bundle; what is large stays on disk until somebody looks at it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.disk.arrays import Arrays
from circuitz.disk.hashing import picture_hash
from circuitz.disk.json_io import loads
from circuitz.disk.lazy import Deferred
from circuitz.disk.records import decode
from circuitz.disk.saved_files import FileEntry, Piece, remember
from circuitz.disk.tensors_io import read_tensors
from circuitz.disk.zip_source import BundleSource
from circuitz.errors import (
    AnnotationError,
    BasisError,
    BundleFormatError,
    BundleTamperedError,
    BundleTruncatedError,
    LayerError,
    WeightsError,
)
from circuitz.z.bases import check_bases
from circuitz.z.bundle.inputs_io import META, decode_inputs, read_meta
from circuitz.z.bundle.log_io import LogRead, head_lines, read_log
from circuitz.z.bundle.manifest import (
    BASES,
    CONCEPTS,
    EVIDENCE,
    FINDINGS,
    HEAD,
    LOG,
    MANIFEST,
    STORY,
    WEIGHTS,
    Manifest,
    read_manifest,
)
from circuitz.z.bundle.measurements_check import check_effects, check_layer
from circuitz.z.bundle.measurements_io import decode_effects, decode_layer
from circuitz.z.edits.annotate import history
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.layer import check_head, check_parts
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel

MAX_UNITS = 2**24


def read_bundle(
    source: BundleSource, *, log: LogRead | None = None, head: bytes | None = None
) -> AnnotatedModel:
    """Read everything small and verify it; leave the rest to be read and verified when touched.

    Parameters
    ----------
    source
        Folder or zip file.
    log, head
        Log and list of annotations, when they have been read already (the head first).

    Raises
    ------
    BundleError
        If the bundle is truncated, tampered with, unsafe, or of a newer schema.
    """
    manifest, files = read_manifest(source.read_unchecked(MANIFEST))
    source.check_sizes(files)
    if head is None and source.exists(HEAD):
        head = source.read_unchecked(HEAD)
    found = log or read_log(source.read_unchecked(LOG))
    count = manifest.log.count
    _check_log(found, manifest)
    if head is not None:
        _check_head(head, found, count)
    _check_layers(manifest)
    weights = Arrays(partial(_weights, source, files), manifest.weights_hash)
    remember(weights, Piece({WEIGHTS: _entry(files, WEIGHTS)}, source))
    source.hold({WEIGHTS: files[WEIGHTS]})
    bases = _bases(source, files, manifest)
    z = AnnotatedModel(
        name=manifest.name,
        classes=manifest.classes,
        subject=manifest.subject,
        layers=manifest.layers,
        cut=manifest.cut,
        preprocessing=manifest.preprocessing,
        builder=manifest.builder,
        builder_args=manifest.builder_args,
        head=manifest.head,
        weights=weights,
        bases=bases,
        log=found.entries[:count],
        concept_set=_concepts(source, files, manifest),
        data_ref=manifest.data_ref,
        concepts_ref=manifest.concepts_ref,
        measurements=_deferred_measurements(source, files, manifest.measurements),
        findings=_findings(source, files),
        waivers=manifest.waivers,
        parent=manifest.parent,
        lineage=manifest.lineage,
        notes=manifest.notes,
        story=_text(source.read(STORY, _entry(files, STORY)), STORY),
        home=str(source.root),
    )
    if len(found.entries) > count:
        z = z.with_(what="annotations", log=found.entries)
    return z


def _check_layers(manifest: Manifest) -> None:
    """Refuse layers no network has, before anything is built from them."""
    if not all(0 <= layer.size <= MAX_UNITS for layer in manifest.layers):
        raise BundleFormatError(f"{MANIFEST} gives a layer an absurd size.", "It is damaged.")
    try:
        check_parts(manifest.layers, manifest.cut, manifest.classes)
        check_head(manifest.head, manifest.classes)
    except LayerError as error:
        raise BundleFormatError(f"{MANIFEST}: {error.message}", "It is damaged.") from error


def _check_log(log: LogRead, manifest: Manifest) -> None:
    count = manifest.log.count
    if count < 0:
        raise BundleFormatError(f"{MANIFEST} counts {count} log entries.", "It is damaged.")
    try:
        history.state(log.entries)
    except AnnotationError as error:
        raise BundleFormatError(f"{LOG}: {error.message}", "Restore it from a copy.") from error
    if len(log.entries) < count:
        raise BundleTruncatedError(
            f"{LOG} has {len(log.entries)} of {count} entries.", "Restore the bundle from a copy."
        )
    if count and log.hashes[count - 1] != manifest.log.hash:
        raise BundleTamperedError(
            f"{LOG} is not the log this bundle was saved with.", "Restore the bundle from a copy."
        )


def _check_head(head: bytes, log: LogRead, count: int) -> None:
    """Refuse a list of annotations that is not, and never was, the head of the log.

    A writer killed between log and head leaves the head of an earlier log: that is no harm.
    """
    for length in range(len(log.entries), count - 1, -1):
        in_force = history.effective(log.entries[:length])
        if head == head_lines(list(in_force.values())):
            return
    raise BundleTamperedError(
        f"{HEAD} was edited, but the truth is {LOG}, from which it is written.",
        f"Delete {HEAD} to go on with the log, and make the edit with z.annotate.",
    )


def _entry(files: dict[str, FileEntry], name: str) -> FileEntry:
    if name not in files:
        raise BundleTruncatedError(f"{MANIFEST} does not list {name}.", "Restore it from a copy.")
    return files[name]


def _text(data: memoryview, where: str) -> str:
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleFormatError(f"{where} is not UTF-8 text.", "The file is damaged.") from error


def _findings(source: BundleSource, files: dict[str, FileEntry]) -> tuple[Finding, ...]:
    rows = loads(source.read(FINDINGS, _entry(files, FINDINGS)), FINDINGS)
    if not isinstance(rows, list):
        raise BundleFormatError(f"{FINDINGS} is not a list.", "The file is damaged.")
    return tuple(decode(Finding, row, f"{FINDINGS}[{i}]") for i, row in enumerate(rows))


def _weights(source: BundleSource, files: dict[str, FileEntry]) -> dict[str, npt.NDArray[Any]]:
    weights = read_tensors(source.read(WEIGHTS, files[WEIGHTS]), WEIGHTS)[0]
    source.settle(WEIGHTS)
    for key, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(
                f"The weights {key!r} in {source.root} are not finite.",
                "The bundle was not written by circuitz; train or load the network again.",
            )
    return weights


def _bases(source: BundleSource, files: dict[str, FileEntry], manifest: Manifest) -> Arrays:
    """Read the bases at once: which units there are cannot be told without them."""
    if BASES not in files:
        return Arrays({})
    bases = Arrays(read_tensors(source.read(BASES, files[BASES]), BASES)[0], manifest.bases_hash)
    try:
        check_bases(bases, manifest.layers)
    except BasisError as error:
        raise BundleFormatError(
            f"{BASES}: {error.message}", "It is damaged: restore the bundle from a copy."
        ) from error
    remember(bases, Piece({BASES: files[BASES]}, source))
    return bases


def _concepts(
    source: BundleSource, files: dict[str, FileEntry], manifest: Manifest
) -> Deferred[InputSet] | None:
    mine = {name: entry for name, entry in files.items() if name.startswith(CONCEPTS)}
    if not mine:
        return None
    piece = Piece(mine, source)

    def read() -> InputSet:
        data = source.read(CONCEPTS + META, _entry(mine, CONCEPTS + META))
        meta = read_meta(data, CONCEPTS + META)
        if meta["fingerprint"] != manifest.concepts_hash:
            raise BundleTamperedError(
                f"{CONCEPTS} holds another concept set than {MANIFEST} names.",
                "Restore the bundle from a copy.",
            )
        inputs = decode_inputs(source, mine, meta, prefix=CONCEPTS)
        remember(inputs, piece)
        source.settle(*mine)
        return inputs

    source.hold(mine)
    return Deferred(read, manifest.concepts_hash, piece)


def _deferred_measurements(
    source: BundleSource, files: dict[str, FileEntry], spec: dict[str, Any] | None
) -> Deferred[Measurements] | None:
    if spec is None:
        return None
    names = _measured_files(spec)
    mine = {name: _entry(files, name) for name in names}

    def read() -> Measurements:
        measured = _measurements(source, mine, spec)
        source.settle(*mine)
        return measured

    source.hold(mine)
    return Deferred(read, "", Piece(mine, source, spec))


_SPEC: dict[str, type] = {
    "weights_hash": str,
    "concepts_hash": str,
    "data_hash": str,
    "group_pictures": dict,
    "seed": int,
    "layers": dict,
    "effects": str,
    "pictures": list,
}


def _measured_files(spec: dict[str, Any]) -> list[str]:
    good = set(spec) == set(_SPEC) and all(isinstance(spec[k], t) for k, t in _SPEC.items())
    names = [*spec["layers"].values(), spec["effects"], *spec["pictures"]] if good else [None]
    for pictures in spec["group_pictures"].values() if good else ():
        names += pictures if isinstance(pictures, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise BundleFormatError(f"{MANIFEST} does not describe measurements.", "It is damaged.")
    wanted = [*spec["layers"].values(), *([spec["effects"]] if spec["effects"] else [])]
    return wanted + [f"{EVIDENCE}{name}.png" for name in spec["pictures"]]


def _measurements(
    source: BundleSource, files: dict[str, FileEntry], spec: dict[str, Any]
) -> Measurements:
    layers: dict[str, Any] = {}
    for key, name in spec["layers"].items():
        layers[key] = decode_layer(source.read(name, files[name]), name)
        check_layer(layers[key], name)
        remember(layers[key], Piece({name: files[name]}, source))
    effects = None
    if spec["effects"]:
        name = spec["effects"]
        effects = decode_effects(source.read(name, files[name]), name)
        check_effects(effects, name)
        remember(effects, Piece({name: files[name]}, source))
    pictures: dict[str, bytes] = {}
    for key in spec["pictures"]:
        name = f"{EVIDENCE}{key}.png"
        pictures[key] = bytes(source.read(name, files[name]))
        if picture_hash(pictures[key]) != key:
            raise BundleTamperedError(f"{name} is another picture than its name says.", "")
    return Measurements(
        layers=layers,
        effects=effects,
        weights_hash=spec["weights_hash"],
        concepts_hash=spec["concepts_hash"],
        data_hash=spec["data_hash"],
        pictures=pictures,
        group_pictures={k: tuple(v) for k, v in spec["group_pictures"].items()},
        seed=spec["seed"],
    )
