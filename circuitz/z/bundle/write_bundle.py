"""Laying out the files of a bundle, reusing those that did not change."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitz.disk.arrays import Arrays
from circuitz.disk.atomic import write_new_file_durably, write_new_files_durably
from circuitz.disk.hashing import picture_hash
from circuitz.disk.json_io import dumps
from circuitz.disk.lazy import Deferred, lazy_field_content_unread
from circuitz.disk.records import encode
from circuitz.disk.saved_files import (
    FileEntry,
    FileSource,
    SavedFiles,
    remember_saved_files,
    saved_files_of_value,
)
from circuitz.disk.tensors_io import safetensors_bytes
from circuitz.errors import BundleError, MeasurementError, WeightsError
from circuitz.z.bases import check_bases_fit_layers
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.input_refs import InputReferences
from circuitz.z.bundle.inputs_io import byte_size_of_inputs, encode_inputs_as_files, hash_and_size
from circuitz.z.bundle.log_io import chained_log_lines, in_force_annotation_lines
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
    LogMark,
    Manifest,
    encode_manifest,
)
from circuitz.z.bundle.measurements_io import encode_effects, encode_layer, measurements_manifest
from circuitz.z.inputs import InputSet
from circuitz.z.measurements import Measurements
from circuitz.z.model import AnnotatedModel

SMALL_CONCEPTS = 40 * 2**20
"""Concept sets up to this many bytes travel inside the bundle."""


class BundleWriter:
    """Writes one bundle into a new folder.

    Parameters
    ----------
    folder
        Empty folder to fill.
    old, old_files
        The bundle that will be replaced and its files; unchanged ones are linked, not written.
    home
        Source that will read the new bundle once it is in place.
    """

    def __init__(
        self, folder: Path, old: Path, old_files: dict[str, FileEntry], home: FileSource | None
    ) -> None:
        self.folder = folder
        self.old = old
        self.old_files = old_files
        self.home = home
        self.files: dict[str, FileEntry] = {}
        self._saved_values: list[tuple[object, dict[str, FileEntry], Any]] = []

    def write(self, z: AnnotatedModel, refs: InputReferences) -> None:
        """Write every file of z's bundle, the manifest last."""
        weights, bases = Arrays.of(z.weights), Arrays.of(z.bases)
        check_bases_fit_layers(bases, z.layers)
        self._write_or_reuse_value(weights, WEIGHTS, lambda: _encode_finite_weights(weights))
        if len(bases):
            self._write_or_reuse_value(
                bases, BASES, lambda: safetensors_bytes(bases, what="Directions")
            )
        concepts_hash, concepts_ref = self._write_or_refer_to_concept_set(z, refs.concepts)
        measurements = self._write_measurements_and_describe(z)
        lines, chain = chained_log_lines(z.log)
        self._write_and_record_file(
            FINDINGS, dumps([encode(f) for f in z.findings], indent=1) + b"\n"
        )
        self._write_and_record_file(STORY, z.story.encode("utf-8"))
        manifest = Manifest(
            name=z.name,
            classes=z.classes,
            subject=z.subject,
            layers=z.layers,
            cut=z.cut,
            preprocessing=z.preprocessing,
            builder=z.builder,
            builder_args=z.builder_args,
            head=z.head,
            output=z.output,
            hash=z.hash,
            weights_hash=weights.hash,
            bases_hash=bases.hash,
            log=LogMark(len(z.log), chain),
            concepts_hash=concepts_hash,
            concepts_ref=concepts_ref,
            data_ref=refs.data,
            measurements=measurements,
            waivers=z.waivers,
            parent=z.parent,
            lineage=z.lineage,
            notes=z.notes,
        )
        document = encode_manifest(manifest, self.files)
        # These two change between saves without the manifest; it does not list them.
        write_new_file_durably(self.folder / LOG, lines)
        write_new_file_durably(
            self.folder / HEAD, in_force_annotation_lines(list(z.effective().values()))
        )
        write_new_file_durably(self.folder / MANIFEST, document)

    def remember_where_values_lie(self) -> None:
        """Note where the values lie now; call once the bundle is in its place."""
        if self.home is None:
            return
        for value, files, spec in self._saved_values:
            remember_saved_files(value, SavedFiles(files, self.home, spec))

    def _write_and_record_file(self, name: str, data: bytes) -> None:
        write_new_file_durably(self._path_with_parent_made(name), data)
        self.files[name] = hash_and_size(data)

    def _path_with_parent_made(self, name: str) -> Path:
        place = self.folder / name
        place.parent.mkdir(exist_ok=True)
        return place

    def _write_or_link_unchanged(self, name: str, data: bytes) -> None:
        entry = hash_and_size(data)
        if self.files.get(name) == entry:
            return
        if not self._try_link_unchanged(name, entry):
            write_new_file_durably(self._path_with_parent_made(name), data)
        self.files[name] = entry

    def _try_link_unchanged(self, name: str, entry: FileEntry) -> bool:
        """Give an unchanged file of the old bundle a second name in the new one."""
        if self.old_files.get(name) != entry:
            return False
        file = self.old / name
        try:
            if file.is_symlink() or file.parent.is_symlink() or file.stat().st_size != entry.size:
                return False
            os.link(file, self._path_with_parent_made(name))
        except OSError:
            return False  # a disk without links, or across disks: the file is written instead
        return True

    def _try_take_over_files(self, saved: SavedFiles) -> bool:
        """Take a piece's files over without making them again."""
        for name, entry in saved.files.items():
            if self.files.get(name) == entry:
                continue
            if not self._try_link_unchanged(name, entry):
                try:
                    data = saved.source.read(name, entry)
                except BundleError:
                    return False
                write_new_file_durably(self._path_with_parent_made(name), data)
            self.files[name] = entry
        return True

    def _write_or_reuse_value(self, value: object, name: str, make: Callable[[], bytes]) -> None:
        """Write a value that fills one file."""
        piece = saved_files_of_value(value)
        if piece is not None and name in piece.files and self._try_take_over_files(piece):
            self._saved_values.append((value, dict(piece.files), piece.spec))
            return
        self._remove_file(name)
        self._write_or_link_unchanged(name, make())
        self._saved_values.append((value, {name: self.files[name]}, None))

    def _remove_file(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def _take_over_files_if_unread(self, value: Any) -> SavedFiles | None:
        """Files of a value that was never read, taken over as they are."""
        if (
            not isinstance(value, Deferred)
            or value.loaded
            or not isinstance(value.saved, SavedFiles)
        ):
            return None
        if self._try_take_over_files(value.saved):
            return value.saved
        return None

    def _write_or_refer_to_concept_set(
        self, z: AnnotatedModel, ref: DataRef | None
    ) -> tuple[str, DataRef | None]:
        held = lazy_field_content_unread(z, "concept_set")
        piece = self._take_over_files_if_unread(held)
        if piece is not None:
            return held.key, None
        inputs: InputSet | None = z.concept_set
        if inputs is None:
            return "", ref
        if byte_size_of_inputs(inputs) > SMALL_CONCEPTS:
            made = ref or DataRef.referring_to(inputs)
            if made.path or made.recipe:
                return "", made
        piece = saved_files_of_value(inputs)
        if piece is None or not self._try_take_over_files(piece):
            files: dict[str, FileEntry] = {}
            for name, data in encode_inputs_as_files(inputs).items():
                self._remove_file(CONCEPTS + name)
                self._write_or_link_unchanged(CONCEPTS + name, data)
                files[CONCEPTS + name] = self.files[CONCEPTS + name]
            self._saved_values.append((inputs, files, None))
        else:
            self._saved_values.append((inputs, dict(piece.files), None))
        return z.concepts_hash, None

    def _write_measurements_and_describe(self, z: AnnotatedModel) -> dict[str, Any] | None:
        held = lazy_field_content_unread(z, "measurements")
        piece = self._take_over_files_if_unread(held)
        if piece is not None:
            return piece.spec
        measured: Measurements | None = z.measurements
        if measured is None:
            return None
        layers: dict[str, str] = {}
        for key, layer in measured.layers.items():
            layers[key] = self._write_under_hash_name(
                layer, lambda layer=layer: encode_layer(layer)
            )
        effects = measured.effects
        self._write_pictures(measured.pictures)
        return {
            **measurements_manifest(measured),
            "layers": layers,
            "effects": self._write_under_hash_name(effects, lambda: encode_effects(effects))
            if effects
            else "",
            "pictures": sorted(measured.pictures),
        }

    def _write_pictures(self, pictures: Mapping[str, bytes]) -> None:
        new: dict[Path, bytes] = {}
        for key, png in pictures.items():
            if key != picture_hash(png):
                raise MeasurementError(
                    f"Picture {key!r} is not named by its contents.",
                    "Name pictures with circuitz.disk.hashing.picture_hash.",
                )
            name = f"{EVIDENCE}{key}.png"
            self.files[name] = hash_and_size(png)
            if not self._try_link_unchanged(name, self.files[name]):
                new[self._path_with_parent_made(name)] = png
        write_new_files_durably(new)

    def _write_under_hash_name(self, value: object, make: Callable[[], bytes]) -> str:
        """Write a value under a name made from its contents."""
        piece = saved_files_of_value(value)
        if piece is None or not self._try_take_over_files(piece):
            data = make()
            name = f"{EVIDENCE}{hash_and_size(data).sha256[:32]}.safetensors"
            self._write_or_link_unchanged(name, data)
            files = {name: self.files[name]}
        else:
            files = dict(piece.files)
        self._saved_values.append((value, files, None))
        return next(iter(files))


def _encode_finite_weights(weights: Arrays) -> bytes:
    for name, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(
                f"The weights {name!r} are not finite.",
                "Training went wrong; go back to the last checkpoint before it.",
            )
    return safetensors_bytes(weights, what="Weights")
