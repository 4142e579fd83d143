"""Laying out the files of a bundle, reusing those that did not change."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from circuitz.disk.arrays import Arrays
from circuitz.disk.atomic import write_file, write_files
from circuitz.disk.hashing import picture_hash
from circuitz.disk.json_io import dumps
from circuitz.disk.lazy import Deferred, raw
from circuitz.disk.records import encode
from circuitz.disk.saved_files import FileEntry, Piece, Source, recall, remember
from circuitz.disk.tensors_io import write_tensors
from circuitz.errors import BundleError, MeasurementError, WeightsError
from circuitz.z.bases import check_bases
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.input_refs import References
from circuitz.z.bundle.inputs_io import encode_inputs, entry_of, inputs_bytes
from circuitz.z.bundle.log_io import head_lines, log_lines
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
    write_manifest,
)
from circuitz.z.bundle.measurements_io import describe, encode_effects, encode_layer
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
        self, folder: Path, old: Path, old_files: dict[str, FileEntry], home: Source | None
    ) -> None:
        self.folder = folder
        self.old = old
        self.old_files = old_files
        self.home = home
        self.files: dict[str, FileEntry] = {}
        self._learnt: list[tuple[object, dict[str, FileEntry], Any]] = []

    def write(self, z: AnnotatedModel, refs: References) -> None:
        """Write every file of z's bundle, the manifest last."""
        weights, bases = Arrays.of(z.weights), Arrays.of(z.bases)
        check_bases(bases, z.layers)
        self._value(weights, WEIGHTS, lambda: _finite(weights))
        if len(bases):
            self._value(bases, BASES, lambda: write_tensors(bases, what="Directions"))
        concepts_hash, concepts_ref = self._concepts(z, refs.concepts)
        measurements = self._measurements(z)
        lines, chain = log_lines(z.log)
        self._small(FINDINGS, dumps([encode(f) for f in z.findings], indent=1) + b"\n")
        self._small(STORY, z.story.encode("utf-8"))
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
        document = write_manifest(manifest, self.files)
        # These two change between saves without the manifest; it does not list them.
        write_file(self.folder / LOG, lines)
        write_file(self.folder / HEAD, head_lines(list(z.effective().values())))
        write_file(self.folder / MANIFEST, document)

    def finish(self) -> None:
        """Note where the values lie now; call once the bundle is in its place."""
        if self.home is None:
            return
        for value, files, spec in self._learnt:
            remember(value, Piece(files, self.home, spec))

    def _small(self, name: str, data: bytes) -> None:
        write_file(self._place(name), data)
        self.files[name] = entry_of(data)

    def _place(self, name: str) -> Path:
        place = self.folder / name
        place.parent.mkdir(exist_ok=True)
        return place

    def _content(self, name: str, data: bytes) -> None:
        entry = entry_of(data)
        if self.files.get(name) == entry:
            return
        if not self._link(name, entry):
            write_file(self._place(name), data)
        self.files[name] = entry

    def _link(self, name: str, entry: FileEntry) -> bool:
        """Give an unchanged file of the old bundle a second name in the new one."""
        if self.old_files.get(name) != entry:
            return False
        file = self.old / name
        try:
            if file.is_symlink() or file.parent.is_symlink() or file.stat().st_size != entry.size:
                return False
            os.link(file, self._place(name))
        except OSError:
            return False  # a disk without links, or across disks: the file is written instead
        return True

    def _take(self, piece: Piece) -> bool:
        """Take a piece's files over without making them again."""
        for name, entry in piece.files.items():
            if self.files.get(name) == entry:
                continue
            if not self._link(name, entry):
                try:
                    data = piece.source.read(name, entry)
                except BundleError:
                    return False
                write_file(self._place(name), data)
            self.files[name] = entry
        return True

    def _value(self, value: object, name: str, make: Callable[[], bytes]) -> None:
        """Write a value that fills one file."""
        piece = recall(value)
        if piece is not None and name in piece.files and self._take(piece):
            self._learnt.append((value, dict(piece.files), piece.spec))
            return
        self._unlink(name)
        self._content(name, make())
        self._learnt.append((value, {name: self.files[name]}, None))

    def _unlink(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def _deferred(self, held: Any) -> Piece | None:
        """Files of a value that was never read, taken over as they are."""
        if not isinstance(held, Deferred) or held.loaded or not isinstance(held.piece, Piece):
            return None
        if self._take(held.piece):
            return held.piece
        return None

    def _concepts(self, z: AnnotatedModel, ref: DataRef | None) -> tuple[str, DataRef | None]:
        held = raw(z, "concept_set")
        piece = self._deferred(held)
        if piece is not None:
            return held.key, None
        inputs: InputSet | None = z.concept_set
        if inputs is None:
            return "", ref
        if inputs_bytes(inputs) > SMALL_CONCEPTS:
            made = ref or DataRef.to(inputs)
            if made.path or made.recipe:
                return "", made
        piece = recall(inputs)
        if piece is None or not self._take(piece):
            files: dict[str, FileEntry] = {}
            for name, data in encode_inputs(inputs).items():
                self._unlink(CONCEPTS + name)
                self._content(CONCEPTS + name, data)
                files[CONCEPTS + name] = self.files[CONCEPTS + name]
            self._learnt.append((inputs, files, None))
        else:
            self._learnt.append((inputs, dict(piece.files), None))
        return z.concepts_hash, None

    def _measurements(self, z: AnnotatedModel) -> dict[str, Any] | None:
        held = raw(z, "measurements")
        piece = self._deferred(held)
        if piece is not None:
            return piece.spec
        measured: Measurements | None = z.measurements
        if measured is None:
            return None
        layers: dict[str, str] = {}
        for key, layer in measured.layers.items():
            layers[key] = self._evidence(layer, lambda layer=layer: encode_layer(layer))
        effects = measured.effects
        self._pictures(measured.pictures)
        return {
            **describe(measured),
            "layers": layers,
            "effects": self._evidence(effects, lambda: encode_effects(effects)) if effects else "",
            "pictures": sorted(measured.pictures),
        }

    def _pictures(self, pictures: Mapping[str, bytes]) -> None:
        new: dict[Path, bytes] = {}
        for key, png in pictures.items():
            if key != picture_hash(png):
                raise MeasurementError(
                    f"Picture {key!r} is not named by its contents.",
                    "Name pictures with circuitz.z.z_hash.picture_hash.",
                )
            name = f"{EVIDENCE}{key}.png"
            self.files[name] = entry_of(png)
            if not self._link(name, self.files[name]):
                new[self._place(name)] = png
        write_files(new)

    def _evidence(self, value: object, make: Callable[[], bytes]) -> str:
        """Write a value under a name made from its contents."""
        piece = recall(value)
        if piece is None or not self._take(piece):
            data = make()
            name = f"{EVIDENCE}{entry_of(data).sha256[:32]}.safetensors"
            self._content(name, data)
            files = {name: self.files[name]}
        else:
            files = dict(piece.files)
        self._learnt.append((value, files, None))
        return next(iter(files))


def _finite(weights: Arrays) -> bytes:
    for name, array in weights.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WeightsError(
                f"The weights {name!r} are not finite.",
                "Training went wrong; go back to the last checkpoint before it.",
            )
    return write_tensors(weights, what="Weights")
