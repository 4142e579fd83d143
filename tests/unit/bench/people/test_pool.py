"""The pool: z's of a small lineage are kept by content, and read back as they were."""

from pathlib import Path

import numpy as np
import pytest

from circuitz.bench.people import rewrite_figures as rewrite_figures_module
from circuitz.bench.people.lineage_networks import (
    lineage_networks,
    path_of_networks,
    train_network,
    write_networks,
)
from circuitz.bench.people.pool import PoolPlan, default_cache, make_pool, variants_of_network
from circuitz.bench.people.pool_lineage import Lineage, PoolSizes
from circuitz.bench.people.rewrite_figures import RewriteSizes, rewrite_figures
from circuitz.bench.people.word_variants import nonsense_word

SIZES = PoolSizes(per_class=120, concepts=200, per_shifted_class=20, epochs=5, images=36)
PLAN = PoolPlan(dogs=(0,), birds=(), dog_shortcuts=("none",), sizes=SIZES)


@pytest.fixture(scope="session")
def lineage_cache(tmp_path_factory: pytest.TempPathFactory, threads: None) -> Path:
    """Networks of a lineage of two, as if the others had not come about."""
    cache = tmp_path_factory.mktemp("people")
    lineage = PLAN.lineages[0]
    networks = {
        "trained": train_network(lineage, lineage.data),
        "decorrelated": train_network(lineage, lineage.decorrelated),
    }
    write_networks(path_of_networks(lineage, cache / "networks"), networks)
    return cache


def test_kept_networks_are_read(lineage_cache: Path) -> None:
    networks = lineage_networks(PLAN.lineages[0], lineage_cache / "networks")
    assert set(networks) == {"trained", "decorrelated"}


def test_pool_is_made_once_and_read_back_alike(lineage_cache: Path) -> None:
    made = make_pool(PLAN, lineage_cache)
    files = sorted((lineage_cache / "z").iterdir())
    times = [file.stat().st_mtime_ns for file in files]
    again = make_pool(PLAN, lineage_cache)
    assert [file.stat().st_mtime_ns for file in files] == times
    assert [(z.name, z.card, z.truth, z.counts) for z in again] == [
        (z.name, z.card, z.truth, z.counts) for z in made
    ]
    assert all(
        np.array_equal(a.levels_d, b.levels_d)
        and np.array_equal(a.readings.logits_shifted, b.readings.logits_shifted)
        for a, b in zip(made, again, strict=True)
    )
    assert {z.network for z in made} == {"trained", "decorrelated"}
    assert {"proposed"} < {z.words for z in made}
    assert all(len(z.levels_d) == len(z.readings.rows_d) for z in made)


def test_a_damaged_file_is_made_anew(lineage_cache: Path) -> None:
    before = make_pool(PLAN, lineage_cache)
    file = sorted((lineage_cache / "z").iterdir())[0]
    file.write_bytes(b"no archive")
    assert [z.card for z in make_pool(PLAN, lineage_cache)] == [z.card for z in before]


def test_lineages_and_words_are_told_apart() -> None:
    names = [lineage.name for lineage in PoolPlan().lineages]
    assert len(names) == len(set(names))
    assert Lineage("dogs", "two", 0).tied_concepts == ("snow", "collar")
    assert Lineage("dogs", "none", 0).tied_concepts == ()
    assert Lineage("dogs", "none", 0).hash != Lineage("dogs", "ground", 0).hash
    assert len({nonsense_word(i) for i in range(60)}) == 60
    words = variants_of_network(PLAN.lineages[0], "repaired")
    assert words[0] == "proposed"
    assert {"nonsense", "bare"} <= set(words)


def test_cache_follows_the_desktop_convention(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "circuitz" / "people"


def test_rewrites_of_kept_networks(lineage_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrite_figures_module, "SHORTCUTS", ("none",))
    monkeypatch.setattr(rewrite_figures_module, "NETWORKS", ("decorrelated", "trained"))
    sizes = RewriteSizes(pictures=60, told_by_people=20, permutations=2)
    found = rewrite_figures(PLAN.lineages, lineage_cache, sizes=sizes)
    assert found is not None
    rows = found["rows"]
    assert [(r["network"], r["population"]) for r in rows] == [
        (network, population)
        for network in ("decorrelated", "trained")
        for population in ("D", "D'")
    ]
    assert found["dprime"] == rows[1]["rewrite"]
    assert found["true"] == rows[1]["true"] >= found["dprime"] - 0.1
    assert rows[0]["people"] is not None
    assert rows[2]["people"] is None
    assert all(r["n"] == 60 for r in rows)
    assert rewrite_figures(PLAN.lineages, None) is None
