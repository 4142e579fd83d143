"""The card in words and as a page: what a rater reads."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.tested_words import (
    NOT_TESTED_WHERE_USED,
    agreement_phrase,
    class_remarks,
    doubt_phrases,
    match_phrase,
    strength_phrase,
    tells_tests,
    untested_where_used,
)
from circuitz.plausibility.prose import format_share_with_interval

_NOTHING = "nothing is known about it yet"
_STYLE = """
.cz-card{font:14px/1.45 system-ui,sans-serif;color:CanvasText;max-width:60rem}
.cz-card h3{margin:1em 0 .2em;font-size:1.1em}
.cz-card h4{margin:.4em 0 .1em;font-size:.9em;font-weight:600;opacity:.75}
.cz-card ul{list-style:none;margin:0;padding:0}
.cz-card li{display:flex;align-items:center;gap:.6em;padding:.15em 0;flex-wrap:wrap}
.cz-card .cz-words{min-width:11em}
.cz-card .cz-grade{min-width:4em;opacity:.75}
.cz-card .cz-bar{width:8em;height:.6em;border:1px solid currentColor;border-radius:3px}
.cz-card .cz-bar span{display:block;height:100%;background:#2a78b8}
.cz-card .cz-against .cz-bar span{background:repeating-linear-gradient(45deg,#b8562a 0 4px,transparent 4px 7px)}
.cz-card img{width:40px;height:40px;border-radius:4px;image-rendering:auto}
.cz-card .cz-rest{opacity:.75;margin:.2em 0 0}
"""
# Cards of earlier versions tell no tests, and their page stays as it was.
_TESTS_STYLE = """
.cz-card .cz-fails{font-weight:600}
.cz-card .cz-fails::before{content:"\\2715\\00a0"}
.cz-card .cz-untested::before{content:"\\25cb\\00a0"}
.cz-card details{flex-basis:100%;opacity:.8;font-size:.9em}
.cz-card .cz-where-used{border-left:3px solid currentColor;padding-left:.6em}
"""


def card_markdown(card: Card) -> str:
    """Return the card as a field guide, one paragraph a class (Markdown).

    Below a class stands, cue by cue, where its words were found to hold. Words are written as they
    stand; characters with a meaning in Markdown are escaped.
    """
    kind = f" kinds of {escape_markdown(card.subject)}" if card.subject else " classes"
    head = f"# How to tell the{kind} apart\n\n"
    agreement = agreement_phrase(card.agreement)
    if agreement:
        head += f"{agreement}\n\n"
    if untested_where_used(card):
        head += f"Some of these words were *{NOT_TESTED_WHERE_USED}* (D′).\n\n"
    return head + "\n".join(f"{_class_paragraph_markdown(entry)}\n" for entry in card.classes)


def _class_paragraph_markdown(entry: ClassEntry) -> str:
    parts: list[str] = []
    for speaks_for, phrase in ((True, "speaks for it"), (False, "speaks against it")):
        cues = [c for c in entry.cues if c.speaks_for_class is speaks_for]
        if cues:
            parts.append(
                f"{phrase}: "
                + ", ".join(f"{escape_markdown(c.words)} ({_grade_and_failure(c)})" for c in cues)
            )
    if not parts:
        parts.append(_NOTHING)
    parts += [_unexplained_phrase(entry), *class_remarks(entry)]
    tested = [
        f"\n- {escape_markdown(c.words)}, {strength_phrase(c)}: "
        + "; ".join(map(match_phrase, c.matches)).replace(
            NOT_TESTED_WHERE_USED, f"*{NOT_TESTED_WHERE_USED}*"
        )
        for c in entry.cues
        if c.matches
    ]
    below = "\n" + "".join(tested) if tested else ""
    return f"**{escape_markdown(entry.name)}** — " + "; ".join(parts) + "." + below


def _grade_and_failure(cue: Cue) -> str:
    failed = [phrase for verdict, phrase in doubt_phrases(cue) if verdict == "fails"]
    return "; ".join((cue.strength_grade, *failed))


def escape_markdown(words: str) -> str:
    """Return words as one line with nothing in it that Markdown would read as markup."""
    one_line = " ".join(words.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>#|&" else c for c in one_line)


def _unexplained_phrase(entry: ClassEntry) -> str:
    if entry.unexplained is None:
        return "not explained: not measured"
    estimate, low, high = entry.unexplained
    return f"not explained: {format_share_with_interval(estimate, low, high)}"


def card_html(card: Card, pictures: Mapping[int, bytes]) -> str:
    """Return the card as one self-contained HTML section; every word is escaped.

    Parameters
    ----------
    pictures
        PNG bytes by index into the concept set.
    """
    kind = f"kinds of {escape(card.subject)}" if card.subject else "classes"
    body = "".join(_class_section_html(entry, pictures) for entry in card.classes)
    style = _STYLE + (_TESTS_STYLE if tells_tests(card) else "")
    agreement = agreement_phrase(card.agreement)
    remarks = f"<p>{escape(agreement)}</p>" if agreement else ""
    if untested_where_used(card):
        remarks += f'<p class="cz-where-used">Some of these words were <b>{NOT_TESTED_WHERE_USED}</b> (D′).</p>'
    return (
        f'<section class="cz-card" data-card="{escape(card.hash)}"><style>{style}</style>'
        f"<h2>How to tell the {kind} apart</h2>{remarks}{body}</section>"
    )


def _class_section_html(entry: ClassEntry, pictures: Mapping[int, bytes]) -> str:
    parts = [f"<h3>{escape(entry.name)}</h3>"]
    for speaks_for, phrase, style in (
        (True, "speaks for it", "cz-for"),
        (False, "speaks against it", "cz-against"),
    ):
        cues = [c for c in entry.cues if c.speaks_for_class is speaks_for]
        if cues:
            items = "".join(_cue_item_html(c, pictures) for c in cues)
            parts.append(f'<h4>{phrase}</h4><ul class="{style}">{items}</ul>')
    if not entry.cues:
        parts.append(f"<p>{_NOTHING}</p>")
    rest = "; ".join((_unexplained_phrase(entry), *class_remarks(entry)))
    parts.append(f'<p class="cz-rest">{escape(rest)}</p>')
    return "".join(parts)


def _cue_item_html(cue: Cue, pictures: Mapping[int, bytes]) -> str:
    width = round(100 * min(abs(cue.strength), 1.0))
    indices = dict.fromkeys(i for e in cue.exemplars for i in e.indices)
    shown = "".join(
        f'<img alt="an input that shows it" src="data:image/png;base64,'
        f'{base64.b64encode(pictures[i]).decode()}">'
        for i in indices
        if i in pictures
    )
    return (
        f'<li title="{escape(", ".join(cue.units))}"><span class="cz-words">{escape(cue.words)}'
        f'</span><span class="cz-grade">{cue.strength_grade}</span>'
        f'<span class="cz-bar"><span style="width:{width}%"></span></span>{shown}'
        f"{_tests_html(cue)}</li>"
    )


def _tests_html(cue: Cue) -> str:
    """Return what is doubtful about a cue's words, and where they were tested."""
    if not cue.matches:
        return ""
    doubts = "".join(
        f'<span class="cz-{verdict}">{escape(phrase)}</span>'
        for verdict, phrase in doubt_phrases(cue)
    )
    told = "; ".join(map(match_phrase, cue.matches))
    return (
        f"{doubts}<details><summary>Where the words hold</summary>"
        f"{escape(strength_phrase(cue))}; {escape(told)}</details>"
    )


def exemplar_thumbnails(
    card: Card, images: npt.NDArray[Any], *, size: int = 48
) -> dict[int, bytes]:
    """Make PNG thumbnails of the card's exemplars.

    Parameters
    ----------
    images
        ``(n, height, width, channels)`` uint8, the concept set.
    size
        Longest side in pixels.

    Returns
    -------
    dict of int to bytes
        PNG by index; exemplars that are not in ``images`` are left out.
    """
    wanted = {i for e in card.classes for c in e.cues for x in c.exemplars for i in x.indices}
    return {i: _thumbnail_png(images[i], size) for i in sorted(wanted) if 0 <= i < len(images)}


def _thumbnail_png(pixels: npt.NDArray[Any], size: int) -> bytes:
    plain = np.ascontiguousarray(pixels, dtype=np.uint8)
    if plain.ndim == 3 and plain.shape[2] == 1:
        plain = plain[..., 0]
    picture = Image.fromarray(plain)
    picture.thumbnail((size, size))
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()
