"""What the notebook that is served to visitors shows: the studio, or why there is none."""

from __future__ import annotations

import os
from html import escape

from circuitz.errors import CircuitzError
from circuitz.widgets.studio.studio import Studio


class ErrorNotice:
    """An error of ours where a screen should be, in words.

    Parameters
    ----------
    error
        What went wrong.
    """

    def __init__(self, error: CircuitzError) -> None:
        self.error = error

    def __repr__(self) -> str:
        return str(self.error)

    def _repr_html_(self) -> str:
        """Escape everything: a message may quote what a bundle says."""
        return (
            '<section class="cz-problem" role="alert"><h1>This cannot be shown</h1>'
            f"<p>{escape(self.error.message)}</p><p>{escape(self.error.hint)}</p>"
            f"<p><code>{escape(self.error.code)}</code></p></section>"
        )


def studio_from_environment() -> Studio | ErrorNotice:
    """Return the screen of the z that ``CIRCUITZ_Z`` names, written by ``CIRCUITZ_AUTHOR``.

    With ``CIRCUITZ_READ_ONLY`` set, nothing can be written on it.
    """
    try:
        place = os.environ.get("CIRCUITZ_Z", "")
        if not place:
            raise CircuitzError("No z was named.", "circuitz serve Z names one.")
        return Studio(place, read_only=bool(os.environ.get("CIRCUITZ_READ_ONLY")))
    except CircuitzError as error:
        return ErrorNotice(error)
