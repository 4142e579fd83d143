"""``circuitz search --prior``, on cards and models as people would have made them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import circuitz as cz
from circuitz.cards.card import Card
from circuitz.cards.judged.comparison import Comparison
from circuitz.cards.make_card import card
from circuitz.cli.shell import app
from circuitz.errors import SearchError
from circuitz.z.model import AnnotatedModel


@pytest.fixture(scope="module")
def prior_file(caught: AnnotatedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raters who prefer fewer words on the ground, shown a few cards."""
    rng = np.random.default_rng(0)
    units = sorted(caught.effective())
    cards: list[Card] = []
    for _ in range(12):
        z = caught
        for unit in rng.choice(units, 4, replace=False):
            z = z.retract(str(unit))
        cards.append(card(z))

    def ground(one: Card) -> float:
        return sum(abs(c.strength) for e in one.classes for c in e.cues if "snow" in c.concepts)

    pairs = [rng.choice(12, 2, replace=False) for _ in range(60)]
    said = [
        Comparison(cards[a].hash, cards[b].hash,
                   "a" if ground(cards[a]) < ground(cards[b]) else "b", rater=f"r{i % 3}")
        for i, (a, b) in enumerate(pairs)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("prior") / "prior.json"
    path.write_text(json.dumps(cz.fit_prior(said, cards, members=2).to_json()))
    return path


def test_the_command_writes_the_best_z_and_tells_what_kernels_came_to(
    caught: AnnotatedModel, prior_file: Path, tmp_path: Path
) -> None:
    bundle, out = tmp_path / "start.z", tmp_path / "best.z"
    caught.save(bundle, data=True)
    how = ["search", str(bundle), "--out", str(out), "--prior", str(prior_file), "--quick"]
    run = CliRunner().invoke(app, [*how, "--proposals", "8"])
    assert run.exit_code == 0, run.output
    assert "per 100" in run.output
    assert not (tmp_path / "best.z.search").exists()
    other = tmp_path / "other.z"
    how[3] = str(other)
    again = CliRunner().invoke(app, [*how, "--proposals", "8", "--json"])
    record = json.loads(again.stdout)
    assert record["proposals"] == 8
    assert cz.load(other).notes["chain_search"]["gain"] == pytest.approx(record["gain"])


def test_m_l_alone_is_refused(caught: AnnotatedModel, prior_file: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "start.z"
    caught.save(bundle, data=True)
    run = CliRunner().invoke(
        app,
        ["search", str(bundle), "--out", str(tmp_path / "o.z"), "--likelihood", str(prior_file)],
    )
    assert isinstance(run.exception, SearchError)
