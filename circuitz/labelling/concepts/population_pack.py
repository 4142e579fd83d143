"""Task packs that ask whether pictures of D or D′ show the words of a z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.errors import LabellingError
from circuitz.labelling.concepts.concept_pack import Progress, enlarged_png, pack_about_words
from circuitz.labelling.tasks.pack import Kind, Question, TaskPack, opaque_question_id
from circuitz.store.asking import NO, YES, AskedQuestion

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

#: Why a picture of such a pack was chosen: apart from others no label of the concept set is made of it.
WORD_TEST = "word-test"


def make_population_pack(
    z: AnnotatedModel,
    questions: Sequence[AskedQuestion],
    gold: Mapping[tuple[str, str], bool],
    *,
    overlap: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> TaskPack:
    """Put questions about pictures of D and D′ into a pack, word after word.

    Parameters
    ----------
    z
        The z that the questions arose from.
    questions
        Of kind ``shows``, as a plan of word tests gives them.
    gold
        By word and content hash: whether pictures whose answer is known show the word. They are
        mixed in.
    overlap
        How many raters answer each question.
    seed
        Seed of the order.

    Raises
    ------
    LabellingError
        If there is nothing to ask, or too much for a pack.
    """
    if not questions:
        raise LabellingError(
            "There is nothing to ask: every word is decided, or its units are active nowhere.",
            "circuitz words Z --store PLACE shows how they fare.",
        )
    by_word: dict[str, dict[str, AskedQuestion]] = {}
    for question in questions:
        by_word.setdefault(question.word, {}).setdefault(question.items[0], question)
    order = np.random.default_rng([seed, 41])
    pictures: dict[str, bytes] = {}
    made: list[Question] = []
    known: dict[str, str] = {}
    plan: dict[str, Any] = {}
    for done, (word, some) in enumerate(by_word.items(), 1):
        hashes = sorted(some)
        for k in order.permutation(len(hashes)):
            picture = hashes[int(k)]
            shown = some[picture].shown
            is_gold = (word, picture) in gold and some[picture].use == "gold"
            kind: Kind = "gold" if is_gold else "ask"
            identifier = opaque_question_id(seed, picture, kind, word)
            row = int(shown["row"])
            name = f"pictures/{picture[:24]}.png"
            # All are shown as the network sees them: sharper ones would tell which are hidden gold.
            if name not in pictures:
                pictures[name] = enlarged_png(shown["picture"])
            made.append(Question(identifier, picture, kind, "", name, word=word))
            plan[identifier] = {"row": row, "why": WORD_TEST, "population": shown["population"]}
            if is_gold:
                known[identifier] = YES if gold[word, picture] else NO
        if progress is not None:
            progress("copy pictures", done, len(by_word))
    return pack_about_words(z, made, pictures, plan, overlap=overlap, seed=seed, gold=known)


def populations_of_pack(pack: TaskPack) -> frozenset[str]:
    """Return the populations whose pictures a pack asks about; none where it is about labels."""
    return frozenset(
        str(facts["population"])
        for facts in pack.plan.values()
        if isinstance(facts, dict) and facts.get("why") == WORD_TEST and "population" in facts
    )
