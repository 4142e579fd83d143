"""A pool in miniature, made without any network: cards of every kind of z, of several lineages."""

from __future__ import annotations

import numpy as np
import pytest

from circuitz.bench.people.pooled_z import NetworkReadings, NetworkTruth, PooledZ
from circuitz.cards.activity import distinct_cues
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.data.worlds.world import World
from circuitz.data.worlds.world_by_name import world_by_name

N = 60


def painted_z(world: World, lineage: int, network: str, words: str) -> PooledZ:
    """One z: the worse its network, the more of its card is surroundings."""
    rng = np.random.default_rng([world.number, lineage, len(network), len(words)])
    outside = {"trained": 2, "mid-search": 1}.get(network, 0)
    entries: list[ClassEntry] = []
    for k, name in enumerate(world.classes):
        parts = [world.part_concepts[int(i)] for i in rng.permutation(len(world.part_concepts))[:4]]
        grounds = [world.grounds[int(i)] for i in rng.permutation(len(world.grounds))[:outside]]
        texts = [*grounds, *parts]
        cues = [
            Cue(
                f"zzz {text[::-1]}" if words == "nonsense" else text,
                () if words == "nonsense" else (text,),
                (f"u:{text}",),
                round(float(rng.uniform(0.05, 0.5)), 3),
            )
            for text in texts
        ]
        cues.sort(key=lambda cue: -abs(cue.strength))
        share = float(rng.uniform(0.0, 0.5))
        shown = () if words == "bare" else tuple(cues)
        entries.append(ClassEntry(name, shown, (share, share, share), 0.1 * (k % 3)))
    card = Card(tuple(entries), world.subject)
    readings = NetworkReadings(
        units=("u",), rows_d=np.arange(N), rows_shifted=np.arange(N),
        responses_d=np.zeros((N, 1), np.float32), responses_shifted=np.zeros((N, 1), np.float32),
        logits_shifted=rng.normal(size=(N, len(world.classes))).astype(np.float32),
    )  # fmt: skip
    levels = rng.uniform(-1, 1, (N, len(distinct_cues(card)))).astype(np.float32)
    return PooledZ(
        lineage=f"{world.name}-x-{lineage}", world=world.name, shortcut="ground", network=network,
        words=words, card=card, levels_d=levels, levels_shifted=levels, readings=readings,
        truth=NetworkTruth(0.9, 0.8, 0.7, "husky, snow"), counts={},
    )  # fmt: skip


@pytest.fixture(scope="session")
def painted_pool() -> tuple[PooledZ, ...]:
    """Four lineages of dogs and two of birds."""
    return tuple(
        painted_z(world_by_name(world).world, lineage, network, words)
        for world, n in (("dogs", 4), ("birds", 2))
        for lineage in range(n)
        for network in ("trained", "mid-search", "repaired")
        for words in ("proposed", "nonsense", "bare")
    )
