"""Questions about concepts, answered in the terminal: the picture in coloured half blocks."""

from __future__ import annotations

import getpass
import io
import uuid
from typing import TYPE_CHECKING

from PIL import Image
from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.cli.shell import say
from circuitz.disk.safe_text import escape_control_characters
from circuitz.labelling.concepts.concept_pack import NO, YES, concept_question_text

if TYPE_CHECKING:
    from circuitz.labelling.tasks.pack import Question, TaskPack
    from circuitz.store.judgement_store import JudgementStore

KEYS = {"y": YES, "n": NO, "?": CANNOT_TELL, "x": DISCARDED}
WIDEST = 64
_HALF = "▀"


def ask_questions_in_terminal(pack: TaskPack, store: JudgementStore, rater: str = "") -> int:
    """Ask picture after picture until nothing is left or the rater stops; returns how many.

    Every answer is kept at once, so that stopping, by whatever key, loses nothing.
    """
    from circuitz.labelling.tasks.session import Session

    session = Session(pack, store, rater or getpass.getuser())
    say.print(
        f"You are {escape_control_characters(session.rater)}. y yes, n no, ? cannot tell, x not usable, "
        "u take the last back, q stop. Enter after each.",
        markup=False, highlight=False,
    )  # fmt: skip
    given: list[str] = []
    try:
        while True:
            chosen, left = session.next_questions(n=1)
            if not chosen:
                say.print("Nothing is left to ask. Thank you.")
                break
            say.print(f"[dim]{left.answered} answered, {left.left} left[/]")
            key = _show_picture_and_read_key(chosen[0], pack)
            if key == "q":
                break
            if key == "u":
                if given:
                    session.withdraw(given.pop())
                else:
                    say.print("Nothing to take back.")
                continue
            session.answer(chosen[0].id, KEYS[key], uuid.uuid4().hex)
            given.append(chosen[0].id)
    except (EOFError, KeyboardInterrupt):
        say.print("Stopped; what you answered is kept.")
    finally:
        session.release_held_questions()
    return len(given)


def _show_picture_and_read_key(question: Question, pack: TaskPack) -> str:
    """Show a picture and wait for a key that means something."""
    say.print(
        picture_as_half_blocks(bytes(pack.pictures[question.picture]), min(WIDEST, say.width))
    )
    while True:
        said = (
            say.input(
                f"{escape_control_characters(concept_question_text(question.word))} ", markup=False
            )
            .strip()
            .lower()[:1]
        )
        if said in KEYS or said in ("u", "q"):
            return said
        say.print("y, n, ?, x, u or q.")


def picture_as_half_blocks(png: bytes, width: int) -> Segments:
    """Draw a picture with half blocks, two rows of pixels in each row of text."""
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")
    width = max(2, min(width, image.width))
    height = max(2, 2 * round(width * image.height / image.width / 2))
    image = image.resize((width, height), Image.Resampling.BOX)
    pixels = image.tobytes()

    def pixel_colour(x: int, y: int) -> Color:
        at = 3 * (y * width + x)
        return Color.from_rgb(*pixels[at : at + 3])

    found: list[Segment] = []
    for y in range(0, height, 2):
        found += [
            Segment(_HALF, Style(color=pixel_colour(x, y), bgcolor=pixel_colour(x, y + 1)))
            for x in range(width)
        ]
        found.append(Segment.line())
    return Segments(found)
