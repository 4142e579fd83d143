"""Bundles: a z on disk, as a folder ``name.z/`` or one zip file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuitz.disk.atomic import locked_temporary_folder, replacement_folder, sync_folder
from circuitz.disk.consistent_read import read_consistently
from circuitz.disk.folder_source import FolderSource, live_folder_sources_at
from circuitz.disk.lazy import Deferred, lazy_field_content_unread
from circuitz.disk.zip_source import ZipSource
from circuitz.errors import BundleError, BundleWarning, InputsError
from circuitz.z.bundle.append_log import append_log, read_and_mend_torn_log
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.input_refs import input_references
from circuitz.z.bundle.inputs_io import write_inputs
from circuitz.z.bundle.log_io import parse_and_verify_log
from circuitz.z.bundle.manifest import HEAD, LOG, MANIFEST
from circuitz.z.bundle.read_bundle import read_bundle
from circuitz.z.bundle.replace_bundle import (
    ASIDE,
    ReplacedBundle,
    carry_over_foreign_files,
    check_replaceable,
    set_unknown_edits_aside,
    zip_folder_reproducibly,
)
from circuitz.z.bundle.write_bundle import BundleWriter
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel

__all__ = ["append_log", "load", "save"]


def load(path: str | os.PathLike[str]) -> AnnotatedModel:
    """Open a bundle.

    The manifest, the log and the sizes of all files are checked now; weights, measurements and
    pictures are read, and checked against their hashes, when first touched.

    Parameters
    ----------
    path
        Folder or zip file written by :func:`save`.

    Raises
    ------
    BundleError
        If there is none, or it is truncated, was changed, is unsafe, or is of a newer schema.
    """
    try:
        place = Path(os.path.realpath(path))
    except ValueError as error:
        raise BundleError(f"{str(path)[:80]!r} is no path.", "Check it.") from error
    return read_consistently(place, lambda: _load_once(place), BundleError, "bundle")


def _load_once(path: Path) -> AnnotatedModel:
    if path.is_file():
        return _attach_deferred_input_sets(read_bundle(ZipSource(path)), path)
    source = FolderSource(path)
    if not source.exists(MANIFEST):
        raise BundleError(f"{path} is no bundle: it has no {MANIFEST}.", "Check the path.")
    # The head first: whoever appends writes the log first, so this head is one of the log's.
    head = source.read_unchecked(HEAD) if source.exists(HEAD) else None
    log = parse_and_verify_log(source.read_unchecked(LOG))
    remark = ""
    if log.torn:
        log, remark = read_and_mend_torn_log(path)
    z = read_bundle(source, log=log, head=head)
    if remark:
        warnings.warn(remark, BundleWarning, stacklevel=5)
        z = z.with_(remarks=(*z.remarks, remark))
    return _attach_deferred_input_sets(z, path)


def _attach_deferred_input_sets(z: AnnotatedModel, path: Path) -> AnnotatedModel:
    """Attach D and a large concept set where they are at hand, unread until touched."""
    found: dict[str, Any] = {}
    for name, ref in (("data", z.data_ref), ("concept_set", z.concepts_ref)):
        if ref is not None and ref.find_folder(path) is not None:
            said = "D" if name == "data" else "concepts"
            found[name] = Deferred(_input_set_reader(ref, path, said), ref.fingerprint)
    return z.with_(**found) if found else z


def _input_set_reader(ref: DataRef, path: Path, name: str) -> Callable[[], InputSet]:
    return lambda: ref.resolve(path, name=name)


def save(
    z: AnnotatedModel,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = True,
    data: bool = False,
) -> Path:
    """Write z as a bundle, or leave what was there untouched.

    Files that did not change since the bundle was read or written are linked, not written again.
    Edits that others appended to the bundle meanwhile, and z does not know, are not part of what
    is saved: they are set aside in it, and a warning says so. What the
    bundle lacks to be run again, :func:`warn_of_what_is_lacking` says.

    Parameters
    ----------
    path
        Folder to write, or a zip file when it ends in ``.zip``.
    overwrite
        Whether a bundle that is there already may be replaced.
    data
        Also write D, beside the bundle as ``NAME.D``, where ``load`` finds it.

    Returns
    -------
    Where it was written.

    Raises
    ------
    BundleWriteError
        If the disk is full or read-only, or the path holds something that is no bundle.
    WeightsError
        If weights are not finite.
    InputsError
        If D is to be written and is not at hand.
    """
    place = Path(os.path.realpath(path))
    if data:
        check_replaceable(place, overwrite)
        _write_data_beside(z, place)
    if place.suffix == ".zip":
        _save_zip(z, place, overwrite)
        return Path(path)
    with replacement_folder(place) as folder:
        check_replaceable(place, overwrite)
        before = ReplacedBundle.read_at_or_empty(place)
        writer = BundleWriter(folder, place, before.files, FolderSource(place))
        writer.write(z, input_references(z, place))
        dropped = 0
        if place.is_dir():
            carry_over_foreign_files(place, before, folder)
            dropped = set_unknown_edits_aside(z, place, before, folder)
        for source in live_folder_sources_at(place):
            source.pin_replaced_files(writer.files)
    writer.remember_where_values_lie()
    if dropped:
        warnings.warn(
            f"{place.name} held {dropped} edits that this z does not know, made by somebody else "
            f"meanwhile; they were set aside in {ASIDE}.",
            BundleWarning,
            stacklevel=2,
        )
    return Path(path)


def folder_for_data(path: Path) -> Path:
    """Return the folder beside a bundle in which D is kept: ``NAME.D``."""
    name = path.name.removesuffix(".zip").removesuffix(".z") or "model"
    return path.with_name(f"{name}.D")


def _write_data_beside(z: AnnotatedModel, place: Path) -> None:
    if z.data is None:
        raise InputsError(
            "D is to be kept with the bundle, and this z has no D at hand.",
            "Pass it: cz.measure(z, data=…), or save without data=True.",
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    write_inputs(folder_for_data(place), z.data)


def warn_of_what_is_lacking(z: AnnotatedModel, path: str | os.PathLike[str]) -> None:
    """Say at the save what would otherwise be found out after loading."""
    place = Path(os.path.realpath(path))
    if z.live is not None and not z.builder:
        warnings.warn(
            f"{place.name} can be opened, shown, annotated and checked, but not run: its network is not "
            "made by a registered builder. To run it again give it the module: "
            f"cz.load('{place.name}').with_(live=net).",
            BundleWarning,
            stacklevel=3,
        )
    held = lazy_field_content_unread(z, "data")
    ref = input_references(z, place).data
    if isinstance(held, InputSet) and (ref is None or ref.find_folder(place) is None):
        warnings.warn(
            f"{place.name} does not hold D ({len(held):,} inputs): what measures, searches or evaluates it "
            f"will ask for it. Keep it beside the bundle: z.save('{place.name}', data=True).",
            BundleWarning,
            stacklevel=3,
        )


def _save_zip(z: AnnotatedModel, path: Path, overwrite: bool) -> None:
    with locked_temporary_folder(path) as folder:
        check_replaceable(path, overwrite)
        BundleWriter(folder, path, {}, None).write(z, input_references(z, path))
        zip_folder_reproducibly(folder).replace(path)
        sync_folder(path.parent)
