"""What raters are told to do, and what they are asked, by the kind of question."""

from __future__ import annotations

_COMPARE = """Say which of two descriptions is more plausible.

Each column says what a computer model goes by to tell the classes apart, and how strongly. A model \
may be right for a wrong reason. You know what such things look like: what makes one a kind of its \
own, and what has nothing to do with it.

Where the two differ is marked. If a sign should not count, or counts the wrong way, click it: that \
is your reason. You may write a few words as well.

Say both implausible if neither should be believed. Say about equal if it makes no difference. If \
you do not know the subject, say that you cannot tell."""

_HIDDEN = """Say which class it is, without seeing the picture.

You see how active each sign of the card is: as usual, more than usual, or less, and where in the \
picture. Take the words for what they say. Find the class whose signs fit best: signs for it that \
are there, signs against it that are not.

If two classes fit equally well, say that you cannot tell. Guessing helps nobody.

Take your time. Every answer can be changed later."""

_HYPOTHESIS = """Say what these pictures have in common.

Choose every word that fits, or write your own, several with a semicolon between them. Say what is \
to be seen, as you would tell somebody on the telephone. What you do not see you need not name.

If you see nothing that they share, say that you cannot tell."""

_SHOWN = """Say which class each picture shows.

You need not know the classes. The card says what speaks for each of them and against it. Look at \
the picture first, then find the class whose signs you see.

The marks on the picture show where the model sees a sign. The model may be wrong: what you see \
counts.

If two classes fit equally well, or the signs are hidden, say that you cannot tell. Guessing helps \
nobody. If the picture is broken or shows nothing of the kind, say that it is not usable.

Take your time. Every answer can be changed later."""


def guidelines_of_kind(kind: str, arm: str = "") -> str:
    """Return what raters are told to do."""
    if kind == "label":
        return _HIDDEN if arm == "hidden" else _SHOWN
    return {"compare": _COMPARE, "hypothesis": _HYPOTHESIS}[kind]


def title_of_kind(kind: str, arm: str = "", subject: str = "") -> str:
    """Return the question over all of them, as raters read it."""
    if kind == "label":
        unseen = ", unseen" if arm == "hidden" else ""
        return f"Which kind of {subject} is it{unseen}?" if subject else f"What is it{unseen}?"
    return {
        "compare": "Which description is more plausible?",
        "hypothesis": "What do these pictures have in common?",
    }[kind]


def question_about_target(target: str) -> str:
    """Return the question of one hypothesis."""
    place, _, name = target.partition(":")
    if place == "output":
        return f"What does {name} look like?"
    return "What does this part of the model see?"
