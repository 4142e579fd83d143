"""Where an attention head looks: from every position to every other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from circuitz.errors import LayerError
from circuitz.models.run.open_runtime import runtime
from circuitz.responses.token_responses import HEADS, attention_pattern_hook_name, has_head_units
from circuitz.z.targets import canonical_target
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def attention(
    z: AnnotatedModel, unit: str | Unit, tokens: npt.NDArray[np.integer]
) -> npt.NDArray[np.float32]:
    """Return the attention pattern of a head.

    Parameters
    ----------
    z
        Annotated transformer with its network.
    unit
        A head, ``blocks.1.attn.hook_z:3``.
    tokens
        ``(n, t)`` token sequences.

    Returns
    -------
    ``(n, t, t)`` float32: how much each position (row) attends to each (column); rows sum to one
    and nothing looks ahead.

    Raises
    ------
    UnitError
        If there is no such unit.
    LayerError
        If it is no attention head.
    """
    head = Unit.parse(canonical_target(unit, z.layers, z.classes))
    spec = next((s for s in z.layers if s.name == head.layer), None)
    if spec is None or not has_head_units(spec):
        raise LayerError(
            f"{head} is no attention head.", f"Heads are units of a layer named ...{HEADS}."
        )
    run = runtime(z)
    hook = attention_pattern_hook_name(spec)
    acts, _ = run.run(run.prepare(np.asarray(tokens)), (hook,))
    return acts[hook][:, head.index].float().cpu().numpy()
