"""Layers by the names that others gave them, and what they are called in z."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from circuitz.errors import AnnotationFileError
from circuitz.z.bases import basis_sizes
from circuitz.z.formats.annotation_row import AnnotationFile, AnnotationRow
from circuitz.z.targets import EDGE, GROUP, target_units
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: In a layer map: every layer it does not name.
OTHERS = "*"
_SHOWN = 12


def map_layers(file: AnnotationFile, layer_map: Mapping[str, str]) -> AnnotationFile:
    """Return what a file holds, its layers called as in z.

    Parameters
    ----------
    file
        The file.
    layer_map
        Layer of the file to layer of z, or basis over one (``conv4@sae``). Empty leaves the
        layer's words out; ``{"*": ""}`` leaves out those of all layers it does not name.

    Raises
    ------
    AnnotationFileError
        If it names a layer that the file has not, or ``*`` is to become a layer.
    """
    layers = _layers(file.rows)
    strange = [name for name in layer_map if name not in layers and name != OTHERS]
    if strange:
        raise AnnotationFileError(
            f"{file.path} speaks of no layer {strange[0][:80]!r}; it speaks of {_listed(layers)}.",
            "Name layers of the file: --layer-map FILE_LAYER=LAYER.",
        )
    if layer_map.get(OTHERS):
        raise AnnotationFileError(
            f"All other layers cannot be {layer_map[OTHERS][:80]!r} at once.",
            f"Leave them out: --layer-map '{OTHERS}='.",
        )
    rows = [
        replace(row, entry=replace(row.entry, target=target))
        for row in file.rows
        if (target := _mapped_target(row.entry.target, layer_map))
    ]
    out = len(file.rows) - len(rows)
    said = (f"{out} lines about layers that were left out are passed over.",) if out else ()
    return replace(file, rows=tuple(rows), empty=file.empty + out, remarks=(*file.remarks, *said))


def check_layers(file: AnnotationFile, z: AnnotatedModel) -> None:
    """Refuse a file whose layers are called otherwise than in z.

    Raises
    ------
    AnnotationFileError
        Naming the layers of both.
    """
    own = [*(layer.name for layer in z.layers), *basis_sizes(z.bases)]
    unknown = [name for name in _layers(file.rows) if name not in (*own, OUTPUT)]
    if unknown:
        raise AnnotationFileError(
            f"{file.path} speaks of layers that {z.name or 'the model'} does not have: "
            f"{_listed(unknown)}. It has {_listed(own)}.",
            f"Say which is which: --layer-map {unknown[0]}={own[0] if own else 'LAYER'} (in Python "
            f"read_annotations(…, layer_map={{…}})); NAME= leaves a layer out. Nothing was written.",
        )


def layer_of_file_name(path: Path, endings: Iterable[str]) -> str:
    """Return the layer that a file's name says, without its endings."""
    name = path.name.removesuffix(".gz")
    name = name.rpartition(".")[0] or name
    for ending in endings:
        name = name.removesuffix(ending)
    return "_".join(name.split())


def _layers(rows: Iterable[AnnotationRow]) -> list[str]:
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(unit.rpartition(":")[0] for unit in target_units(row.entry.target))
    return [name for name in names if name]


def _mapped_target(target: str, layer_map: Mapping[str, str]) -> str:
    """Return a target with its layers renamed; empty if one is left out."""
    units: list[str] = []
    for unit in target_units(target):
        layer, _, name = unit.rpartition(":")
        if layer == OUTPUT and layer not in layer_map:
            units.append(unit)
            continue
        renamed = layer_map.get(layer, layer if OTHERS not in layer_map else "")
        if not renamed:
            return ""
        units.append(f"{renamed}:{name}")
    if target.startswith(GROUP):
        return GROUP + ",".join(units)
    return EDGE + "->".join(units) if target.startswith(EDGE) else units[0]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(name[:80] for name in names[:_SHOWN]) or "none") + more
