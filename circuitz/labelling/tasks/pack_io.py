"""Task packs on disk: a folder, or one zip file; as safe to open as a bundle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from circuitz import __version__
from circuitz.cards.activity import CardActivity
from circuitz.cards.card import Card
from circuitz.disk.atomic import (
    locked_temporary_folder,
    replacement_folder,
    swap_into_place,
    write_new_files_durably,
)
from circuitz.disk.file_names import parse_file_entries
from circuitz.disk.folder_source import FolderSource
from circuitz.disk.json_io import dumps, loads
from circuitz.disk.seal import check_seal, parse_sealed_document_unchecked, seal_with_own_hash
from circuitz.disk.zip_source import ZipSource
from circuitz.errors import (
    BundleError,
    BundleFormatError,
    BundleSchemaError,
    BundleUnsafeError,
    BundleWriteError,
    CircuitzError,
    LabellingError,
)
from circuitz.labelling.tasks.pack import (
    KINDS,
    PACK_KINDS,
    Question,
    TaskPack,
    sighting_from_json,
)
from circuitz.store.judgement import USES
from circuitz.z.bundle.replace_bundle import zip_folder_reproducibly

#: Packs that ask for classes of pictures, or about words, are of schema 1, as they always were.
SCHEMA = 2
MANIFEST = "tasks.json"
CARD, GUIDE, GOLD, HEAT = "card.json", "field-guide.md", "gold.json", "heat.bin"
PLAN = "plan.json"
CARDS, ACTIVITIES = "cards.json", "activities.json"
MOST_PICTURE = 8 * 2**20
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


def checked_picture_media_type(data: bytes) -> str:
    """Return the media type of a picture a browser may be given.

    Raises
    ------
    BundleUnsafeError
        If it is no PNG, JPEG or WebP, or too large.
    """
    if len(data) <= MOST_PICTURE:
        for magic, kind in _MAGIC.items():
            if data.startswith(magic) and (magic != b"RIFF" or data[8:12] == b"WEBP"):
                return kind
    raise BundleUnsafeError(
        "A picture of the pack is no PNG, JPEG or WebP of a sensible size.",
        "Make the pack anew: circuitz tasks make.",
    )


def write_pack(pack: TaskPack, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a pack: a folder, or a zip file when the path ends in ``.zip``.

    Parameters
    ----------
    overwrite
        Whether another pack that is there may be replaced. The same pack may be written again;
        what is no pack is never replaced.

    Raises
    ------
    BundleWriteError
        If something else is there, or it cannot be written; what was there is untouched.
    """
    place = Path(path).absolute()
    check_pack_destination(place, pack, overwrite)
    files = _contents_by_file_name(pack)
    if place.suffix == ".zip":
        with locked_temporary_folder(place) as folder:
            _write_files_into_folder(folder, files)
            swap_into_place(zip_folder_reproducibly(folder), place)
    else:
        with replacement_folder(place) as folder:
            _write_files_into_folder(folder, files)
    return place


def check_pack_destination(
    path: Path, pack: TaskPack | None = None, overwrite: bool = False
) -> None:
    """Refuse to replace what is no pack, or, unless told to, another pack.

    Raises
    ------
    BundleWriteError
        If something is there that stays.
    """
    path = path.absolute()
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    try:
        there = open_pack(path)
    except (BundleError, LabellingError) as error:
        if path.is_dir() and (path / MANIFEST).is_file() and overwrite:
            return
        raise BundleWriteError(
            f"{path} is there and is no task pack; it is not replaced.", "Choose another name."
        ) from error
    if pack is not None and there.hash == pack.hash:
        return
    if not overwrite:
        raise BundleWriteError(
            f"{path} is there, and is another task pack.",
            "Answers belong to one pack: choose another name, or pass --overwrite.",
        )


def open_pack(path: str | os.PathLike[str]) -> TaskPack:
    """Open a pack; every file is checked against the manifest's hashes.

    Raises
    ------
    LabellingError
        If there is no pack at the path, or its parts do not fit together.
    BundleError
        If it is truncated, was changed, is unsafe, or of a newer schema.
    """
    place = Path(os.path.realpath(path))
    if place.is_dir() and (place / MANIFEST).is_file():
        source: FolderSource | ZipSource = FolderSource(place)
    elif place.is_file() and zipfile.is_zipfile(place):
        source = ZipSource(place, manifest=MANIFEST)
    else:
        raise LabellingError(
            f"There is no task pack at {path}.", "circuitz tasks make ZSTAR makes one."
        )
    if not source.exists(MANIFEST):
        raise LabellingError(
            f"{path} is no task pack: it has no {MANIFEST}.", "circuitz tasks make makes one."
        )
    document = parse_sealed_document_unchecked(source.read_unchecked(MANIFEST), MANIFEST)
    schema = document.get("schema")
    if document.get("kind") != "circuitz tasks" or not isinstance(schema, int):
        raise BundleFormatError(f"{MANIFEST} is not of a task pack.", "Make the pack anew.")
    if schema > SCHEMA:
        raise BundleSchemaError(
            f"The task pack was written by a newer version (schema {schema}).", "Update circuitz."
        )
    check_seal(document, MANIFEST)
    entries = parse_file_entries(document.get("files"), MANIFEST)
    if any(entry.size > 2**31 for entry in entries.values()):
        raise BundleUnsafeError("A file of the pack has gigabytes.", "Nothing was read.")
    source.check_sizes_against_manifest(entries)
    read = {name: bytes(source.read(name, entry)) for name, entry in entries.items()}
    try:
        return _task_pack_from_document(document, read)
    except CircuitzError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BundleFormatError(
            f"{MANIFEST} is not what a task pack has: {type(error).__name__} {error}.",
            "Make the pack anew.",
        ) from error


def _contents_by_file_name(pack: TaskPack) -> dict[str, bytes]:
    files = {
        CARD: dumps(pack.card.to_json(), indent=1) + b"\n",
        GUIDE: pack.card.to_text().encode(),
        GOLD: dumps(dict(sorted(pack.gold.items())), indent=1) + b"\n",
        HEAT: pack.heat.tobytes(),
    }
    if pack.plan:
        files[PLAN] = dumps(dict(pack.plan)) + b"\n"
    if pack.cards:
        cards = [card.to_json() for _, card in sorted(pack.cards.items())]
        files[CARDS] = dumps(cards) + b"\n"
    if pack.activities:
        shown = [activity.to_json() for _, activity in sorted(pack.activities.items())]
        files[ACTIVITIES] = dumps(shown) + b"\n"
    files |= {name: bytes(data) for name, data in pack.pictures.items()}
    files |= {f"exemplars/{i}.png": bytes(data) for i, data in pack.exemplars.items()}
    document: dict[str, Any] = {
        "kind": "circuitz tasks",
        "schema": SCHEMA if pack.is_of_newer_kind else 1,
        "circuitz": __version__,
        "name": pack.name,
        "task": pack.task,
        "z": pack.z_hash,
        "card": pack.card.hash,
        "classes": list(pack.classes),
        "instructions": {"version": pack.instructions, "text": pack.guidelines},
        "seed": pack.seed,
        "overlap": pack.overlap,
        "lease": pack.lease,
        "heat": list(pack.heat.shape),
        "questions": [_question_to_json(q) for q in pack.questions],
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in sorted(files.items())
        },
    }
    if pack.is_of_newer_kind:
        document |= {"asks": pack.kind, "chips": list(pack.chips)}
    return {**files, MANIFEST: seal_with_own_hash(document)}


def _write_files_into_folder(folder: Path, files: dict[str, bytes]) -> None:
    for parent in {Path(name).parent for name in files}:
        (folder / parent).mkdir(parents=True, exist_ok=True)
    try:
        write_new_files_durably({folder / name: data for name, data in files.items()})
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _task_pack_from_document(document: dict[str, Any], read: dict[str, bytes]) -> TaskPack:
    shape = [int(side) for side in document["heat"]]
    if len(shape) != 3 or any(side < 0 for side in shape) or max(shape[1:]) > 64:
        raise ValueError("the maps have no proper shape")
    questions = tuple(_question_from_json(record) for record in document["questions"])
    named = dict.fromkeys(q.picture for q in questions if q.picture)
    pictures = {name: read[name] for name in named}
    exemplars = {
        int(Path(name).stem): data for name, data in read.items() if name.startswith("exemplars/")
    }
    for data in (*pictures.values(), *exemplars.values()):
        checked_picture_media_type(data)
    gold = loads(read[GOLD], GOLD)
    kind = document.get("asks", "label")
    if kind not in PACK_KINDS:
        raise ValueError(f"{kind!r} is no kind of pack")
    cards = [Card.from_json(c) for c in loads(read[CARDS], CARDS)] if CARDS in read else []
    shown = loads(read[ACTIVITIES], ACTIVITIES) if ACTIVITIES in read else []
    activities = [CardActivity.from_json(one) for one in shown]
    made = TaskPack(
        name=str(document["name"]),
        card=Card.from_json(loads(read[CARD], CARD)),
        questions=questions,
        seed=int(document["seed"]),
        overlap=int(document["overlap"]),
        guidelines=str(document["instructions"]["text"]),
        gold={str(k): str(v) for k, v in gold.items()},
        heat=np.frombuffer(read[HEAT], np.uint8).reshape(shape),
        pictures=pictures,
        exemplars=exemplars,
        lease=float(document["lease"]),
        plan=dict(loads(read[PLAN], PLAN)) if PLAN in read else {},
        kind=kind,
        cards={card.hash: card for card in cards},
        activities={one.hash: one for one in activities},
        chips=tuple(str(chip) for chip in document.get("chips", ())),
    )
    stated = (document["task"], document["card"], document["z"], document["classes"])
    if stated != (made.task, made.card.hash, made.z_hash, list(made.classes)):
        raise ValueError("what it says of itself does not fit what it holds")
    return made


def _question_to_json(question: Question) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(asdict(question)))
    for name in ("word", "judged_as", "further", "seed", "use"):
        if not record[name]:
            del record[name]
    return record


def _question_from_json(record: dict[str, Any]) -> Question:
    kind = record["kind"]
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of question")
    use = record.get("use", "")
    if use not in ("", *USES):
        raise ValueError(f"{use!r} is no use of answers")
    return Question(
        id=str(record["id"]),
        item=str(record["item"]),
        kind=kind,
        path=str(record["path"]),
        picture=str(record["picture"]),
        seen=tuple(sighting_from_json(s) for s in record["seen"]),
        word=str(record.get("word", "")),
        judged_as=str(record.get("judged_as", "")),
        further=tuple(str(item) for item in record.get("further", ())),
        seed=int(record.get("seed", 0)),
        use=use,
    )
