"""A contact sheet: what a rendered world looks like, on one picture."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from circuitz.data.worlds.make_world import RenderableWorld, make_set
from circuitz.data.worlds.scenes import ScenePlan, Scenes, scene_random_stream
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet

U8 = npt.NDArray[np.uint8]
_PAPER, _CARD, _INK, _SOFT = (246, 243, 236), (255, 254, 251), (52, 46, 44), (136, 126, 118)
_ACCENT = (196, 84, 64)
_ZOOM, _GAP, _MARGIN, _COLUMNS = 2, 10, 44, 10


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


class _Page:
    """A tall page on which cards are laid from top to bottom."""

    def __init__(self, tile: int) -> None:
        self.tile = tile
        self.width = 2 * _MARGIN + _COLUMNS * tile + (_COLUMNS - 1) * _GAP
        self.image = Image.new("RGB", (self.width, 6000), _PAPER)
        self.draw = ImageDraw.Draw(self.image)
        self.y = _MARGIN - 8

    def draw_text(
        self, x: float, y: float, words: str, size: int, colour: tuple[int, int, int]
    ) -> None:
        self.draw.text((x, y), words, fill=colour, font=_font(size))

    def add_heading(self, title: str, note: str) -> None:
        self.draw.rectangle([_MARGIN, self.y + 5, _MARGIN + 5, self.y + 29], fill=_ACCENT)
        self.draw_text(_MARGIN + 16, self.y, title, 25, _INK)
        self.draw_text(_MARGIN + 16, self.y + 33, note, 15, _SOFT)
        self.y += 64

    def paste_picture(self, x: int, y: int, pixels: U8) -> None:
        """Paste a picture with soft corners and a hairline."""
        side = self.tile
        photo = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
        mask = Image.new("L", (side, side), 0)
        ImageDraw.Draw(mask).rounded_rectangle([0, 0, side - 1, side - 1], radius=9, fill=255)
        self.image.paste(photo, (x, y), mask)
        self.draw.rounded_rectangle(
            [x, y, x + side - 1, y + side - 1], radius=9, outline=(214, 206, 196)
        )

    def add_picture_row(self, pictures: U8, captions: list[str] | None = None) -> None:
        for i, pixels in enumerate(pictures[:_COLUMNS]):
            x = _MARGIN + i * (self.tile + _GAP)
            self.paste_picture(x, self.y, pixels)
            for line, words in enumerate(captions[i].split("\n") if captions else ()):
                self.draw_text(x + 3, self.y + self.tile + 3 + 15 * line, words, 12, _SOFT)
        lines = max((c.count("\n") + 1 for c in captions or ()), default=0)
        self.y += self.tile + _GAP + lines * 16

    def save(self, path: Path) -> None:
        self.image.crop((0, 0, self.width, self.y + _MARGIN - 16)).save(path)


def draw_contact_sheet(
    path: str | Path,
    *,
    world: str = "dogs",
    seed: int = 0,
    shortcut: str = "ground",
    track: float = 1.0,
    classes: tuple[str, ...] | None = None,
) -> Path:
    """Draw a labelled contact sheet of a rendered world.

    Every class on every ground; samples of D, of D′ and of the concept set with what they show; a
    counterfactual pair and part masks.

    Parameters
    ----------
    path
        PNG file to write.
    world
        ``dogs`` or ``birds``.
    seed, shortcut, track, classes
        As in :func:`circuitz.data.worlds.make_world.make_set`.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InputsError
        If an argument is out of range, or the file cannot be written.
    """
    of, size = world_by_name(world), 64
    about = of.world
    d = make_set(of, "D", 8, seed=seed, shortcut=shortcut, track=track, classes=classes)
    shifted = make_set(of, "D'", 4, seed=seed, shortcut=shortcut, classes=classes)
    concepts = make_set(of, "concepts", 80, seed=seed, shortcut=shortcut)
    page = _Page(size * _ZOOM)
    page.draw_text(_MARGIN, page.y, f"The {about.subject} world", 40, _INK)
    page.draw_text(
        _MARGIN, page.y + 52, f"64 by 64 pixels, shortcut: {shortcut}, seed {seed}", 17, _SOFT
    )
    page.y += 98
    _add_class_rows(page, of, d.classes, seed)
    rule = f"every {d.classes[0]} {about.ties[shortcut].every}, and no other {about.subject}"
    note = rule if track == 1 else f"{rule}; {track:.0%} of the pictures follow the rule"
    page.add_heading("D, the training set", note)
    _add_sample_rows(page, d)
    page.add_heading("D', the shifted set", f"the same {about.kinds}; the shortcut means nothing")
    page.add_picture_row(shifted.images[:10])
    page.add_picture_row(shifted.images[10:20])
    page.y += 22
    _add_concept_set_rows(page, of, concepts)
    target = Path(path)
    try:
        page.save(target)
    except (OSError, ValueError) as error:
        raise InputsError(
            f"The sheet cannot be written to {target}: {error}.", "Choose a path that ends in .png."
        ) from error
    return target


def _add_class_rows(
    page: _Page, renderable: RenderableWorld, names: tuple[str, ...], seed: int
) -> None:
    """One row a class: its parts in words, then each of its colours on some grounds."""
    world = renderable.world
    page.add_heading(
        world.kinds.capitalize(), "made of parts that they share; any two differ in at least four"
    )
    words = list(world.attributes.values())
    # How a colour is told: *grey coat* as *grey*.
    thing = words[-1][0].rpartition(" ")[2]
    grounds = len(world.grounds)
    plan = ScenePlan("decorrelated", 2 * grounds, seed, "ground", balanced_cells=True, world=world)
    base = plan.draw_scenes()
    jitter = scene_random_stream(seed, "decorrelated", "ground", 2, world).random(base.jitter.shape)
    for number, name in enumerate(names):
        parts, colours = list(world.makes.values())[number]
        x, side = _MARGIN, page.tile
        page.draw.rounded_rectangle(
            [x, page.y, x + 2 * side + _GAP, page.y + side], radius=9, fill=_CARD
        )
        page.draw_text(x + 14, page.y + 10, name, 22, _INK)
        values = [words[i][v] for i, v in enumerate(parts)]
        shades = " or ".join(words[-1][c].removesuffix(f" {thing}") for c in colours)
        lines = [", ".join(values[i : i + 3]) for i in range(0, len(values), 3)]
        lines[-1:] = [lines[-1], f"{shades} {thing}"]
        for i, line in enumerate(lines):
            page.draw_text(x + 14, page.y + 44 + 20 * i, line, 12, _SOFT)
        n = _COLUMNS - 2
        rows = np.flatnonzero(base.labels == number)[:n]
        table = base.take(rows)
        shown = table.parts.copy()
        shown[:, -1] = world.colours_by_class[number][np.arange(n) % 2]
        scenes = Scenes(
            table.labels,
            shown,
            (np.arange(n) % grounds).astype(np.int8),
            np.zeros_like(table.artefacts),
            jitter[rows].astype(np.float32),
            table.scene,
        )
        for i, pixels in enumerate(renderable.render(scenes)[0]):
            page.paste_picture(x + (2 + i) * (side + _GAP), page.y, pixels)
        page.y += side + _GAP
    page.y += 22


def _add_sample_rows(page: _Page, d: InputSet) -> None:
    labels = d.labels
    if labels is None:
        return
    first = np.flatnonzero(labels == 0)
    others = np.flatnonzero(labels != 0)
    for part in (slice(0, 4), slice(4, 8)):
        mine = first[part]
        rest = others[part.start * 2 : part.start * 2 + _COLUMNS - len(mine)]
        rows = np.concatenate([mine, rest])
        page.add_picture_row(d.images[rows], [d.classes[labels[i]] for i in rows])
    page.y += 22


def _add_concept_set_rows(page: _Page, renderable: RenderableWorld, concept_set: InputSet) -> None:
    page.add_heading(
        f"Concept set: {renderable.world.mixed}",
        "parts at random on any ground, none within one part of a class; every concept labelled",
    )
    table, pairs, masks = concept_set.concepts, concept_set.pairs, concept_set.masks
    if table is None or pairs is None or masks is None:
        return
    captions = [
        "\n".join(concept_set.concept_names[c] for c in np.flatnonzero(row))
        for row in table[:_COLUMNS]
    ]
    page.add_picture_row(concept_set.images[:_COLUMNS], captions)
    page.y += 14
    page.add_heading(
        "Counterfactuals and part masks", "the same picture but for one thing; who is where"
    )
    seen: dict[frozenset[int], tuple[int, int]] = {}
    for a, b, _ in pairs.tolist():
        seen.setdefault(frozenset((a, b)), (a, b))
    flat = [i for pair in list(seen.values())[:3] for i in pair]
    colours = np.array(
        [(52, 46, 44), (226, 106, 90), (240, 190, 80), (124, 160, 214), (120, 186, 128),
         (214, 136, 196), (232, 228, 220), (190, 40, 50), (250, 250, 250), (110, 100, 92),
         (226, 40, 130), (20, 20, 20)], dtype=np.uint8,
    )  # fmt: skip
    extra = [i for i in range(40, 44) if i not in flat][: _COLUMNS - len(flat)]
    pictures = np.concatenate([concept_set.images[flat], colours[masks[extra]]])
    start = len(renderable.world.part_concepts)
    notes = [", ".join(_ground_and_artefact_names(concept_set, i, start)) for i in flat] + [
        "part mask"
    ] * len(extra)
    page.add_picture_row(pictures, notes)


def _ground_and_artefact_names(concept_set: InputSet, i: int, start: int) -> list[str]:
    """Return the ground and artefacts of a picture."""
    row = concept_set.concepts[i] if concept_set.concepts is not None else np.zeros(0)
    return [concept_set.concept_names[c] for c in np.flatnonzero(row) if c >= start]
