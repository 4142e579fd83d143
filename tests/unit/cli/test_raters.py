"""``circuitz raters fit`` tells what raters are like, or what is missing."""

import json
from pathlib import Path

from typer.testing import CliRunner

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.judged.comparison import COMPARE_OPTIONS
from circuitz.cli import app
from circuitz.evaluation.people.crowd import Crowd
from circuitz.evaluation.people.fit_raters_file import words_of_all_worlds
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.people.simulated_person import SimulatedPerson
from circuitz.store.asking import AskedQuestion
from circuitz.store.judgement_lines import write_judgement_lines
from circuitz.store.shown_record import ShownRecord


def test_raters_of_a_file_are_fitted_and_written(tmp_path: Path) -> None:
    cards = [
        Card((ClassEntry("husky", (Cue(word, (word,), ("u:1",), 0.4),)),))
        for word in ("pointed ears", "snow")
    ]
    question = AskedQuestion(
        "compare", (cards[0].hash, cards[1].hash), COMPARE_OPTIONS, shown={"cards": cards}
    )
    person = SimulatedPerson("averse", 1, words_of_all_worlds())
    path = tmp_path / "answers.jsonl"
    shown = [ShownRecord(card.hash, "card", card.to_json()) for card in cards]
    write_judgement_lines(path, Crowd((person,), PictureTruth())([question]), shown)
    done = CliRunner().invoke(app, ["raters", "fit", str(path), "--json"])
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["raters"][0]["too_few"]
    assert json.loads((tmp_path / "answers.jsonl.raters.json").read_text()) == record
    plain = CliRunner().invoke(app, ["raters", "fit", str(path)])
    assert "simulated" in plain.output
    assert "too few" in plain.output
