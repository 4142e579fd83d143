"""The pool of z's: lineages, their networks, and every network under several words.

Everything is kept under a cache: networks by the lineage and its sizes, z's by the network's weights
and the hash of all code that made them. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from circuitz.bench.people.code_hash import code_hash
from circuitz.bench.people.lineage_networks import NETWORKS, Weights, lineage_networks
from circuitz.bench.people.pool_lineage import UNTIED, Lineage, PoolSizes
from circuitz.bench.people.pooled_network import PooledNetwork, pool_network
from circuitz.bench.people.pooled_z import NetworkReadings, NetworkTruth, PooledZ
from circuitz.bench.people.word_variants import VARIANTS, WordVariant
from circuitz.cards.card import Card
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.disk.atomic import staged_file_replacement
from circuitz.disk.hashing import arrays_hash, json_hash
from circuitz.evaluation.people.crowd import Crowd, make_people
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.people.world_words import words_of_world

Progress = Callable[[str, int, int], None]
#: Rooms whose change makes a z of the pool another one.
_CODE = (
    "bench/people/lineage_networks.py", "bench/people/pool.py", "bench/people/pool_lineage.py",
    "bench/people/pooled_network.py", "bench/people/word_variants.py", "cards",
    "evaluation/people", "measurement", "plausibility", "posterior/words",
)  # fmt: skip
#: Seeds of those who say what pictures show; nobody else has them.
_EYES = (901, 902)
_OTHER_WORDS = 3


@dataclass(frozen=True)
class PoolPlan:
    """Which lineages are in the pool.

    Parameters
    ----------
    dogs, birds
        Seeds by world; a seed gives a lineage a shortcut.
    dog_shortcuts, bird_shortcuts
        The shortcuts, ``none`` among them.
    sizes
        Of every lineage.
    """

    dogs: tuple[int, ...] = (0, 1)
    birds: tuple[int, ...] = (0,)
    dog_shortcuts: tuple[str, ...] = ("ground", "collar", "light", "tag", "two", UNTIED)
    bird_shortcuts: tuple[str, ...] = ("ground", "ring", UNTIED)
    sizes: PoolSizes = field(default_factory=PoolSizes)

    @property
    def lineages(self) -> tuple[Lineage, ...]:
        """All lineages, dogs first."""
        dogs = [
            Lineage("dogs", s, seed, self.sizes) for seed in self.dogs for s in self.dog_shortcuts
        ]
        birds = [
            Lineage("birds", s, seed, self.sizes)
            for seed in self.birds
            for s in self.bird_shortcuts
        ]
        return (*dogs, *birds)


QUICK = PoolPlan(
    dogs=(0,),
    birds=(0,),
    dog_shortcuts=("ground", "two", UNTIED),
    bird_shortcuts=("ground",),
    sizes=PoolSizes(per_class=150, concepts=800, per_shifted_class=100, epochs=8, images=60),
)


def default_cache() -> Path:
    """Return where the pool is kept: under ``$XDG_CACHE_HOME``, else under ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "circuitz" / "people"


def make_pool(
    plan: PoolPlan, cache: Path | None = None, progress: Progress | None = None
) -> tuple[PooledZ, ...]:
    """Make the pool, or read what a cache keeps of it.

    Parameters
    ----------
    plan
        Lineages.
    cache
        Folder of what was made before; ``None`` keeps nothing.
    progress
        Called with what is done, steps done and steps in all.
    """
    found: list[PooledZ] = []
    lineages = plan.lineages
    for i, lineage in enumerate(lineages):
        if progress is not None:
            progress(lineage.name, i, len(lineages))
        networks = lineage_networks(lineage, None if cache is None else cache / "networks")
        crowd = crowd_for_lineage(lineage)
        for name, weights in networks.items():
            path = None if cache is None else cache / "z" / f"{_key(lineage, name, weights)}.npz"
            zs = None if path is None else _read(path)
            if zs is None:
                variants = variants_of_network(lineage, name)
                pooled = pool_network(lineage, name, weights, variants=variants, crowd=crowd())
                zs = pooled.zs
                if path is not None:
                    _write(path, pooled)
            found += zs
    if progress is not None:
        progress("pool", len(lineages), len(lineages))
    return tuple(found)


def variants_of_network(lineage: Lineage, network: str) -> tuple[WordVariant, ...]:
    """Return the words a network is shown under: as proposed, and three others in turn.

    The repaired network has a twin without words, and one under nonsense.
    """
    others: tuple[WordVariant, ...] = VARIANTS[1:]
    start = lineage.seed + list[str](NETWORKS).index(network)
    turn: list[WordVariant] = [others[(start + i * 2) % len(others)] for i in range(_OTHER_WORDS)]
    always: tuple[WordVariant, ...] = ("nonsense", "bare") if network == "repaired" else ()
    chosen: list[WordVariant] = ["proposed", *always, *turn]
    return tuple(dict.fromkeys(chosen))


def crowd_for_lineage(lineage: Lineage) -> Callable[[], Crowd]:
    """Return what makes the people who say what a lineage's pictures show; made when needed."""
    made: list[Crowd] = []

    def crowd() -> Crowd:
        if not made:
            truth = PictureTruth()
            truth.add_rendered(lineage.data)
            truth.add_set(lineage.shifted_set)
            truth.add_concept_set(lineage.concept_set)
            words = words_of_world(world_by_name(lineage.world).world)
            made.append(Crowd(make_people(words, _EYES), truth))
        return made[0]

    return crowd


def _key(lineage: Lineage, network: str, weights: Weights) -> str:
    return f"{lineage.name}-{network}-" + json_hash(
        [lineage.hash, network, arrays_hash(weights), code_hash(_CODE)]
    )[:16]  # fmt: skip


def _write(path: Path, pooled: PooledNetwork) -> None:
    if not pooled.zs:
        return
    arrays: dict[str, Any] = dict(pooled.zs[0].readings.to_arrays())
    records: list[dict[str, Any]] = []
    for i, z in enumerate(pooled.zs):
        arrays |= {f"{i}/levels_d": z.levels_d, f"{i}/levels_shifted": z.levels_shifted}
        names = ("lineage", "world", "shortcut", "network", "words", "counts")
        records.append(
            {name: getattr(z, name) for name in names}
            | {"card": z.card.to_json(), "truth": asdict(z.truth)}
        )
    arrays["records"] = np.array(json.dumps(records, ensure_ascii=False))
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged_file_replacement(path, buffer.getvalue()):
        pass


def _read(path: Path) -> Sequence[PooledZ] | None:
    """Return kept z's; ``None`` where there are none, or the file is damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        readings = NetworkReadings.from_arrays(arrays)
        records = json.loads(str(arrays["records"]))
        return [
            PooledZ(
                **{n: r[n] for n in ("lineage", "world", "shortcut", "network", "words", "counts")},
                card=Card.from_json(r["card"]), truth=NetworkTruth(**r["truth"]), readings=readings,
                levels_d=arrays[f"{i}/levels_d"], levels_shifted=arrays[f"{i}/levels_shifted"],
            )
            for i, r in enumerate(records)
        ]  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, TypeError):
        return None
