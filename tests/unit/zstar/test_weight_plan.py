from __future__ import annotations

from dataclasses import replace

from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.zstar.weight_plan import UNITS_A_CONCEPT, plan_weight_step


def test_a_flagged_concept_is_edited_and_its_units_are_silenced(caught) -> None:
    report = check(caught)
    todo = plan_weight_step(caught, report, Lexicon.load(), ())
    assert "snow" in todo.edit
    flagged = next(f for f in report.flagged if f.target == "output:husky")
    assert {int(u.split(":")[1]) for u in flagged.units} <= set(todo.silence)
    assert set(todo.silence) <= set(todo.hide)


def test_every_concept_of_the_subject_gets_units_and_surroundings_do_not(caught) -> None:
    todo = plan_weight_step(caught, check(caught), Lexicon.load(), ())
    names = caught.concept_set.concept_names
    said = [names[column] for _, column in todo.aims]
    for part in ("ears", "tail", "legs"):
        assert said.count(part) >= UNITS_A_CONCEPT
    units = [unit for unit, _ in todo.aims]
    assert len(set(units)) == len(units)
    size = caught.measurements.layers["conv3"].responses.shape[1]
    worded = {u for u, c in todo.aims if names[c] in ("ears", "tail", "legs")}
    shown = set(range(size)) - set(todo.hide)
    assert shown == worded - set(todo.silence)


def test_what_a_person_wrote_is_aimed_for_and_never_recruited(caught) -> None:
    free = next(u for u in range(24) if f"conv3:{u}" not in caught.effective())
    said = caught.annotate(f"conv3:{free}", "tail", author="ada")
    todo = plan_weight_step(said, check(said), Lexicon.load(), ())
    assert dict(todo.aims)[free] == caught.concept_set.concept_names.index("tail")


def test_an_edit_once_begun_goes_on(caught) -> None:
    clean = caught.with_(log=())
    assert plan_weight_step(clean, check(clean), Lexicon.load(), ("snow",)).edit == ("snow",)
    assert plan_weight_step(clean, check(clean), Lexicon.load(), ()).edit == ()


def test_the_plan_follows_the_lexicon(caught) -> None:
    placebo = Lexicon.load()
    for ground in ("snow", "grass", "sand"):
        placebo = placebo.with_override(ground, kind="part", part_of=["dog"], author="ada")
    todo = plan_weight_step(caught, check(caught, lexicon=placebo), placebo, ())
    assert todo.edit == ()
    assert todo.silence == ()


def test_a_group_speaks_for_its_units_and_a_column_for_its_synonyms(caught) -> None:
    free = [u for u in range(24) if f"conv3:{u}" not in caught.effective()][:2]
    both = caught.annotate(
        f"group:conv3:{free[0]},conv3:{free[1]}", "snow", author="ada", concepts=("snow",)
    )
    named = replace(
        both.concept_set,
        concept_names=tuple("snowy" if n == "snow" else n for n in both.concept_set.concept_names),
    )
    todo = plan_weight_step(both.with_(concept_set=named), check(both), Lexicon.load(), ())
    assert set(free) <= set(todo.silence)
    assert all(dict(todo.aims)[u] == 3 for u in free)


def test_units_beyond_the_few_that_match_best_are_free_where_versions_agree(caught) -> None:
    many = caught
    free = [u for u in range(24) if f"conv3:{u}" not in caught.effective()]
    for unit in free[: UNITS_A_CONCEPT + 1]:
        many = many.annotate(f"conv3:{unit}", "snow", author="r", author_kind="rule")
    todo = plan_weight_step(many, check(many), Lexicon.load(), ())
    lone = [u for u in todo.silence if dict(todo.aims).get(u) == 3]
    assert len(lone) > UNITS_A_CONCEPT
    freed = todo.with_surplus_freed()
    kept = [u for u, c in freed.aims if c == 3]
    assert len(kept) == UNITS_A_CONCEPT
    assert set(freed.silence) == set(todo.silence) - set(todo.surplus)
    person = many.annotate(f"conv3:{todo.surplus[0]}", "snow", author="ada")
    assert (
        todo.surplus[0] not in plan_weight_step(person, check(person), Lexicon.load(), ()).surplus
    )
