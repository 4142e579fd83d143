"""Input sets on disk: a folder of plain arrays that are memory-mapped when opened."""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from circuitz.disk.atomic import replacement_folder, write_new_file_durably
from circuitz.disk.consistent_read import read_consistently
from circuitz.disk.file_names import parse_file_entries
from circuitz.disk.folder_source import FolderSource
from circuitz.disk.hashing import array_digest, json_hash, little_endian
from circuitz.disk.saved_files import FileEntry, FileSource
from circuitz.disk.seal import check_seal, parse_sealed_document_unchecked, seal_with_own_hash
from circuitz.errors import BundleFormatError, BundleSchemaError, BundleTruncatedError, InputsError
from circuitz.z.bundle.input_set_integrity import check_input_set_fields
from circuitz.z.inputs import InputSet

SCHEMA = 1
ARRAYS = ("images", "labels", "concepts", "split", "scene", "masks", "pairs")
NAMES = ("classes", "concept_names", "mask_names")
# Of token sequences; where there are none they leave no trace, so that hashes of images stand.
TOKEN_ARRAYS = ("focus",)
TOKEN_NAMES = ("vocabulary",)
META = "meta.json"

_FINGERPRINTS: WeakKeyDictionary[InputSet, str] = WeakKeyDictionary()
_ORIGINS: WeakKeyDictionary[InputSet, Path] = WeakKeyDictionary()


def folder_of_inputs(inputs: InputSet) -> Path | None:
    """Folder the set was read from or written to, when it was."""
    return _ORIGINS.get(inputs)


def input_set_fingerprint(inputs: InputSet) -> str:
    """Hash of everything in the set but its recipe; computed once for each set.

    The images of a set must not be changed after it was made.
    """
    known = _FINGERPRINTS.get(inputs)
    if known is None:
        parts: dict[str, Any] = {name: list(getattr(inputs, name)) for name in NAMES}
        parts["role"] = inputs.role
        for name in ARRAYS:
            array = getattr(inputs, name)
            parts[name] = None if array is None else array_digest(array).hex()
        for name in TOKEN_NAMES:
            parts |= {name: list(getattr(inputs, name))} if getattr(inputs, name) else {}
        for name in TOKEN_ARRAYS:
            array = getattr(inputs, name)
            parts |= {} if array is None else {name: array_digest(array).hex()}
        known = _FINGERPRINTS[inputs] = json_hash(["inputs 1", parts])
    return known


def byte_size_of_inputs(inputs: InputSet) -> int:
    """Bytes the set's arrays take."""
    arrays = (getattr(inputs, name) for name in (*ARRAYS, *TOKEN_ARRAYS))
    return sum(array.nbytes for array in arrays if array is not None)


def encode_inputs_as_files(inputs: InputSet) -> dict[str, bytes]:
    """Files of an input set by name, ``meta.json`` last.

    Raises
    ------
    InputsError
        If the set is malformed.
    """
    check_input_set_fields(inputs)
    files: dict[str, bytes] = {}
    for name in (*ARRAYS, *TOKEN_ARRAYS):
        array = getattr(inputs, name)
        if array is not None:
            files[f"{name}.npy"] = _npy_bytes(array)
    files[META] = _meta_bytes(inputs, {name: hash_and_size(data) for name, data in files.items()})
    return files


def hash_and_size(data: bytes | memoryview) -> FileEntry:
    """Hash and size of a file's contents."""
    return FileEntry(hashlib.sha256(data).hexdigest(), len(data))


def _npy_bytes(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, little_endian(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _meta_bytes(inputs: InputSet, files: Mapping[str, FileEntry]) -> bytes:
    meta = {
        "format": "circuitz inputs",
        "schema": SCHEMA,
        "role": inputs.role,
        "n": len(inputs),
        **{name: list(getattr(inputs, name)) for name in NAMES},
        **{name: list(names) for name in TOKEN_NAMES if (names := getattr(inputs, name))},
        "fingerprint": input_set_fingerprint(inputs),
        "recipe": dict(inputs.recipe),
        "files": {name: {"sha256": e.sha256, "size": e.size} for name, e in files.items()},
    }
    return seal_with_own_hash(meta)


def write_inputs(path: str | os.PathLike[str], inputs: InputSet) -> Path:
    """Write an input set as a folder, or leave what was there untouched.

    Parameters
    ----------
    path
        Folder to write; an input set that is there already is replaced.

    Raises
    ------
    InputsError
        If the set is malformed, or the path holds something else.
    BundleWriteError
        If the disk is full or read-only.
    """
    target = Path(path)
    if target.exists() and not (target / META).is_file() and not _is_empty_folder(target):
        raise InputsError(f"{target} is there and is no input set.", "Choose another folder.")
    with replacement_folder(target) as folder:
        for name, data in encode_inputs_as_files(inputs).items():
            write_new_file_durably(folder / name, data)
    _ORIGINS[inputs] = target.absolute()
    return target


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def read_inputs(path: str | os.PathLike[str], *, verify: bool = True) -> InputSet:
    """Open an input set; its arrays are read-only memory maps.

    Parameters
    ----------
    path
        Folder written by :func:`write_inputs`.
    verify
        Check the contents against their hashes, which reads every file once.

    Raises
    ------
    InputsError
        If there is none, or it is malformed.
    BundleError
        If a file is truncated, was changed, or is of a newer schema.
    """
    folder = Path(path)
    return read_consistently(folder, lambda: _read_inputs(folder, verify), InputsError, "input set")


def _read_inputs(folder: Path, verify: bool) -> InputSet:
    if not (folder / META).is_file():
        raise InputsError(f"There is no input set at {folder}.", "Check the path.")
    source = FolderSource(folder)
    meta = parse_and_check_meta(source.read_unchecked(META), META)
    files = parse_file_entries(meta["files"], META)
    source.check_sizes_against_manifest(files)
    inputs = inputs_from_files(source, files, meta, verify=verify)
    _ORIGINS[inputs] = folder.absolute()
    return inputs


def parse_and_check_meta(data: bytes | memoryview, place: str) -> dict[str, Any]:
    """Read and check ``meta.json``.

    Raises
    ------
    BundleSchemaError
        If a newer version wrote it.
    BundleFormatError
        If it is not the description of an input set.
    """
    meta = parse_sealed_document_unchecked(data, place)
    if meta.get("format") != "circuitz inputs":
        raise BundleFormatError(f"{place} describes no input set.", "The file is damaged.")
    if not isinstance(meta.get("schema"), int) or meta["schema"] > SCHEMA:
        raise BundleSchemaError(
            f"{place} has schema {meta.get('schema')!r}; this version reads up to {SCHEMA}.",
            "Update circuitz to open it.",
        )
    check_seal(meta, place)
    texts = [meta.get("role"), meta.get("fingerprint")]
    lists = [meta.get(name) for name in NAMES] + [meta.get(name, []) for name in TOKEN_NAMES]
    good = (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(x, list) and all(isinstance(v, str) for v in x) for x in lists)
        and isinstance(meta.get("recipe"), dict)
        and isinstance(meta.get("files"), dict)
        and isinstance(meta.get("n"), int)
    )
    if not good:
        raise BundleFormatError(f"{place} lacks a field or has a wrong one.", "It is damaged.")
    return meta


def inputs_from_files(
    source: FileSource,
    files: Mapping[str, FileEntry],
    meta: Mapping[str, Any],
    *,
    prefix: str = "",
    verify: bool = True,
) -> InputSet:
    """Make an input set from its files.

    Raises
    ------
    BundleFormatError, BundleTruncatedError, BundleTamperedError, InputsError
        If a file is not what ``meta`` says.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in (*ARRAYS, *TOKEN_ARRAYS):
        entry = files.get(f"{prefix}{name}.npy")
        if entry is not None:
            reader = source.read if verify else source.read_mapped
            arrays[name] = _read_npy_in_place(
                reader(f"{prefix}{name}.npy", entry), f"{prefix}{name}.npy"
            )
    if "images" not in arrays:
        raise BundleTruncatedError(f"{prefix}images.npy is missing.", "Restore it from a copy.")
    inputs = InputSet(
        images=arrays["images"],
        labels=arrays.get("labels"),
        classes=tuple(meta["classes"]),
        concepts=arrays.get("concepts"),
        concept_names=tuple(meta["concept_names"]),
        split=arrays.get("split"),
        scene=arrays.get("scene"),
        masks=arrays.get("masks"),
        mask_names=tuple(meta["mask_names"]),
        pairs=arrays.get("pairs"),
        role=meta["role"],
        recipe=dict(meta["recipe"]),
        vocabulary=tuple(meta.get("vocabulary", ())),
        focus=arrays.get("focus"),
    )
    check_input_set_fields(inputs)
    if len(inputs) != meta["n"]:
        raise BundleFormatError(f"{prefix}{META} counts other images.", "The file is damaged.")
    if verify:
        _FINGERPRINTS[inputs] = meta["fingerprint"]
    return inputs


# What numpy writes and nothing else: its own reader parses the header as Python, and fails in as
# many ways as Python's parser does.
_NPY = re.compile(
    rb"\{'descr': '(?P<dtype>[<|][fiub][1248])', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(?:\d{1,15}(?:, \d{1,15}){0,15},?)?)\), \} *\n"
)


def _read_npy_in_place(buffer: memoryview, place: str) -> npt.NDArray[Any]:
    """Read an array in place, never an object array."""
    start = 10 + int.from_bytes(buffer[8:10], "little")
    header = _NPY.fullmatch(bytes(buffer[10:start])) if len(buffer) >= start else None
    if bytes(buffer[:8]) != b"\x93NUMPY\x01\x00" or header is None:
        raise BundleFormatError(f"{place} holds no plain array.", "It is damaged.")
    try:
        dtype = np.dtype(header["dtype"].decode())
    except TypeError as error:
        raise BundleFormatError(f"{place} holds no plain array.", "It is damaged.") from error
    shape = tuple(int(length) for length in header["shape"].replace(b",", b" ").split())
    count = math.prod(shape)
    if math.prod(length or 1 for length in shape) >= 2**48:
        raise BundleFormatError(f"{place} has an absurd shape.", "It is damaged.")
    if len(buffer) - start != count * dtype.itemsize:
        raise BundleTruncatedError(
            f"{place} has {len(buffer) - start:,} bytes of data; its shape needs "
            f"{count * dtype.itemsize:,}.",
            "Restore it from a copy.",
        )
    array = np.frombuffer(buffer[start:], dtype=dtype).reshape(shape)
    array.flags.writeable = False
    return array
