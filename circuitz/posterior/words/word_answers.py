"""What raters answered about pictures and words: one answer a picture and word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from circuitz.cards.rater_answer import CANNOT_TELL, DISCARDED
from circuitz.disk.safe_text import one_spelling_of_name
from circuitz.store.asking import NO, YES, AskedQuestion
from circuitz.store.in_force import by_time_given
from circuitz.store.judgement import Judgement

_KIND = "concept: "


@dataclass(frozen=True)
class PictureAnswer:
    """What all raters together say of one picture and one word.

    Parameters
    ----------
    choice
        ``yes``, ``no`` or ``cannot tell``: what most of them said, ``cannot tell`` on a tie.
    raters
        Who they are.
    simulated
        Whether any of them is simulated.
    disputed
        Whether one said yes and another no.
    """

    choice: str
    raters: tuple[str, ...]
    simulated: bool
    disputed: bool


@dataclass(frozen=True, eq=False)
class AnswersAboutWords:
    """Answers by word and picture.

    Parameters
    ----------
    by_word
        By word (in one spelling) and content hash of the picture. A picture that at least half of
        its raters called not usable is not in it.
    unusable
        Pictures left out for that, by word.
    odd
        Answers that were none of those offered, and were left out.
    """

    by_word: Mapping[str, Mapping[str, PictureAnswer]]
    unusable: Mapping[str, frozenset[str]]
    odd: int = 0

    def about(self, word: str, picture: str) -> PictureAnswer | None:
        """Return what was said of a picture and a word, if anybody said anything."""
        return self.by_word.get(one_spelling_of_name(word), {}).get(picture)

    def is_unusable(self, word: str, picture: str) -> bool:
        """Whether raters called the picture not usable."""
        return picture in self.unusable.get(one_spelling_of_name(word), ())

    def has_answer(self, question: AskedQuestion) -> bool:
        """Whether somebody answered a question, or called its picture not usable."""
        (picture,) = question.items
        found = self.about(question.word, picture)
        return found is not None or self.is_unusable(question.word, picture)

    def remarks(self, pictures: Iterable[str] | None = None) -> list[str]:
        """Say what was odd about the answers.

        Parameters
        ----------
        pictures
            Those that were or may be asked about; answers about others are counted.
        """
        found: list[str] = []
        disputed = {
            word: sum(answer.disputed for answer in answers.values())
            for word, answers in self.by_word.items()
        }
        many = {word: n for word, n in disputed.items() if n}
        if many:
            words = ", ".join(f"‘{word}’ {n}" for word, n in sorted(many.items()))
            found.append(
                f"Raters disagree on pictures (the majority counts; a tie as wrong): {words}."
            )
        unusable = {word: len(some) for word, some in self.unusable.items() if some}
        if unusable:
            words = ", ".join(f"‘{word}’ {n}" for word, n in sorted(unusable.items()))
            found.append(f"Pictures called not usable are left out: {words}.")
        if self.odd:
            found.append(f"{self.odd} answers are none of those offered and are left out.")
        if pictures is not None:
            here = set(pictures)
            gone = sum(
                picture not in here for answers in self.by_word.values() for picture in answers
            )
            if gone:
                found.append(
                    f"{gone} answers are about pictures that are not in D, D′ or the concept set "
                    "as they are now; they are kept, and not used."
                )
        return found


def merge_answers_about_words(judgements: Iterable[Judgement]) -> AnswersAboutWords:
    """Merge answers of all raters and tasks, the newest of a rater to a picture and word.

    Parameters
    ----------
    judgements
        In force; those that are not about words are passed over, and so are pictures that were
        shown a second time.
    """
    given: dict[tuple[str, str], dict[tuple[str, str], str]] = defaultdict(dict)
    odd = 0
    for row in by_time_given(judgements):
        if not row.kind.startswith(_KIND) or row.answer is None or len(row.items) != 1:
            continue
        choice = str(row.answer.get("choice", ""))
        if choice not in (YES, NO, CANNOT_TELL, DISCARDED):
            odd += 1
            continue
        slot = (one_spelling_of_name(row.kind[len(_KIND) :]), row.items[0])
        given[slot][row.rater, row.rater_kind] = choice
    by_word: dict[str, dict[str, PictureAnswer]] = defaultdict(dict)
    unusable: dict[str, set[str]] = defaultdict(set)
    for (word, picture), by_rater in given.items():
        votes = Counter(by_rater.values())
        if votes[DISCARDED] * 2 >= sum(votes.values()):
            unusable[word].add(picture)
            continue
        by_word[word][picture] = PictureAnswer(
            _majority_choice(votes),
            tuple(sorted({name for name, _ in by_rater})),
            any(kind == "simulated" for _, kind in by_rater),
            votes[YES] > 0 and votes[NO] > 0,
        )
    return AnswersAboutWords(
        dict(by_word), {word: frozenset(some) for word, some in unusable.items()}, odd
    )


def _majority_choice(votes: Mapping[str, int]) -> str:
    ranked = sorted((YES, NO, CANNOT_TELL), key=lambda choice: -votes.get(choice, 0))
    first, second = ranked[:2]
    return CANNOT_TELL if votes.get(first, 0) == votes.get(second, 0) else first
