"""Sorts of things, rougher than WordNet's kinds, and which sort may be part of which."""

from __future__ import annotations

from functools import lru_cache

from circuitz.lexicon.concept import Kind
from circuitz.lexicon.wordnet import Sense, WordNet

#: Share of the senses of a word that are too rare to be meant.
IMPLAUSIBLE = 0.3
#: Synsets whose kinds make a sort; the nearest above decides.
_ANCHORS = {
    "body fluid": ("body substance/b", "liquid body substance/b"),
    "animal": ("animal/T",),
    "person": ("person/T",),
    "plant part": ("plant part/P", "plant organ/P", "reproductive structure/P"),
    "fungus": ("fungus/P",),
    "produce": ("edible fruit/F", "vegetable/F", "produce/F", "fruit/P", "edible nut/F"),
    "plant": ("plant/T", "vascular plant/P"),
    "drink": ("beverage/F",),
    "food": ("food/T", "food/F", "foodstuff/F", "nutriment/F"),
    "vehicle": ("vehicle/A", "conveyance/A"),
    "building": ("building/A", "bridge/A", "tower/A"),
    "place": (
        "room/A", "area/A", "road/A", "path/A", "street/A", "facility/A", "establishment/A",
        "excavation/A", "housing/A", "pavement/A", "building complex/A", "land/o",
        "geological formation/o", "body of water/o", "location/T",
        "natural elevation/o", "forest/g", "vegetation/g", "crop/P", "region/l", "enclosure/A",
        "plot/l", "point/l",
    ),
    "side": ("extremity/l", "end/l", "side/l", "boundary/l", "surface/l", "side/A", "top/A"),
    "structure": ("structure/A",),
    "garment": ("clothing/A", "footwear/A", "shoe/A", "boot/A", "jewelry/A", "headdress/A", "garment/A"),
    "furniture": ("furniture/A", "furnishing/A"),
    "component": ("part/A", "component/A", "fitting/A", "fastener/A", "opening/A"),
    "fabric": ("fabric/A", "leather/u"),
    "light": ("light/y", "atmospheric phenomenon/y", "weather/y", "precipitation/y"),
    "sky": ("celestial body/o", "sky/o", "atmosphere/o"),
    "liquid": ("liquid/u", "fluid/u", "gas/u", "water/u"),
    "ground": ("soil/o", "soil/u", "earth/u", "sand/u", "rock/o", "snow/u", "ice/u"),
    "material": (
        "metal/u", "wood/u", "glass/u", "plastic/u", "stone/o", "alloy/u", "ceramic/A", "rubber/u",
        "porcelain/A", "brick/A", "marble/u",
    ),
    "coating": ("coating/A",),
    "substance": ("material/u", "substance/u"),
    "sign": ("communication/T", "symbol/C", "writing/C"),
    "colour": ("color/t",),
    "form": ("shape/T",),
    "attribute": ("attribute/T", "property/t"),
    "cloth": ("piece of cloth/A",),
    "fuel": ("fuel/u",),
    "sound": ("auditory communication/C", "music/C"),
    "people": ("social group/g", "people/g", "gathering/g"),
}  # fmt: skip
_BY_FILE = {
    "N": "animal", "p": "person", "P": "plant part", "F": "food", "b": "body part", "A": "thing",
    "o": "nature", "l": "place", "y": "light", "u": "substance", "s": "form", "t": "attribute",
    "C": "sign", "g": "group",
}  # fmt: skip
LIVING = frozenset({"animal", "person"})
MANUFACTURED = frozenset(
    {"building", "thing", "vehicle", "garment", "furniture", "structure", "component", "fabric"}
)
GROWN = frozenset({"plant", "fungus", "plant part", "produce"})
EATEN = frozenset({"food", "produce", "drink"})
_MADE = MANUFACTURED - {"component", "fabric"} | {"cloth"}
#: Orders of whole things, by sort.
ORDER_OF_SORT: dict[str, str] = {
    **dict.fromkeys(_MADE, "made"),
    **dict.fromkeys(GROWN - {"plant part"}, "grown"),
    **dict.fromkeys(EATEN - GROWN, "eaten"),
    "animal": "animal",
    "person": "person",
}
#: Kind that a sort is of where nothing says that it is part of the class.
KIND_OF: dict[str, Kind] = {
    "body part": "part", "plant part": "part", "component": "part", "side": "part", "colour": "attribute",
    "attribute": "attribute", "form": "attribute", "material": "attribute", "coating": "attribute", "fabric": "attribute",
    "thing": "artefact", "cloth": "artefact", "garment": "artefact", "sign": "artefact", "body fluid": "part",
}  # fmt: skip


@lru_cache(maxsize=1)
def _sort_by_anchor_synset(wordnet: WordNet) -> dict[int, str]:
    found: dict[int, str] = {}
    for sort, names in _ANCHORS.items():
        for name in names:
            word, _, file = name.partition("/")
            synset = wordnet.first_synset(word, file)
            if synset >= 0:
                found.setdefault(synset, sort)
    return found


@lru_cache(maxsize=1)
def _organism_synset(wordnet: WordNet) -> frozenset[int]:
    return frozenset({wordnet.first_synset("organism", "T")})


@lru_cache(maxsize=8192)
def sort_of_sense(synset: int, file: str, wordnet: WordNet) -> str:
    """Return the sort of a sense; *abstract* for what cannot be seen."""
    if synset >= 0:
        anchors = _sort_by_anchor_synset(wordnet)
        if file in "Nb" and not _organism_synset(wordnet) & set(
            wordnet.ancestors_with_steps(synset)
        ):
            fluid = any(
                anchors.get(s) == "body fluid" for s in wordnet.ancestors_with_steps(synset)
            )
            return "body fluid" if fluid else "body part"
        for at in wordnet.ancestors_with_steps(synset):  # nearest first
            if at in anchors:
                return anchors[at]
    return _BY_FILE.get(file, "abstract")


def order_of_sense(sense: Sense, wordnet: WordNet) -> str:
    """Return the order of whole things a sense is of: made, grown, … Empty for what is none."""
    return ORDER_OF_SORT.get(sort_of_sense(sense.synset, sense.file, wordnet), "")


def part_likelihood_by_sorts(part: str, whole: str) -> float:
    """How likely something of one sort is a part or attribute of something of another.

    First guesses, from the sorts alone: .5 is *cannot tell*.
    """
    if part in ("colour", "attribute"):
        return 0.7
    if whole == "place":
        return 0.1 if part in (*LIVING, "garment", "abstract", "sign") else 0.6
    if part == "body part":
        return 0.75 if whole in LIVING else 0.12
    if part == "body fluid":
        return 0.3 if whole in LIVING else 0.05
    if part == "plant part":
        return 0.75 if whole in GROWN else 0.05
    if part in ("material", "coating"):
        return 0.6 if whole in MANUFACTURED else 0.12
    if part == "substance":
        return 0.25 if whole in MANUFACTURED else 0.08
    if part == "fabric":
        return 0.5 if whole in MANUFACTURED else 0.08
    if part == "form":
        return 0.5
    if part == "side":
        return 0.4
    if part == "component":
        return 0.55 if whole in MANUFACTURED else 0.08
    if part in EATEN:
        return 0.35 if whole in EATEN else 0.06
    if part == "structure":
        return 0.45 if whole == "building" else 0.2 if whole in MANUFACTURED else 0.05
    if part in ("thing", "cloth"):
        return 0.2 if whole in MANUFACTURED else 0.06
    if part == "sign":
        return 0.2 if whole in MANUFACTURED else 0.06
    return 0.05
