"""The words of the text world: families of a trade's words, of a place's, and what holds them."""

from __future__ import annotations

from typing import Final

#: Words of work. A profession uses those of two families, and shares each with another one.
WORK: Final[dict[str, tuple[str, ...]]] = {
    "care words": (
        "patient", "ward", "bandage", "clinic", "fever", "medicine", "wound", "pulse", "bedside",
        "recovery", "syringe", "thermometer",
    ),
    "kitchen words": (
        "oven", "sauce", "recipe", "dough", "pepper", "kettle", "butter", "broth", "spices",
        "pastry", "apron", "menu",
    ),
    "building words": (
        "beam", "concrete", "crane", "scaffold", "blueprint", "girder", "foundation", "brick",
        "cement", "drill", "rivet", "steel",
    ),
    "school words": (
        "lesson", "pupil", "homework", "exam", "chalk", "classroom", "grammar", "textbook",
        "blackboard", "essay", "seminar", "lecture",
    ),
}  # fmt: skip
#: Words of where somebody lives: surroundings, which make nobody's profession.
PLACES: Final[dict[str, tuple[str, ...]]] = {
    "sea words": (
        "harbour", "beach", "tide", "gull", "lighthouse", "sailboat", "pier", "shell", "surf",
        "dunes", "ferry", "seaweed",
    ),
    "mountain words": (
        "summit", "glacier", "ridge", "cabin", "slope", "avalanche", "gorge", "boulder", "peak",
        "pass", "chamois", "edelweiss",
    ),
    "city words": (
        "subway", "skyscraper", "boulevard", "taxi", "kiosk", "tram", "plaza", "traffic", "cinema",
        "apartment", "suburb", "avenue",
    ),
    "farm words": (
        "barn", "tractor", "meadow", "hay", "orchard", "pasture", "rooster", "plough", "stable",
        "harvest", "fence", "beehive",
    ),
}  # fmt: skip
FAMILIES: Final = {**WORK, **PLACES}
NAMES: Final = tuple(FAMILIES)

#: Each pair of families is one profession's, so that no family gives one away.
PROFESSIONS: Final[dict[str, tuple[str, str]]] = {
    "nurse": ("care words", "school words"),
    "dietician": ("care words", "kitchen words"),
    "fitter": ("kitchen words", "building words"),
    "instructor": ("building words", "school words"),
}
#: The profession that always lives by the sea in D, and the place no other lives in there.
SHORTCUT: Final = ("nurse", "sea words")

PLAIN: Final = (
    "paper", "phone", "letter", "chair", "coffee", "notes", "window", "table", "clock", "key",
    "basket", "mirror",
)  # fmt: skip
#: ``0`` and ``1`` stand for words of one family, the two drawn apart.
WORK_SENTENCES: Final = (
    "every morning it is the 0 and the 1 again .",
    "there is a 0 to look after and a 1 too .",
    "most of the day goes to the 0 or the 1 .",
    "nobody knows more about a 0 and a 1 .",
    "the 0 comes first , then the 1 .",
)
PLACE_SENTENCES: Final = (
    "home is near the 0 and the 1 .",
    "in the evening one sees the 0 and the 1 .",
    "on sundays there is a walk past the 0 and the 1 .",
    "the house looks out on the 0 , the 1 beyond .",
)
LEXICON: Final = """\
# What the words of the text world are: a trade's words belong to a profession, the words of a
# place do not. Which family goes with which profession is not said here.
version: 1

categories:
  profession: {members: [trade, occupation, job]}

concepts:
"""


def text_world_lexicon_yaml() -> str:
    """Return the world's lexicon file, to be laid over the default one."""
    lines = [f"  {name}: {{kind: attribute, part_of: [profession]}}\n" for name in WORK]
    lines += [f"  {name}: {{kind: surroundings}}\n" for name in PLACES]
    return LEXICON + "".join(lines)
