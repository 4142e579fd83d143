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
from circuitz.disk.saved_files import FileEntry, SavedFiles, remember_saved_files
from circuitz.disk.tensors_io import read_safetensors_in_place
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
from circuitz.z.bases import check_bases_fit_layers
from circuitz.z.bundle.inputs_io import META, inputs_from_files, parse_and_check_meta
from circuitz.z.bundle.log_io import LogRead, in_force_annotation_lines, parse_and_verify_log
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
    parse_manifest_and_files,
)
from circuitz.z.bundle.measurements_check import check_effect_indices, check_layer_indices
from circuitz.z.bundle.measurements_io import decode_effects, decode_layer
from circuitz.z.edits import history
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.layer import check_head_fits_classes, check_layers_and_cut
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
    manifest, files = parse_manifest_and_files(source.read_unchecked(MANIFEST))
    source.check_sizes_against_manifest(files)
    if head is None and source.exists(HEAD):
        head = source.read_unchecked(HEAD)
    found = log or parse_and_verify_log(source.read_unchecked(LOG))
    count = manifest.log.count
    _check_log_against_manifest(found, manifest)
    if head is not None:
        _check_list_was_head_of_log(head, found, count)
    _check_layers_and_head(manifest)
    weights = Arrays(partial(_read_finite_weights, source, files), manifest.weights_hash)
    remember_saved_files(weights, SavedFiles({WEIGHTS: _require_entry(files, WEIGHTS)}, source))
    source.note_files_to_read_later({WEIGHTS: files[WEIGHTS]})
    bases = _read_checked_bases(source, files, manifest)
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
        output=manifest.output,
        weights=weights,
        bases=bases,
        log=found.entries[:count],
        concept_set=_deferred_concept_set(source, files, manifest),
        data_ref=manifest.data_ref,
        concepts_ref=manifest.concepts_ref,
        measurements=_deferred_measurements(source, files, manifest.measurements),
        findings=_read_findings(source, files),
        waivers=manifest.waivers,
        parent=manifest.parent,
        lineage=manifest.lineage,
        notes=manifest.notes,
        story=_decode_utf8(source.read(STORY, _require_entry(files, STORY)), STORY),
        home=str(source.root),
    )
    if len(found.entries) > count:
        z = z.with_(what="annotations", log=found.entries)
    return z


def _check_layers_and_head(manifest: Manifest) -> None:
    """Refuse layers no network has, before anything is built from them."""
    if not all(0 <= layer.size <= MAX_UNITS for layer in manifest.layers):
        raise BundleFormatError(f"{MANIFEST} gives a layer an absurd size.", "It is damaged.")
    try:
        check_layers_and_cut(manifest.layers, manifest.cut, manifest.classes)
        check_head_fits_classes(manifest.head, manifest.classes)
    except LayerError as error:
        raise BundleFormatError(f"{MANIFEST}: {error.message}", "It is damaged.") from error


def _check_log_against_manifest(log: LogRead, manifest: Manifest) -> None:
    count = manifest.log.count
    if count < 0:
        raise BundleFormatError(f"{MANIFEST} counts {count} log entries.", "It is damaged.")
    try:
        history.replay_log(log.entries)
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


def _check_list_was_head_of_log(head: bytes, log: LogRead, count: int) -> None:
    """Refuse a list of annotations that is not, and never was, the head of the log.

    A writer killed between log and head leaves the head of an earlier log: that is no harm.
    """
    for length in range(len(log.entries), count - 1, -1):
        in_force = history.annotations_in_force(log.entries[:length])
        if head == in_force_annotation_lines(list(in_force.values())):
            return
    raise BundleTamperedError(
        f"{HEAD} was edited, but the truth is {LOG}, from which it is written.",
        f"Delete {HEAD} to go on with the log, and make the edit with z.annotate.",
    )


def _require_entry(files: dict[str, FileEntry], name: str) -> FileEntry:
    if name not in files:
        raise BundleTruncatedError(f"{MANIFEST} does not list {name}.", "Restore it from a copy.")
    return files[name]


def _decode_utf8(data: memoryview, place: str) -> str:
    try:
        return bytes(data).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BundleFormatError(f"{place} is not UTF-8 text.", "The file is damaged.") from error


def _read_findings(source: BundleSource, files: dict[str, FileEntry]) -> tuple[Finding, ...]:
    rows = loads(source.read(FINDINGS, _require_entry(files, FINDINGS)), FINDINGS)
    if not isinstance(rows, list):
        raise BundleFormatError(f"{FINDINGS} is not a list.", "The file is damaged.")
    return tuple(decode(Finding, row, f"{FINDINGS}[{i}]") for i, row in enumerate(rows))


def _read_finite_weights(
    source: BundleSource, files: dict[str, FileEntry]
) -> dict[str, npt.NDArray[Any]]:
    weights = read_safetensors_in_place(source.read(WEIGHTS, files[WEIGHTS]), WEIGHTS)[0]
    source.forget_files_to_read_later(WEIGHTS)
    for key, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(
                f"The weights {key!r} in {source.root} are not finite.",
                "The bundle was not written by circuitz; train or load the network again.",
            )
    return weights


def _read_checked_bases(
    source: BundleSource, files: dict[str, FileEntry], manifest: Manifest
) -> Arrays:
    """Read the bases at once: which units there are cannot be told without them."""
    if BASES not in files:
        return Arrays({})
    bases = Arrays(
        read_safetensors_in_place(source.read(BASES, files[BASES]), BASES)[0], manifest.bases_hash
    )
    try:
        check_bases_fit_layers(bases, manifest.layers)
    except BasisError as error:
        raise BundleFormatError(
            f"{BASES}: {error.message}", "It is damaged: restore the bundle from a copy."
        ) from error
    remember_saved_files(bases, SavedFiles({BASES: files[BASES]}, source))
    return bases


def _deferred_concept_set(
    source: BundleSource, files: dict[str, FileEntry], manifest: Manifest
) -> Deferred[InputSet] | None:
    mine = {name: entry for name, entry in files.items() if name.startswith(CONCEPTS)}
    if not mine:
        return None
    piece = SavedFiles(mine, source)

    def read_concept_set() -> InputSet:
        data = source.read(CONCEPTS + META, _require_entry(mine, CONCEPTS + META))
        meta = parse_and_check_meta(data, CONCEPTS + META)
        if meta["fingerprint"] != manifest.concepts_hash:
            raise BundleTamperedError(
                f"{CONCEPTS} holds another concept set than {MANIFEST} names.",
                "Restore the bundle from a copy.",
            )
        inputs = inputs_from_files(source, mine, meta, prefix=CONCEPTS)
        remember_saved_files(inputs, piece)
        source.forget_files_to_read_later(*mine)
        return inputs

    source.note_files_to_read_later(mine)
    return Deferred(read_concept_set, manifest.concepts_hash, piece)


def _deferred_measurements(
    source: BundleSource, files: dict[str, FileEntry], description: dict[str, Any] | None
) -> Deferred[Measurements] | None:
    if description is None:
        return None
    names = _checked_measurement_file_names(description)
    mine = {name: _require_entry(files, name) for name in names}

    def read_measurements() -> Measurements:
        measured = _read_measurements(source, mine, description)
        source.forget_files_to_read_later(*mine)
        return measured

    source.note_files_to_read_later(mine)
    return Deferred(read_measurements, "", SavedFiles(mine, source, description))


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


def _checked_measurement_file_names(description: dict[str, Any]) -> list[str]:
    good = set(description) == set(_SPEC) and all(
        isinstance(description[k], t) for k, t in _SPEC.items()
    )
    names = (
        [*description["layers"].values(), description["effects"], *description["pictures"]]
        if good
        else [None]
    )
    for pictures in description["group_pictures"].values() if good else ():
        names += pictures if isinstance(pictures, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise BundleFormatError(f"{MANIFEST} does not describe measurements.", "It is damaged.")
    wanted = [
        *description["layers"].values(),
        *([description["effects"]] if description["effects"] else []),
    ]
    return wanted + [f"{EVIDENCE}{name}.png" for name in description["pictures"]]


def _read_measurements(
    source: BundleSource, files: dict[str, FileEntry], description: dict[str, Any]
) -> Measurements:
    layers: dict[str, Any] = {}
    for key, name in description["layers"].items():
        layers[key] = decode_layer(source.read(name, files[name]), name)
        check_layer_indices(layers[key], name)
        remember_saved_files(layers[key], SavedFiles({name: files[name]}, source))
    effects = None
    if description["effects"]:
        name = description["effects"]
        effects = decode_effects(source.read(name, files[name]), name)
        check_effect_indices(effects, name)
        remember_saved_files(effects, SavedFiles({name: files[name]}, source))
    pictures: dict[str, bytes] = {}
    for key in description["pictures"]:
        name = f"{EVIDENCE}{key}.png"
        pictures[key] = bytes(source.read(name, files[name]))
        if picture_hash(pictures[key]) != key:
            raise BundleTamperedError(f"{name} is another picture than its name says.", "")
    return Measurements(
        layers=layers,
        effects=effects,
        weights_hash=description["weights_hash"],
        concepts_hash=description["concepts_hash"],
        data_hash=description["data_hash"],
        pictures=pictures,
        group_pictures={k: tuple(v) for k, v in description["group_pictures"].items()},
        seed=description["seed"],
    )
