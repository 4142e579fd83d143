"""What is done to units of a network while it runs, as a value that can be kept and replayed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from circuitz.errors import InterventionError

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

InterventionKind = Literal["zero", "mean", "resample", "patch", "clamp", "steer"]
_VALUED = ("clamp", "steer")


@dataclass(frozen=True)
class Intervention:
    """One thing done to some units of one layer, or to some directions of a basis over it.

    What directions put out are their coordinates: activations move along each by as much as its
    coordinate changes, and what the basis does not explain stays as it is.

    Parameters
    ----------
    layer
        Dotted module name, or the name of a basis over it: ``conv4@nmf``.
    units
        Indices along the layer's axis of units, or of directions.
    kind
        ``zero``: they put out nothing. ``mean``: at each position what they put out on average
        over the inputs. ``resample``: what they put out on another of the inputs, drawn by
        ``seed`` so that no input keeps its own. ``patch``: what they put out on the inputs
        ``donors``. ``clamp``: ``value``. ``steer``: what they put out plus ``value``.
    value
        Of ``clamp`` and ``steer``: one number a unit, or one for all.
    donors
        Of ``patch``: for each input the one that lends, or one for all: positions among the
        donor inputs where such are given, among the inputs otherwise. Empty: donor inputs are
        given, and lend row by row.
    positions
        Positions the intervention is confined to: tokens, or cells of a map counted row by row.
        Empty: everywhere.
    seed
        Of ``resample``.

    Raises
    ------
    InterventionError
        If the parts do not fit together.
    """

    layer: str
    units: tuple[int, ...]
    kind: InterventionKind = "zero"
    value: tuple[float, ...] = ()
    donors: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.layer, str) or not self.layer:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InterventionError("An intervention names no layer.", "Give its dotted name.")
        if self.kind not in get_args(InterventionKind):
            raise InterventionError(
                f"There is no intervention {self.kind!r}.",
                f"Use {', '.join(get_args(InterventionKind))}.",
            )
        for name in ("units", "donors", "positions"):
            object.__setattr__(self, name, _nonnegative_index_tuple(name, getattr(self, name)))
        object.__setattr__(self, "value", _finite_numbers(self.value))
        if not self.units or len(set(self.units)) != len(self.units):
            raise InterventionError(
                f"The units {self.units} are none, or named twice.", "Name each unit once."
            )
        self._check_parts()

    def _check_parts(self) -> None:
        if (self.kind in _VALUED) != bool(self.value):
            needs = "needs a value" if self.kind in _VALUED else "takes no value"
            raise InterventionError(f"{self.kind} {needs}.", "Only clamp and steer have one.")
        if self.value and len(self.value) not in (1, len(self.units)):
            raise InterventionError(
                f"{len(self.value)} values do not fit {len(self.units)} units.",
                "Give one a unit, or one for all.",
            )
        if self.donors and self.kind != "patch":
            raise InterventionError(f"{self.kind} takes no donors.", "Only patch has them.")

    @property
    def module(self) -> str:
        """Dotted name of the module."""
        return self.layer.partition("@")[0]

    @property
    def basis(self) -> str:
        """Name of the basis over it, where directions are meant; else empty."""
        return self.layer.partition("@")[2]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; what is at its default is left out."""
        plain = asdict(self)
        made = {f.name: plain[f.name] for f in fields(self) if plain[f.name] != f.default}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in made.items()}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Intervention:
        """Return the intervention that :meth:`to_json` wrote.

        Raises
        ------
        InterventionError
            If it is none.
        """
        if not isinstance(record, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InterventionError(
                f"{record!r} is no intervention.", "Give an object with a layer."
            )
        known = {f.name for f in fields(cls)}
        odd = sorted(str(k) for k in record if k not in known)
        if odd or not {"layer", "units"} <= set(record):
            raise InterventionError(
                f"An intervention has no {odd[0]!r}." if odd else "An intervention names no units.",
                f"It has {', '.join(f.name for f in fields(cls))}.",
            )
        return cls(**record)


def with_interventions(
    z: AnnotatedModel, name: str, interventions: Sequence[Intervention]
) -> AnnotatedModel:
    """Return z with a list of interventions kept under a name; its bundle holds them."""
    made = {**_interventions_in_notes(z), name: [i.to_json() for i in interventions]}
    return z.with_(notes={**z.notes, "interventions": made})


def interventions_of(z: AnnotatedModel, name: str) -> tuple[Intervention, ...]:
    """Return the interventions kept under a name, to be replayed.

    Raises
    ------
    InterventionError
        If there are none of that name, or they cannot be read.
    """
    found = _interventions_in_notes(z)
    if name not in found:
        raise InterventionError(
            f"{z.name} keeps no interventions {name!r}.", f"It keeps {sorted(found) or 'none'}."
        )
    listed = found[name]
    if not isinstance(listed, list):
        raise InterventionError(f"{name!r} is no list of interventions.", "The bundle is odd.")
    return tuple(Intervention.from_json(i) for i in listed)


def _interventions_in_notes(z: AnnotatedModel) -> dict[str, Any]:
    found = z.notes.get("interventions", {})
    return dict(found) if isinstance(found, Mapping) else {}


def _nonnegative_index_tuple(name: str, values: Any) -> tuple[int, ...]:
    listed: Any = values.tolist() if hasattr(values, "tolist") else values
    rows: list[Any] = list(listed) if isinstance(listed, list | tuple | range) else [listed]
    if any(isinstance(v, bool) or not hasattr(v, "__index__") or v < 0 for v in rows):
        raise InterventionError(
            f"{name} are {_describe_value(values)}, not whole numbers from 0.",
            "Give a list of indices.",
        )
    return tuple(int(v) for v in rows)


def _finite_numbers(value: Any) -> tuple[float, ...]:
    rows = value.tolist() if hasattr(value, "tolist") else value
    rows = [rows] if isinstance(rows, int | float) else rows
    if isinstance(rows, list | tuple) and any(isinstance(row, list | tuple) for row in rows):
        raise InterventionError(
            f"The value is {_describe_value(value)}, not one number a unit.",
            "Give one a unit, or one for all; to write something else at each position, patch.",
        )
    try:
        made = tuple(float(v) for v in rows)
    except (TypeError, ValueError):
        made = (math.nan,)
    if not all(map(math.isfinite, made)):
        raise InterventionError(
            f"The value {_describe_value(value)} is no finite number.", "Give numbers."
        )
    return made


def _describe_value(value: Any) -> str:
    """Return what somebody gave in a few words, however large it is."""
    shape = getattr(value, "shape", None)
    if shape is not None and len(shape):
        return f"an array of shape {tuple(shape)}"
    if isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple):
        return f"{len(value)} rows of {len(value[0])}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
