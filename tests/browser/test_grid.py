"""A page of pictures about one word, answered by keys in Chromium through Voila."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from circuitz.cards.card import Card, ClassEntry
from circuitz.labelling.tasks.pack import Question, TaskPack, opaque_question_id
from circuitz.labelling.tasks.pack_io import write_pack
from circuitz.store.judgements import Judgements

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = ".cz-labelling"


def picture(seed: int) -> bytes:
    draw = np.random.default_rng(seed)
    image = Image.fromarray(draw.integers(40, 220, (4, 4, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    image.resize((64, 64), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "answers.sqlite")


@pytest.fixture
def come(chromium: Browser, watch, tmp_path: Path, store: Judgements, visitors):
    """Opens a page for a rater."""
    questions = tuple(
        Question(opaque_question_id(0, f"{word} {i}", kind, word), f"{word} {i}", kind, "", f"pictures/{i}.png", word=word)
        for word in ("snow", "pointed ears")
        for i, kind in enumerate(["ask"] * 20 + ["gold"] * 2)
    )  # fmt: skip
    pack = TaskPack(
        name="What do these pictures show?", card=Card((ClassEntry("yes", ()), ClassEntry("no", ()))),
        questions=questions, seed=0, overlap=2, guidelines="Look.\n\nTake your time.",
        gold={q.id: "yes" for q in questions if q.kind == "gold"},
        pictures={f"pictures/{i}.png": picture(i) for i in range(22)}, lease=60.0,
    )  # fmt: skip
    write_pack(pack, tmp_path / "a.tasks")
    server = visitors("--tasks", tmp_path / "a.tasks", "--store", store.path)
    with ExitStack() as stack:

        def open_page(name: str, **context: object) -> Page:
            page = stack.enter_context(chromium.new_context(**context)).new_page()  # type: ignore[arg-type]
            page.set_default_timeout(60_000)
            watch.follow(page)
            page.goto(f"{server.url}&author={name}")
            expect(page.locator(".cz-tile img").first).to_be_visible()
            page.wait_for_timeout(1500)
            return page

        yield open_page


def in_force(store: Judgements, rater: str) -> Counter[str]:
    return Counter(str(r.answer["choice"]) for r in store.rows(rater=rater) if r.answer)


def test_pages_are_answered_and_taken_back_by_keys_alone(come, store: Judgements) -> None:
    page = come("mira", viewport={"width": 700, "height": 560})
    tiles = page.locator(".cz-tile")
    expect(page.locator("[data-cz=asks]")).to_have_text("Click the pictures that show snow")
    count = tiles.count()
    assert count >= 12
    for key in (" ", "ArrowRight", "-", "ArrowDown", "x"):
        page.keyboard.press(key)
    expect(page.locator("[data-cz=tally]")).to_have_text(
        f"1 shows it · {count - 3} do not · 1 cannot tell · 1 not usable"
    )
    # Pictures that were never in view are answered by nobody.
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(500)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the second one is meant for the page before
    expect(page.locator("[data-cz=progress]")).to_contain_text(f"{count} answered")
    assert in_force(store, "mira") == {"yes": 1, "cannot tell": 1, "not usable": 1, "no": count - 3}
    rows = store.rows(rater="mira")
    assert [r.answer["place"] for r in rows if r.answer] == list(range(count))
    assert len({r.answer["page"] for r in rows if r.answer}) == 1
    assert {r.use for r in rows} == {"train", "gold"}
    page.wait_for_timeout(1000)
    page.keyboard.press("u")
    expect(page.locator("[data-cz=progress]")).to_contain_text("0 answered")
    assert in_force(store, "mira") == {}
    expect(page.locator(".cz-tile[data-mark=yes]")).to_have_count(1)
    # The focus is on a picture: the whole way needs no mouse.
    assert page.evaluate("document.activeElement.matches('.cz-tile')")


def test_two_at_once_and_a_page_that_is_loaded_again(come, store: Judgements) -> None:
    ada, ben = (come(name, viewport={"width": 1280, "height": 800}) for name in ("ada", "ben"))
    for name, page in (("ada", ada), ("ben", ben)):
        page.locator(".cz-tile").nth(2).click()
        page.locator(".cz-tile").nth(3).click(click_count=1)
        page.wait_for_timeout(400)
        page.locator(".cz-tile").nth(3).click()
        page.locator("[data-cz=submit]").click()
        expect(page.locator("[data-cz=saved]")).to_contain_text("all answers saved")
        assert in_force(store, name)["yes"] == 1
        assert in_force(store, name)["cannot tell"] == 1
    ada.reload()
    expect(ada.locator(".cz-tile img").first).to_be_visible()
    ada.wait_for_timeout(1500)
    ada.locator("[data-cz=undo-page]").click()
    expect(ada.locator(".cz-tile[data-mark=yes]")).to_have_count(1)
    expect(ada.locator("[data-cz=progress]")).to_contain_text("0 answered")
    assert in_force(store, "ada") == {}
    assert in_force(store, "ben")["yes"] == 1


@pytest.mark.parametrize("width", [320, 640, 1920])
def test_nothing_is_clipped_and_one_at_a_time_is_remembered(come, width: int) -> None:
    page = come("cleo", viewport={"width": width, "height": 800}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [tile.bounding_box() for tile in page.locator(".cz-tile").all()]
    assert all(
        b and b["x"] >= 0 and b["x"] + b["width"] <= width and b["width"] >= 100 for b in boxes
    )
    page.keyboard.press("g")
    expect(page.locator("[data-cz=asks]")).to_have_text("Does this picture show snow?")
    page.reload()
    expect(page.locator("[data-cz=asks]")).to_have_text("Does this picture show snow?")
