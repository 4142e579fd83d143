"""The directions of a layer as a place where units are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from circuitz.errors import UnitError
from circuitz.models.run.basis import Basis, check_basis_fits
from circuitz.models.run.unit_space import UnitSpace
from circuitz.z.bases import basis_parts, basis_place, basis_sizes
from circuitz.z.layer import LayerSpec

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def resolve_unit_space(z: AnnotatedModel, name: str) -> UnitSpace:
    """Return a layer of z, or a basis over one (``conv4@nmf``), as a place.

    Raises
    ------
    UnitError
        If z has neither.
    BasisError
        If the basis does not fit its layer.
    """
    layer, _, basis_name = name.partition("@")
    spec = next((s for s in z.layers if s.name == layer), None)
    sizes = basis_sizes(z.bases)
    if spec is None or (basis_name and name not in sizes):
        known = [*(s.name for s in z.layers), *sizes]
        raise UnitError(f"The model has no {name[:80]!r}.", f"It has {', '.join(known)}.")
    if not basis_name:
        return UnitSpace.of_layer(spec)
    return basis_unit_space(spec, Basis.from_arrays(basis_parts(z.bases, name), name), basis_name)


def basis_unit_space(spec: LayerSpec, basis: Basis, name: str) -> UnitSpace:
    """Return the place of a basis over a layer.

    Raises
    ------
    BasisError
        If it does not fit.
    """
    check_basis_fits(basis, spec.size, spec.name)
    shape = list(spec.shape)
    if shape:
        shape[spec.unit_axis - 1] = len(basis)
    made = replace(spec, name=basis_place(spec.name, name), size=len(basis), shape=tuple(shape))
    return UnitSpace(made, spec, basis)
