"""Task packs that ask whether pictures show a concept. Nothing is run: pictures are z's own."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.cards.card import Card, ClassEntry
from circuitz.disk.safe_text import MAX_NAME, strip_and_check_text
from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_questions import (
    PictureToAsk,
    choose_pictures_to_ask,
    require_askable_concept_set,
)
from circuitz.labelling.tasks.pack import Question, TaskPack, opaque_question_id
from circuitz.lexicon.column_synonyms import people_call_same
from circuitz.lexicon.word_forms import phrase_key
from circuitz.store.asking import NO, YES
from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.pixel_hashes import pixel_hash
from circuitz.z.targets import EDGE, GROUP
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.lexicon.lexicon import Lexicon
    from circuitz.z.model import AnnotatedModel

Progress = Callable[[str, int, int], None]
QUESTIONS = 240
LONGEST_WORD = 60
MOST_UNITS = 6
#: Small pictures are shown larger: nobody sees a tail in 32 pixels on a modern screen.
SHOWN = 256
GUIDELINES = """Say whether each picture shows what is asked for.

Say yes when you see it, wherever it is and however small. Say no when you do not.

If it is hidden, or the word could mean two things here, say that you cannot tell. If the picture \
is broken, say that it is not usable.

There is no right number of yes and no. Take your time. Every answer can be changed later."""


def make_concept_pack(
    z: AnnotatedModel,
    words: Sequence[str],
    *,
    lexicon: Lexicon,
    units: Sequence[str] = (),
    n: int = QUESTIONS,
    overlap: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> TaskPack:
    """Choose pictures of z's concept set and ask whether they show each word.

    Parameters
    ----------
    z
        A model with a concept set; measured ones are asked about more cleverly.
    words
        Concepts; each is asked about, and gets a column, as it is written.
    units
        Units said to mean the words; by default those annotated with each.
    n
        Pictures a word.
    overlap
        How many raters answer each question.
    seed
        Seed of choice and order.

    Raises
    ------
    LabellingError
        If there is nothing to ask about, or a word cannot be one.
    """
    names = list(dict.fromkeys(concept_column_name(word) for word in words))
    if not names:
        raise LabellingError(
            "No word was given.", "Name what to ask about: circuitz concepts ask Z snow."
        )
    known = {name: labelled_pictures_mask(z, name, lexicon) for name in names}
    done = [name for name in names if known[name].all()]
    if done:
        raise LabellingError(
            f"Every picture is labelled with ‘{done[0]}’ already.", "Ask about another word."
        )
    asked = {
        name: choose_pictures_to_ask(
            z, units or first_units_naming_concept(z, name, lexicon), known[name], n, seed=seed + i
        )
        for i, name in enumerate(names)
    }
    return assemble_pack_of_chosen_pictures(z, asked, overlap=overlap, seed=seed, progress=progress)


def assemble_pack_of_chosen_pictures(
    z: AnnotatedModel,
    pictures_by_word: Mapping[str, Sequence[PictureToAsk]],
    *,
    overlap: int = 1,
    seed: int = 0,
    facts: Mapping[str, Mapping[int, Mapping[str, Any]]] | None = None,
    progress: Progress | None = None,
) -> TaskPack:
    """Put chosen pictures into a pack, word after word.

    Parameters
    ----------
    pictures_by_word
        Pictures by word, in the order they are asked.
    facts
        More to remember of a picture, by word and row.
    """
    shown = require_askable_concept_set(z)
    rows = sorted({ask.row for asks in pictures_by_word.values() for ask in asks})
    item = {row: pixel_hash(shown.images[row]) for row in rows}
    pictures: dict[str, bytes] = {}
    for i, row in enumerate(rows):
        pictures[f"pictures/{item[row][:24]}.png"] = enlarged_png(shown.images[row])
        if progress is not None:
            progress("copy pictures", i + 1, len(rows))
    questions: list[Question] = []
    plan: dict[str, Any] = {}
    for word, asks in pictures_by_word.items():
        seen: set[str] = set()
        for ask in asks:
            one = item[ask.row]
            if one in seen:  # two copies of one picture are one question
                continue
            seen.add(one)
            ident = opaque_question_id(seed, one, "ask", word)
            questions.append(Question(ident, one, "ask", "", f"pictures/{one[:24]}.png", word=word))
            more = dict((facts or {}).get(word, {}).get(ask.row, {}))
            plan[ident] = {"row": ask.row, "why": ask.why, **more}
    return pack_about_words(z, questions, pictures, plan, overlap=overlap, seed=seed)


def pack_about_words(
    z: AnnotatedModel,
    questions: Sequence[Question],
    pictures: Mapping[str, bytes],
    plan: Mapping[str, Any],
    *,
    overlap: int,
    seed: int,
    gold: Mapping[str, str] | None = None,
) -> TaskPack:
    """Return the pack of questions whether pictures show words, answered with yes or no."""
    return TaskPack(
        name="What do these pictures show?",
        card=Card((ClassEntry(YES, ()), ClassEntry(NO, ())), z_hash=z.hash),
        questions=tuple(questions),
        seed=seed,
        overlap=overlap,
        guidelines=GUIDELINES,
        gold=gold or {},
        pictures=pictures,
        plan=plan,
    )


def concept_question_text(word: str) -> str:
    """Return the question as raters read it."""
    return f"Does this picture show ‘{word}’?"


def concept_column_name(word: str) -> str:
    """Return the name of a word's column: the word as it is, without odd blanks.

    Raises
    ------
    LabellingError
        If it is empty, too long or holds control characters.
    """
    # A word keeps its spelling: columns are looked up by it.
    clean = strip_and_check_text(word, what="concept", limit=MAX_NAME) if word.strip() else ""
    clean = " ".join(clean.split())
    if not clean or len(clean) > LONGEST_WORD or clean in (YES, NO):
        raise LabellingError(
            f"{word[:80]!r} cannot be asked about.", f"Give one to {LONGEST_WORD} characters."
        )
    return clean


def concept_column_index(z: AnnotatedModel, name: str, lexicon: Lexicon) -> int:
    """Column of the concept set that bears a name; -1 where there is none.

    A synonym's column is another one, unless a person says that both are one concept.
    """
    names = z.concept_set.concept_names if z.concept_set is not None else ()
    if name in names:
        return names.index(name)
    key = phrase_key(name)
    same = (i for i, own in enumerate(names) if key and phrase_key(own) == key)
    people = (i for i, own in enumerate(names) if people_call_same(own, name, lexicon))
    return next(same, next(people, -1))


def labelled_pictures_mask(z: AnnotatedModel, name: str, lexicon: Lexicon) -> npt.NDArray[np.bool_]:
    """``(n,)`` pictures of the concept set that are labelled with a word already."""
    concept_set = require_askable_concept_set(z)
    column = concept_column_index(z, name, lexicon)
    if column < 0 or concept_set.concepts is None:
        return np.zeros(len(concept_set), bool)
    return ~np.isnan(concept_set.concepts[:, column])


def first_units_naming_concept(z: AnnotatedModel, name: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Measured units whose words name a concept, those of the cut first, a few at most."""
    measured = z.measurements
    if measured is None:
        return ()

    columns = columns_of_concept_set(z.concept_set, lexicon)
    wanted = {name, lexicon.resolve(name)} - {""}

    def names_concept(concepts: Sequence[str], text: str) -> bool:
        read = wanted.intersection(columns.read(text, concepts).names)
        return bool(read) or name.casefold() == text.strip().casefold()

    found = [
        target
        for target, said in z.effective().items()
        if not target.startswith((EDGE, f"{OUTPUT}:", GROUP))
        and target.rpartition(":")[0] in measured.layers
        and names_concept(said.concepts, said.text)
    ]
    return tuple(sorted(found, key=lambda t: t.rpartition(":")[0] not in z.cut)[:MOST_UNITS])


def enlarged_png(pixels: npt.NDArray[Any]) -> bytes:
    """Return a picture as PNG; small ones with every pixel drawn as a square."""
    values = np.ascontiguousarray(pixels, dtype=np.uint8)
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values[..., :3])
    times = SHOWN // max(image.size)
    if times > 1:
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
