"""Whether something is an annotated model at all."""

from __future__ import annotations

from circuitz.errors import InputsError


def check_annotated_model(z: object) -> None:
    """Refuse what is no annotated model.

    Raises
    ------
    InputsError
        If so.
    """
    if not hasattr(z, "weights_hash"):
        raise InputsError(
            f"A {type(z).__name__} is no annotated model.", "Make one: z = cz.wrap(net, data)."
        )
