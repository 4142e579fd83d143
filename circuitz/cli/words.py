"""``circuitz words``: whether words on units hold on D and D′, by what people answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from circuitz.cli.concepts_on import half_by_name, read_shifted_pictures, write_population_pack
from circuitz.cli.shell import Json, Seed, Z, app, out, progress_bars, say
from circuitz.disk.safe_text import escape_control_characters

if TYPE_CHECKING:
    from circuitz.store.asking import AskedQuestion
    from circuitz.store.judgement import Judgement
    from circuitz.z.word_tests import WordTest


@app.command("words")
def report_where_words_hold(
    z: Z,
    store: Annotated[
        str, typer.Option(help="Where answers are kept: a file, or sqlite:///answers.sqlite.")
    ] = "",
    shifted: Annotated[
        Path | None, typer.Option(help="D′: pictures without labels, in the folder and below it.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="D, when it is not where the bundle says.")
    ] = None,
    word: Annotated[
        list[str] | None, typer.Option(help="Only this word; repeat. By default all.")
    ] = None,
    half: Annotated[
        str,
        typer.Option(help="Half of the pictures: search, or audit, which export is decided on."),
    ] = "search",
    agreement: Annotated[
        int,
        typer.Option(
            help="Pictures a population of which every word is asked, for the agreement with its "
            "words on the card; 0 for none.",
            min=0,
        ),
    ] = 60,
    tasks: Annotated[
        Path | None, typer.Option(help="Pack to write with the pictures that still need answers.")
    ] = None,
    n: Annotated[
        int, typer.Option("--n", help="Pictures a word and population in it.", min=1)
    ] = 30,
    raters: Annotated[int, typer.Option(help="Raters that answer each of them.", min=1)] = 1,
    path: Annotated[
        Path | None, typer.Option("--out", help="Bundle to write the verdicts to; Z by default.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Do words hold where the model is used? Reads what people answered, and says what is missing.

    People are asked whether pictures of D, and of D′ without labels, show a word: where its units
    are active, and where they are not. A word that fails there counts as none in every check.
    Last, all words are asked about the same few pictures: how often the network then chooses as it
    does on them stands on the card (see circuitz rewrite).
    Without --store nothing is written into Z: --tasks then makes the first questions.
    """
    from circuitz.effects.agreement_questions import agreements, plan_agreement_questions
    from circuitz.effects.rewrite_result import with_agreement
    from circuitz.plausibility.graded_proposals import grade_words
    from circuitz.posterior.words.class_questions import class_evidence_of, plan_class_questions
    from circuitz.posterior.words.word_answers import merge_answers_about_words
    from circuitz.posterior.words.word_test_plan import plan_word_tests
    from circuitz.store.address import open_store
    from circuitz.z.bundle.inputs_io import read_inputs
    from circuitz.z.bundle.load_save import load
    from circuitz.z.class_evidence import with_class_evidence
    from circuitz.z.word_match import POPULATION_NAMES
    from circuitz.z.word_tests import with_word_tests

    named = half_by_name(half)
    rows: Sequence[Judgement] = open_store(store, read_only=True).rows() if store else ()
    model = load(z)
    with progress_bars() as steps:
        own = None if data is None else read_inputs(data)
        others = None if shifted is None else read_shifted_pictures(shifted, model)
        plan = plan_word_tests(
            model, data=own, shifted=others, words=word or None, half=named, seed=seed,
            progress=steps,
        )  # fmt: skip
    answers = merge_answers_about_words(rows)
    results = plan.results(answers)
    # Some of the words alone do not say what a class rests on.
    classes = () if word else plan_class_questions(model, plan, results, seed)
    told = class_evidence_of(model, classes, answers)
    about_classes = {(q.word, q.items): q for c in classes for q in c.questions_left(answers)}
    left = plan.questions_left(answers, n)
    told_fully = grade_words(model)
    planned = (
        plan_agreement_questions(
            told_fully, data=own, shifted=others, pictures=agreement, half=named, seed=seed
        )
        if agreement and plan.populations and not word and model.head != "multi-label"
        else ()
    )
    agreed = agreements(told_fully, planned, rows, seed=seed)
    # Which words count has to be settled first, and what they tell.
    left = left or tuple(about_classes.values())
    left = left or tuple(q for one in planned for q in one.questions if not answers.has_answer(q))
    facts: dict[str, Any] = {
        "half": named,
        "tests": [asdict(test) for test in results],
        "classes": [asdict(one) for one in told],
        "agreement": [
            {"population": one.population, "works": one.works, **asdict(one.agreement)}
            for one in agreed
        ],
        "left": _count_by_word_and_population(left),
        "remarks": answers.remarks(plan.pictures) if store else [],
    }
    if store and results:
        # Somebody may have edited it while the network ran.
        now = load(z)
        now = with_class_evidence(with_word_tests(now, results), told)
        if agreed:
            now = grade_words(now)
            # Words that were edited meanwhile are others than those that were tried.
            same = now.annotations_hash == told_fully.annotations_hash
            now = with_agreement(now, *agreed) if same else now
        now.save(path or z)
        facts["out"] = str(path or z)
    if tasks is not None and left:
        write_population_pack(tasks, model, plan, left, raters=raters, seed=seed)
        facts["tasks"] = str(tasks)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=1))
        return
    _print_verdicts(results, facts["left"])
    for one in told:
        if one.area is not None:
            _print_line(
                f"On D′ the words of {one.target} {'tell' if one.tells_class else 'do not tell'} it: area "
                f"{one.area:.2f} [{one.low:.2f}, {one.high:.2f}], {one.called} pictures called so "
                f"and {one.others} others."
            )
    for one in facts["agreement"]:
        _print_line(
            f"On {POPULATION_NAMES[one['population']]} the network agrees with its words on "
            f"{one['estimate']:.0%} [{one['low']:.0%}, {one['high']:.0%}] of {one['n']} pictures."
        )
    for remark in facts["remarks"]:
        _print_line(remark)
    if shifted is None:
        from circuitz.plausibility.tested_populations import UNTESTED_WHERE_USED

        _print_line(f"Words are {UNTESTED_WHERE_USED}: name it with --shifted DIR.")
    if "D" not in plan.populations and plan.tests:
        _print_line("D is not at hand, and words are not tested on it: name it with --data DIR.")
    _say_what_is_next(store, facts, tasks, len(left))


def _say_what_is_next(store: str, facts: Mapping[str, Any], tasks: Path | None, left: int) -> None:
    if "out" in facts:
        _print_line(f"Verdicts written to {facts['out']}. Next: circuitz check {facts['out']}")
    if not left:
        return
    if "tasks" in facts:
        place = store or "answers.sqlite"
        _print_line(
            f"{left} questions written to {tasks}. Next: circuitz serve --tasks {tasks} --store {place}"
        )
    else:
        say.print(
            f"{left} questions are open; --tasks DIR writes them for the screen.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


def _count_by_word_and_population(questions: Sequence[AskedQuestion]) -> list[dict[str, Any]]:
    counts = Counter((q.word, str(q.shown["population"])) for q in questions if q.use != "gold")
    return [{"word": w, "population": p, "pictures": n} for (w, p), n in counts.items()]


def _print_verdicts(results: Sequence[WordTest], left: Sequence[Mapping[str, Any]]) -> None:
    from circuitz.z.word_match import POPULATION_NAMES

    if not results:
        out.print("No unit of the cut bears a word that holds on the concept set.", highlight=False)
        return
    needed = {(row["word"], row["population"]): row["pictures"] for row in left}
    table = Table(box=None, pad_edge=False)
    for name in ("word", "on", "verdict", "right", "95 %", "raters err", "to ask"):
        table.add_column(name, justify="left" if name in ("word", "on", "verdict") else "right")
    for test in results:
        some = test.low is not None and test.high is not None
        table.add_row(
            escape(escape_control_characters(test.word)),
            POPULATION_NAMES[test.population],
            test.verdict + (" (simulated)" if test.simulated else ""),
            f"{test.right} of {test.answers}",
            f"{test.low:.0%} to {test.high:.0%}" if some else "–",
            f"{test.rater_error:.0%} (n = {test.gold})" if test.gold else "–",
            str(needed.get((test.word, test.population), "")),
        )
    out.print(table)
    for reason, names in _words_by_reason(results).items():
        _print_line(f"{', '.join(names)}: {reason}.")


def _words_by_reason(results: Sequence[WordTest]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for test in results:
        if test.reason:
            found.setdefault(test.reason, []).append(f"‘{test.word}’")
    return {reason: list(dict.fromkeys(names)) for reason, names in found.items()}


def _print_line(text: str) -> None:
    out.print(escape_control_characters(text), markup=False, highlight=False, soft_wrap=True)
