"""Comparing, labelling without the picture, and saying what is to be seen: by key, through Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.cards_in_store import activity_from_store, card_from_store
from circuitz.cards.cue_levels import activities_from_levels
from circuitz.cards.judged.comparison import Reason
from circuitz.cards.judged.questions_to_ask import class_questions_to_ask, hypotheses_to_ask
from circuitz.cards.judged.read_back import read_judged_answers
from circuitz.labelling.tasks.make_judging_pack import make_compare_pack
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.pack_io import write_pack
from circuitz.labelling.tasks.pack_of_asked import pack_of_asked_questions
from circuitz.store.judgements import Judgements

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = ".cz-labelling"
EVIL = "<img src=x onerror=\"alert('no')\">"


def card(*words: str) -> Card:
    husky = tuple(Cue(w, (w,), (f"conv:{i}",), 0.4 - i / 5) for i, w in enumerate(words))
    corgi = (Cue("short legs", ("short legs",), ("conv:9",), 0.4),)
    return Card((ClassEntry("husky", husky), ClassEntry("corgi", corgi)), "dog", "z" * 32)


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "work" / "answers.sqlite")


@pytest.fixture
def opened(
    tmp_path: Path, store: Judgements, visitors, page: Page, watch
) -> Callable[[TaskPack], Locator]:
    """Serves a pack and opens its screen."""

    def show(pack: TaskPack) -> Locator:
        tasks = tmp_path / "work" / "a.tasks"
        write_pack(pack, tasks)
        server = visitors("--tasks", tasks, "--store", store.path, "--author", "mira")
        page.goto(server.url)
        screen = page.locator(SCREEN)
        expect(screen).to_be_visible()
        return screen

    return show


def current(screen: Locator) -> str:
    return str(screen.locator("[data-question]").get_attribute("data-question"))


def say(page: Page, screen: Locator, key: str, answered: int) -> None:
    """Look, press, and wait until it is stored; a press that came too early is repeated."""
    for _ in range(50):
        page.wait_for_timeout(400)
        page.keyboard.press(key)
        if not screen.locator("[data-cz=refused]").count():
            break
    expect(screen.locator("[data-cz=progress]")).to_contain_text(f"{answered} answered")
    expect(screen.locator("[data-cz=saved]")).to_contain_text("saved")


def fits(page: Page, screen: Locator) -> None:
    """Nothing is wider than the window, and every answer can be reached, at any width."""
    for width, height in ((1920, 1080), (900, 700), (320, 700), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        # The page is laid out anew a moment after the window has its size.
        for _ in range(50):
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide <= 0:
                break
            page.wait_for_timeout(100)
        assert wide <= 0, f"{width}: {wide} px too wide"
        for button in screen.locator("[data-cz=choices] button").all():
            box = button.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 1, (width, button.text_content())


def test_two_cards_are_compared_and_the_reason_is_pointed_at_by_key(
    page: Page, opened, store, watch
) -> None:
    cards = [card("snow", "pointed ears"), card("pointed ears"), card(EVIL)]
    pack = make_compare_pack(cards, n=3, overlap=1, seed=2)
    screen = opened(pack)
    fits(page, screen)
    first = pack.question_by_id(current(screen))
    sides = [screen.locator(f".cz-pair-class >> nth=0 >> [data-side={s}]") for s in "ab"]
    for side, item in zip(sides, first.items, strict=True):
        for cue in pack.cards[item].entry_of_class("husky").cues:
            expect(side).to_contain_text(cue.words)
    # Corgi is alike on both, and stands behind a button.
    expect(screen.locator(".cz-pair-class")).to_have_count(1)
    screen.locator("[data-cz=alike]").press("Enter")
    expect(screen.locator(".cz-pair-class")).to_have_count(2)
    assert current(screen) == first.id

    # The first arrow of the first side that has one, reached by Tab alone.
    page.locator(SCREEN).focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "cz-arrow":
            break
    page.keyboard.press("Enter")
    pressed = screen.locator(".cz-arrow[aria-pressed=true]")
    expect(pressed).to_have_count(1)
    words = str(screen.locator("[data-marked=true] .cz-pair-words").text_content())
    screen.locator("[data-cz=note]").fill("1 is not a word of mine")
    page.keyboard.press("Escape")
    say(page, screen, "4", 1)
    (one,) = read_judged_answers(store.rows(), pack.cards.values()).comparisons
    assert (one.outcome, one.note) == ("both implausible", "1 is not a word of mine")
    assert (one.a_hash, one.b_hash) == first.items
    (reason,) = one.reasons
    assert reason == Reason(reason.side, "husky", words, "arrow")
    assert card_from_store(store, one.a_hash) == pack.cards[one.a_hash]

    # Taken back it is asked again, with its reason; then the left one is the better.
    page.keyboard.press("Backspace")
    expect(pressed).to_have_count(1)
    assert current(screen) == first.id
    say(page, screen, "1", 1)
    for answered in (2, 3):
        if screen.locator("[data-cz=done]").count():
            break
        say(page, screen, "2", answered)
    expect(screen.locator("[data-cz=done]")).to_be_visible()
    found = read_judged_answers(store.rows(current=False), pack.cards.values())
    assert next(one.outcome for one in found.comparisons) == "a"
    assert len(found.withdrawn) == 2
    watch.check()


def test_a_class_is_told_from_what_the_model_sees_alone(page: Page, opened, store, watch) -> None:
    held = card("snow", "pointed ears")
    levels = np.array([[0.8, -0.4, 0.0], [0.0, 0.6, 0.2]])
    places = [[("90", "00")] * 3] * 2
    shown = activities_from_levels(held, levels, places)
    pack = pack_of_asked_questions(class_questions_to_ask(held, ["p0", "p1"], shown))
    screen = opened(pack)
    fits(page, screen)
    assert not page.locator("img").count()
    row = screen.locator(".cz-activity-row").first
    expect(row).to_contain_text("snow")
    expect(row).to_contain_text("much more than usual")
    expect(row).to_contain_text("top left")
    expect(row.locator("i[data-on=true]")).to_have_count(4)
    key = str(screen.locator(".cz-choice[data-choice=husky] kbd").text_content())
    page.keyboard.press("x")  # there is no picture that could be broken
    say(page, screen, key, 1)
    say(page, screen, "0", 2)
    found = read_judged_answers(store.rows(), [held])
    assert [(one.arm, one.item, one.choice) for one in found.class_answers] == [
        ("hidden", "p0", "husky"), ("hidden", "p1", "cannot tell"),
    ]  # fmt: skip
    assert activity_from_store(store, found.class_answers[0].activity_hash) == shown[0]
    watch.check()


def test_what_is_to_be_seen_is_said_in_words_and_survives_a_reload(
    page: Page, opened, store, watch
) -> None:
    pictures = {t: np.full((8, 8, 3), 90, np.uint8) for t in ("output:husky", "conv:3")}
    pack = pack_of_asked_questions(
        hypotheses_to_ask(list(pictures), ["snow", EVIL, "尖った耳"], pictures=pictures, raters=1)
    )
    screen = opened(pack)
    fits(page, screen)
    expect(screen.locator("[data-cz=asks]")).to_have_text("What does husky look like?")
    page.locator(SCREEN).focus()
    page.keyboard.press("1")
    page.keyboard.press("2")
    page.keyboard.press("2")
    word = str(screen.locator(".cz-word-chip[aria-pressed=true]").get_attribute("data-word"))
    page.keyboard.press("/")
    page.keyboard.type("blue eyes; 2 ears")
    say(page, screen, "Enter", 1)
    expect(screen.locator("[data-cz=asks]")).to_have_text("What does this part of the model see?")
    page.reload()
    expect(screen.locator("[data-cz=progress]")).to_contain_text("1 answered")
    expect(screen.locator(".cz-thumb")).to_contain_text("blue eyes")
    screen.locator(".cz-thumb").click()
    expect(screen.locator("[data-cz=written]")).to_have_value("blue eyes; 2 ears")
    (one,) = read_judged_answers(store.rows()).hypotheses
    assert one.target == "output:husky"
    assert one.phrases == (word, "blue eyes", "2 ears")
    watch.check()


def test_what_is_half_said_outlives_a_reload_and_has_the_focus_again(
    page: Page, opened, store, watch
) -> None:
    cards = [card("snow", "pointed ears"), card("pointed ears")]
    screen = opened(make_compare_pack(cards, n=1, overlap=1, seed=2))
    screen.locator(".cz-arrow").first.press("Enter")
    page.locator(SCREEN).focus()
    page.keyboard.press("/")
    page.keyboard.type("1 is the ground")
    page.reload()
    note = screen.locator("[data-cz=note]")
    expect(note).to_have_value("1 is the ground")
    expect(note).to_be_focused()
    expect(screen.locator(".cz-arrow[aria-pressed=true]")).to_have_count(1)
    page.keyboard.type(", no dog")
    # The arrow pointed at last is where Tab goes on from.
    screen.locator(".cz-arrow[aria-pressed=true]").focus()
    page.reload()
    expect(screen.locator(".cz-arrow[aria-pressed=true]")).to_be_focused()
    page.keyboard.press("Escape")
    say(page, screen, "2", 1)
    (one,) = read_judged_answers(store.rows()).comparisons
    assert (one.note, len(one.reasons)) == ("1 is the ground, no dog", 1)
    page.reload()
    expect(screen.locator("[data-cz=progress]")).to_contain_text("1 answered")
    assert page.evaluate("Object.keys(localStorage).filter(k => k.includes('draft'))") == []
    watch.check()
