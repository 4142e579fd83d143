"""Plotly, which is imported when a figure is asked for and not before."""

from __future__ import annotations

import html
import sys
from typing import Any

from circuitz.errors import GraphError

# A module plotly reaches by way of nbformat: it compiles 39 grammars for seconds, for nothing.
_SLOW = "rfc3987_syntax"


def plain_for_plotly(text: str) -> str:
    """Return text that is shown as it is: plotly reads some HTML, whoever wrote it."""
    return html.escape(text, quote=False)


def import_plotly() -> Any:
    """Return ``plotly.graph_objects``.

    Raises
    ------
    GraphError
        If plotly is not installed.
    """
    guarded = _SLOW not in sys.modules
    if guarded:
        sys.modules[_SLOW] = None  # pyright: ignore
    try:
        import plotly.graph_objects as go  # noqa: PLC0415

        _ = go.Figure, go.Scatter, go.Layout  # they are loaded when first touched
        return go
    except ImportError as problem:
        raise GraphError("plotly is not installed.", "pip install 'circuitz[graph]'") from problem
    finally:
        if guarded:
            del sys.modules[_SLOW]
