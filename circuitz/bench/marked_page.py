"""A page of the docs whose figures stand between two marks; a benchmark writes them, people the rest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from circuitz.disk.atomic import staged_file_replacement
from circuitz.errors import BenchError

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def read_marked_page(path: Path) -> str:
    """Return the text of a page.

    Raises
    ------
    BenchError
        If the page is not there or lacks the marks.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if BEGIN not in text or END not in text:
        raise BenchError(
            f"{path} has no place for figures.", f"It needs the lines {BEGIN} and {END}."
        )
    return text


def put_between_marks(text: str, lines: Iterable[str]) -> str:
    """Return a page with these lines between its marks; what stands around them stays."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    body = "\n".join(lines).rstrip("\n")
    return f"{before}{BEGIN}\n\n{body}\n\n{END}{after}"


def write_marked_page(path: Path, lines: Iterable[str]) -> None:
    """Put lines between the marks of a page, all of them or nothing.

    Raises
    ------
    BenchError
        If the page is not there or lacks the marks.
    """
    with staged_file_replacement(path, put_between_marks(read_marked_page(path), lines).encode()):
        pass
