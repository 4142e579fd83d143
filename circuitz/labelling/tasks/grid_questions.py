"""Which pictures come next where a word is asked about: word after word, for whole pages of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from circuitz.disk.hashing import json_hash
from circuitz.labelling.tasks.next_question import upcoming_questions
from circuitz.labelling.tasks.pack import Question, TaskPack
from circuitz.store.answered_slots import name_in_seat
from circuitz.store.leases import TaskSnapshot

#: Pictures on a page of the grid.
LEAST_ON_PAGE, MOST_ON_PAGE = 12, 40
#: The page that is looked at, and the next one.
MOST_HELD_IN_GRID = 2 * MOST_ON_PAGE


def upcoming_grid_questions(
    pack: TaskPack, board: TaskSnapshot, rater: str, held: Collection[str], n: int
) -> list[Question]:
    """Choose the next questions of a rater, all of one word before any of the next.

    Within a word it is :func:`~circuitz.labelling.tasks.next_question.upcoming_questions` that
    chooses, so that gold pictures come as often; what is chosen at once is shuffled, so that no
    place on a page tells which they are.

    Parameters
    ----------
    board
        What stands now.
    rater
        Whose turn it is: their seat, which is a person's name.
    held
        Questions on the rater's screen already.
    n
        How many to choose.
    """
    found: list[Question] = []
    for word in _words_in_turn(pack, held):
        room = n - len(found)
        if room < 1:
            break
        about = _pack_about_word(pack, word)
        chosen = upcoming_questions(about, board, rater, held, room)
        now = [q for q in chosen if q.id not in board.aside]
        found += _shuffled(now, pack.seed, name_in_seat(rater))
    # What was set aside comes after the other words, too.
    taken = {*held, *(q.id for q in found)}
    return found + upcoming_questions(pack, board, rater, taken, n - len(found))


def _words_in_turn(pack: TaskPack, held: Collection[str]) -> list[str]:
    """Return the words, first the one whose questions are on the screen."""
    last = [pack.questions_by_id[h].word for h in held if h in pack.questions_by_id][-1:]
    return list(dict.fromkeys([*last, *pack.words]))


def _pack_about_word(pack: TaskPack, word: str) -> TaskPack:
    if len(pack.words) < 2:
        return pack
    questions = tuple(q for q in pack.questions if q.word == word)
    gold = {q.id: pack.gold[q.id] for q in questions if q.id in pack.gold}
    return replace(pack, questions=questions, gold=gold)


def _shuffled(chosen: list[Question], seed: int, name: str) -> list[Question]:
    draw = int(json_hash([seed, name, sorted(q.id for q in chosen)])[:12], 16)
    order = np.random.default_rng(draw).permutation(len(chosen))
    return [chosen[int(i)] for i in order]
