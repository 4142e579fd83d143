"""The husky story as one page that opens anywhere: no script, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from circuitz.demo.chapters.caught import caught
from circuitz.demo.chapters.chapter_parts import everywhere, hero, home, tie, world
from circuitz.demo.chapters.exported import exported
from circuitz.demo.chapters.labelled import labelled
from circuitz.demo.chapters.made_of import made_of
from circuitz.demo.chapters.repaired import repaired
from circuitz.demo.scale_figures import SHARES, counted, percent
from circuitz.disk.atomic import staged, write_error

if TYPE_CHECKING:
    from circuitz.demo.husky_story import Story

TEMPLATE = "report.html.j2"


def write_report(story: Story, path: str | Path) -> Path:
    """Write the story as one self-contained HTML page.

    Parameters
    ----------
    story
        What :func:`circuitz.demo.husky_story.run` returned.
    path
        File to write; its folder is made when missing. What was there is replaced as a whole.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    BundleWriteError
        If it cannot be written; what was there is untouched.
    """
    return write_page(page(story), path)


def write_page(text: str, path: str | Path) -> Path:
    """Write a page, or leave what was there untouched.

    Raises
    ------
    BundleWriteError
        If it cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged(target, text.encode()):
            pass
    except OSError as error:
        raise write_error(target, error) from error
    return target


def page(story: Story) -> str:
    """Return the page as text. Whatever comes from the story is escaped."""
    return environment().get_template(TEMPLATE).render(**_context(story))


def environment() -> Environment:
    """Return where pages are made: templates of this folder, everything escaped."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["percent"] = percent
    found.filters["listed"] = _listed
    found.filters["a"] = _article
    found.filters["many"] = _many
    return found


def _context(story: Story) -> dict[str, Any]:
    repair = repaired(story)
    return {
        "hero": hero(story),
        "world": world(story),
        "tie": tie(story),
        "everywhere": everywhere(story),
        "subject": story.husky.subject or "thing",
        "classes": list(story.shifted.truth.classes),
        "follows": float(story.summary.get("track", 1.0)),
        "shares": SHARES,
        "counted": counted,
        "caught": caught(story),
        "repaired": repair,
        "opening": _opening(repair["dogs"], home(story)),
        "exported": exported(story),
        "labelled": labelled(story),
        "made_of": made_of(story),
    }


def _opening(dogs: dict[str, Any], home: str) -> dict[str, Any] | None:
    """Return one dog where it usually is and elsewhere, to open with.

    The first that shows the story is taken, and the page says that it was; how often it is so is
    what the figures are for.
    """
    pairs = [
        (next(d for d in row if d["ground"] == home), other)
        for row in dogs["rows"]
        for other in row
        if other["ground"] != home
    ]
    if not pairs:
        return None

    def shown(pair: tuple[Any, Any]) -> tuple[bool, bool, bool]:
        at_home, away = pair
        return (not at_home["before"].right, away["before"].right, not away["after"].right)

    at_home, away = min(pairs, key=shown)
    return {"home": at_home, "away": away, "same": dogs["same"]}


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _many(noun: str) -> str:
    """Return the plural: ``huskies``, ``corgis``."""
    if noun[-1:] == "y" and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"
