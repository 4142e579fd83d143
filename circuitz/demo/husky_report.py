"""The husky story as one page that opens anywhere: no script, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from circuitz.demo.chapters.caught import caught_chapter_context
from circuitz.demo.chapters.chapter_parts import (
    phrase_for_all_cells,
    shortcut_in_words,
    story_shortcut_cell,
    story_shortcut_class,
    story_world,
)
from circuitz.demo.chapters.exported import exported_chapter_context
from circuitz.demo.chapters.labelled import labelled_chapter_context
from circuitz.demo.chapters.made_of import provenance_chapter_context
from circuitz.demo.chapters.repaired import repaired_chapter_context
from circuitz.demo.plotted_shares import SHARES, percent_as_text, share_with_interval
from circuitz.disk.atomic import bundle_write_error_from, staged_file_replacement

if TYPE_CHECKING:
    from circuitz.demo.husky_story import HuskyStory

TEMPLATE = "report.html.j2"


def write_husky_report(story: HuskyStory, path: str | Path) -> Path:
    """Write the story as one self-contained HTML page.

    Parameters
    ----------
    story
        What :func:`circuitz.demo.husky_story.run_husky_story` returned.
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
    return write_html_file(render_husky_page(story), path)


def write_html_file(text: str, path: str | Path) -> Path:
    """Write a page, or leave what was there untouched.

    Raises
    ------
    BundleWriteError
        If it cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged_file_replacement(target, text.encode()):
            pass
    except OSError as error:
        raise bundle_write_error_from(target, error) from error
    return target


def render_husky_page(story: HuskyStory) -> str:
    """Return the page as text. Whatever comes from the story is escaped."""
    return report_template_environment().get_template(TEMPLATE).render(**_template_context(story))


def report_template_environment() -> Environment:
    """Return where pages are made: templates of this folder, everything escaped."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["percent"] = percent_as_text
    found.filters["listed"] = _join_with_commas_and_and
    found.filters["a"] = _with_indefinite_article
    found.filters["many"] = _plural
    return found


def _template_context(story: HuskyStory) -> dict[str, Any]:
    repair = repaired_chapter_context(story)
    return {
        "hero": story_shortcut_class(story),
        "world": story_world(story),
        "tie": shortcut_in_words(story),
        "everywhere": phrase_for_all_cells(story),
        "subject": story.husky.subject or "thing",
        "classes": list(story.shifted.truth.classes),
        "follows": float(story.summary.get("track", 1.0)),
        "shares": SHARES,
        "counted": share_with_interval,
        "caught": caught_chapter_context(story),
        "repaired": repair,
        "opening": _choose_opening_dog_pair(repair["dogs"], story_shortcut_cell(story)),
        "exported": exported_chapter_context(story),
        "labelled": labelled_chapter_context(story),
        "made_of": provenance_chapter_context(story),
    }


def _choose_opening_dog_pair(dogs: dict[str, Any], home: str) -> dict[str, Any] | None:
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

    def rank_as_opening(pair: tuple[Any, Any]) -> tuple[bool, bool, bool]:
        at_home, away = pair
        return (not at_home["before"].right, away["before"].right, not away["after"].right)

    at_home, away = min(pairs, key=rank_as_opening)
    return {"home": at_home, "away": away, "same": dogs["same"]}


def _join_with_commas_and_and(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _plural(noun: str) -> str:
    """Return the plural: ``huskies``, ``corgis``."""
    if noun[-1:] == "y" and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def _with_indefinite_article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"
