"""The z that a search started from: what an exported z's accuracy is held against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from circuitz.disk.folder_source import FolderSource
from circuitz.errors import BundleError, InputsError
from circuitz.z.bundle.load_save import load
from circuitz.z.bundle.manifest import MANIFEST, parse_manifest_and_files

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def hash_of_search_start(z: AnnotatedModel) -> str:
    """Return the hash of the z that the last search started from; empty where there was none."""
    return str(z.notes.get("search", {}).get("start", ""))


def kept_its_start(z: AnnotatedModel) -> bool:
    """Whether the search found nothing better than the network it started from."""
    return z.notes.get("search", {}).get("best") == 0


def check_is_start(z: AnnotatedModel, start: AnnotatedModel) -> None:
    """Refuse a start that z was not made from.

    Raises
    ------
    InputsError
        If it is neither what the search began with, nor among the steps that led to z.
    """
    ancestors = {z.hash, z.parent, hash_of_search_start(z)}
    ancestors |= {str(step.get(name, "")) for step in z.lineage for name in ("hash", "parent")}
    if start.hash not in ancestors and start.weights_hash != z.weights_hash:
        raise InputsError(
            f"{z.name} was not made from the model given as its start ({start.hash[:12]}).",
            "Give the model that the search began with"
            + (f": {hash_of_search_start(z)[:12]}." if hash_of_search_start(z) else "."),
        )


def find_start_beside(z: AnnotatedModel, bundle: Path) -> AnnotatedModel | None:
    """Look for the search's start among the bundles in the folder of z's own.

    Parameters
    ----------
    z
        A searched z.
    bundle
        Where it lies.
    """
    wanted = hash_of_search_start(z)
    for place in sorted(bundle.absolute().parent.glob("*.z")) if wanted else ():
        try:
            manifest, _ = parse_manifest_and_files(FolderSource(place).read_unchecked(MANIFEST))
        except (BundleError, OSError):
            continue
        if manifest.hash == wanted:
            return load(place)
    return None
