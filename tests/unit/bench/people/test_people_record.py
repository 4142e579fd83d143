"""The page tells every figure, and what was missed or not measured."""

from pathlib import Path

import pytest

from circuitz.bench.people.figure_aims import aims_of_figures
from circuitz.bench.people.people_bench import read_attack_rows
from circuitz.bench.people.people_record import figure_as_text, write_people_record
from circuitz.errors import BenchError

NOTHING = {
    "simulated": True, "quick": True, "code": "c", "families": "f",
    "pool": {"zs": 3, "cards": 3, "networks": 2, "lineages": 1, "worst_group_below_half": 1,
             "by_network": {"trained": 3}, "by_words": {"proposed": 3}},
    "prior": None, "likelihood": None, "label_model": None, "rewrite": None, "words": None,
    "attacks": None, "controls": [], "judgements": {"compare": 5},
    "not_measured": {"rewrite": "the network was not at hand"},
}  # fmt: skip


def test_what_was_not_measured_is_never_met() -> None:
    aims = aims_of_figures(NOTHING)
    assert aims
    assert not any(aim.met for aim in aims)
    assert {aim.value for aim in aims} == {None}


def test_a_missed_aim_and_a_met_one() -> None:
    words = {"wrong_holds": 2}
    found = {a.what: a for a in aims_of_figures({**NOTHING, "words": words})}
    assert found["words.wrong_holds"].value == 2
    assert not found["words.wrong_holds"].met
    found = {a.what: a for a in aims_of_figures({**NOTHING, "words": {"wrong_holds": 0}})}
    assert found["words.wrong_holds"].met


def test_page_keeps_its_text_and_tells_reasons(tmp_path: Path) -> None:
    page = tmp_path / "record.md"
    page.write_text(
        "# Record\n\n<!-- figures -->\nfigures of before\n<!-- end of figures -->\n\nBelow.\n"
    )
    figures = {**NOTHING, "aims": [a.to_json() for a in aims_of_figures(NOTHING)]}
    write_people_record(page, figures, "circuitz bench people --quick")
    text = page.read_text()
    assert text.startswith("# Record")
    assert text.endswith("Below.\n")
    assert "figures of before" not in text
    assert "the network was not at hand" in text
    assert "not measured" in text
    assert "simulated" in text
    with pytest.raises(BenchError, match="no place"):
        write_people_record(tmp_path / "none.md", figures, "x")


def test_figures_are_printed_plainly() -> None:
    assert figure_as_text(None) == "-"
    assert figure_as_text(0.5) == ".500"
    assert figure_as_text(-0.25) == "-.250"
    assert figure_as_text(1.5) == "1.500"
    assert figure_as_text([1.0, 0.25]) == "1.000 .250"


def test_rows_of_attacks_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = (
        '{"name": "checkerboard", "twin": "", "seed": 0, "exported": false, "reason": "words", '
        '"dprime_worst": 0.4, "wrong": true, "answers": 3}\n'
    )
    path.write_text(row)
    assert read_attack_rows(path)[0]["reason"] == "words"
    path.write_text('{"name": 1}\n')
    with pytest.raises(BenchError, match="no rows"):
        read_attack_rows(path)
