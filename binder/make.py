"""Make what a Binder link opens: python binder/make.py (needs torch, a minute).

Writes binder/shipped.tar.xz with husky.z, a small network that learned six breeds and saw every
husky on snow, and tasks, pictures of the shifted set for people to label. To stay under a megabyte
the sets are small and painted with few colours.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import circuitz as cz
from circuitz.data.worlds.dog_world import make_dogs
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.z.layer import Preprocessing

PLACE = Path(__file__).resolve().parent / "shipped.tar.xz"
COLOURS = 14
LIMIT = 1_000_000


def few_colours(images: np.ndarray) -> np.ndarray:
    """Paint each picture with few colours."""
    painted = [
        np.asarray(
            Image.fromarray(image).quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
        )
        for image in images
    ]
    return np.stack(painted)


def make_z(place: Path) -> None:
    """Train, measure, annotate by rule, and save."""
    torch.manual_seed(0)
    data = make_dogs("D", 160, seed=0)
    drawn = make_dogs("concepts", 420, seed=1)
    painted = few_colours(drawn.images)
    concepts = replace(drawn, images=painted, masks=None, mask_names=(), pairs=None)
    net = build("small-cnn", {"classes": len(data.classes), "widths": [12, 16, 24, 24]})
    how = Preprocessing()
    rows = np.flatnonzero(data.split == 0)
    fit(net, data.images[rows], data.labels[rows], how, Recipe(epochs=8, seed=0))
    z = cz.wrap(
        net,
        data,
        layers=["conv4"],
        classes=data.classes,
        preprocess=how,
        subject="dog",
        name="six breeds of dog",
    )
    z = cz.measure(z, concepts, data, pictures=False, images=90)
    z = cz.measure(cz.propose(z), pictures=False, images=90)
    z.save(place)
    print(z)
    print("\n".join(finding.sentence for finding in cz.check(z).flagged))


def make_tasks(z: Path, place: Path, scratch: Path) -> None:
    """Draw the shifted set and choose pictures of it for people to label."""
    shifted = make_dogs("D'", 5, seed=7)
    for number, image in enumerate(few_colours(shifted.images)):
        Image.fromarray(image).save(scratch / f"{number:03d}.png")
    command = [sys.executable, "-m", "circuitz", "tasks", "make", str(z), "--images", str(scratch)]
    options = ["--out", str(place), "--limit", "24", "--overlap", "1", "--repeats", "2"]
    subprocess.run([*command, *options, "--name", "breeds of dog"], check=True)


def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out what differs from machine to machine."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    """Make both and pack them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        make_z(folder / "husky.z")
        make_tasks(folder / "husky.z", folder / "tasks", folder / "pictures")
        with tarfile.open(PLACE, "w:xz", preset=9) as packed:
            for part in ("husky.z", "tasks"):
                packed.add(folder / part, part, filter=plain)
    size = PLACE.stat().st_size
    print(f"{PLACE.name}: {size / 1e6:.2f} MB")
    if size > LIMIT:
        raise SystemExit(f"More than {LIMIT / 1e6:.0f} MB.")


if __name__ == "__main__":
    main()
