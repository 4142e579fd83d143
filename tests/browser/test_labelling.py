"""Labelling as labellers do it: by key alone, the same in JupyterLab and through Voila."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from circuitz.cards.card import Card, ClassEntry, Cue, UnitExemplars
from circuitz.labelling.tasks.pack import Question, Sighting, TaskPack, opaque_question_id
from circuitz.labelling.tasks.pack_io import write_pack
from circuitz.store.judgements import Judgements
from circuitz.widgets.serving import jupyterlab as lab
from circuitz.widgets.serving import voila

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = ".jp-OutputArea-output .cz-labelling"
EVIL = "<img src=x onerror=\"alert('no')\"><script>alert('no')</script>"


def picture(seed: int) -> bytes:
    """Some stripes: no two alike."""
    draw = np.random.default_rng(seed)
    stripes = draw.integers(40, 220, (8, 1, 3), dtype=np.uint8)
    image = Image.fromarray(np.broadcast_to(stripes, (8, 8, 3)).copy())
    buffer = io.BytesIO()
    image.resize((64, 64), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def make(
    place: Path, *, asks: int = 8, overlap: int = 1, evil: bool = False,
    names: tuple[str, ...] = ("husky", "corgi", "poodle"),
) -> TaskPack:  # fmt: skip
    """Write a pack made by hand; nothing in these tests needs a network."""
    names = (EVIL, "corgi", "poodle") if evil else names
    words = EVIL if evil else "pointed ears"
    cue = Cue(words, (), ("conv:1",), 0.4, (UnitExemplars("conv", "conv:1", (0, 1)),))
    against = Cue("curly coat", (), ("conv:2",), -0.2, ())
    card = Card(
        tuple(ClassEntry(n, (cue, against), (0.1, 0.0, 0.2)) for n in names), "dog", "z" * 32
    )
    questions = tuple(
        Question(
            opaque_question_id(0, f"item-{i}", "ask"), f"item-{i}", "ask", f"{i}.png",
            f"pictures/{i}.png", (Sighting(words, ("conv:1",), 0.9, 0),),
        )
        for i in range(asks)
    )  # fmt: skip
    heat = np.zeros((1, 4, 4), np.uint8)
    heat[0, :2, :2] = 255
    pack = TaskPack(
        name=EVIL if evil else "Which kind of dog is it?", card=card, questions=questions, seed=0,
        overlap=overlap, guidelines=EVIL if evil else "Say what you see.\n\nTake your time.",
        heat=heat, pictures={q.picture: picture(i) for i, q in enumerate(questions)},
        exemplars={0: picture(90), 1: picture(91)}, lease=60.0,
    )  # fmt: skip
    write_pack(pack, place)
    return pack


class Desk:
    """Where a labeller sits: a server, and how its page is opened."""

    def __init__(self, stack: ExitStack, tasks: Path, store: Path, visitors, where: str) -> None:
        self.stack, self.tasks, self.store, self.where = stack, tasks, store, where
        self.port = lab.pick_free_port()
        self.visitors = visitors
        self.start()

    def start(self) -> None:
        if self.where == "voila":
            self.server = self.visitors(
                "--tasks", self.tasks, "--store", self.store, "--author", "mira",
                "--port", self.port,
            )  # fmt: skip
            self.process = self.server.process
            self.url = self.server.url
        else:
            self.process, self.url = self.stack.enter_context(jupyterlab(self))

    def open(self, page: Page) -> Locator:
        """Show the screen, and leave the focus on it."""
        page.goto(self.url)
        if self.where == "lab":
            expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
            self.run(page)
        screen = page.locator(SCREEN)
        expect(screen).to_be_visible()
        screen.scroll_into_view_if_needed()
        if self.where == "lab":
            screen.focus()
        return screen

    def run(self, page: Page) -> None:
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def kernels(self) -> list[int]:
        ids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        alive = [int(part) for part in ids.split()]
        return [i for i in alive if b"ipykernel" in Path(f"/proc/{i}/cmdline").read_bytes()]


@contextmanager
def jupyterlab(desk: Desk) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """JupyterLab on a copy of the labelling notebook."""
    folder = desk.tasks.parent / "lab"
    folder.mkdir(exist_ok=True)
    book = json.loads(voila.find_shipped_notebook(voila.LABEL).read_text(encoding="utf-8"))
    book["metadata"].pop("jupytext", None)
    (folder / "label.ipynb").write_text(json.dumps(book))
    news = Path(os.environ["JUPYTERLAB_SETTINGS_DIR"]) / lab._NEWS
    news.parent.mkdir(parents=True, exist_ok=True)
    news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    log = folder / "server.log"
    environment = {
        **os.environ, "JUPYTER_TOKEN": "secret-token", "CIRCUITZ_TASKS": str(desk.tasks),
        "CIRCUITZ_STORE": str(desk.store), "CIRCUITZ_RATER": "mira",
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }  # fmt: skip
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={desk.port}", f"--ServerApp.root_dir={folder}"),
        "--ServerApp.ip=127.0.0.1", "--LabApp.news_url=",
    ]  # fmt: skip
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    base = f"http://127.0.0.1:{desk.port}"
    try:
        lab._wait_until_server_answers(process, base, "secret-token", log)
        yield process, f"{base}/lab/tree/label.ipynb?token=secret-token"
    finally:
        lab.stop_server_process(process)


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return tmp_path / "work" / "a.tasks"


@pytest.fixture
def store(tmp_path: Path) -> Judgements:
    return Judgements(tmp_path / "work" / "answers.sqlite")


@pytest.fixture(params=["lab", "voila"])
def desk(request, tasks: Path, store: Judgements, visitors) -> Iterator[Desk]:
    make(tasks)
    with ExitStack() as stack:
        yield Desk(stack, tasks, store.path, visitors, request.param)


def saved(screen: Locator, answered: int) -> None:
    """Wait until so many answers are stored."""
    expect(screen.locator("[data-cz=progress]")).to_contain_text(f"{answered} answered")
    expect(screen.locator("[data-cz=saved]")).to_contain_text("saved")


def choices(screen: Locator) -> list[str]:
    return [str(b.get_attribute("data-choice")) for b in screen.locator(".cz-choice").all()]


def current(screen: Locator) -> str:
    return str(screen.locator("[data-cz=picture]").get_attribute("data-question"))


def answer(page: Page, key: str) -> None:
    """Look at the picture, then press; a press that came too early is said to be, and repeated."""
    for _ in range(50):
        page.wait_for_timeout(400)
        page.keyboard.press(key)
        if not page.locator(f"{SCREEN} [data-cz=refused]").count():
            return
    raise AssertionError(f"{key} was never counted")


def said(store: Judgements) -> list[str]:
    """Choices in force, in the order they were given."""
    return [str(row.answer["choice"]) for row in store.rows() if row.answer]


def whole(store: Judgements) -> None:
    """Nothing is there twice: one chain of answers a picture and rater, every key once."""
    rows = store.rows(current=False)
    assert len({row.key for row in rows}) == len(rows)
    standing = [(row.rater, row.items) for row in store.rows()]
    assert len(set(standing)) == len(standing)
    first = [(row.rater, row.items) for row in rows if not row.supersedes]
    assert len(set(first)) == len(first)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what the page does not show."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def shoot(page: Page, tmp_path: Path, name: str) -> None:
    folder = Path(os.environ.get("CIRCUITZ_PICTURES", tmp_path / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


def test_label_undo_edit_come_back_and_lose_nothing(page, watch, desk, store, tmp_path):
    screen = desk.open(page)
    options = choices(screen)
    shoot(page, tmp_path, f"{desk.where}-first")

    # Three answers; the second taken back and given anew; the first changed.
    answer(page, "1")
    saved(screen, 1)
    asked = current(screen)
    answer(page, "2")
    saved(screen, 2)
    page.keyboard.press("Backspace")
    expect(screen.locator("[data-cz=picture]")).to_have_attribute("data-question", asked)
    saved(screen, 1)
    answer(page, "3")
    answer(page, "0")
    saved(screen, 3)
    assert said(store) == [options[0], options[2], "cannot tell"]
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(screen.locator("[data-cz=editing]")).to_be_visible()
    expect(screen.locator(".cz-choice[aria-pressed=true]")).to_contain_text(options[0])
    shoot(page, tmp_path, f"{desk.where}-editing")
    answer(page, "2")
    expect(screen.locator("[data-cz=editing]")).to_have_count(0)
    expect(screen.locator(".cz-thumb").first).to_have_attribute("data-given", options[1])
    expect(screen.locator(".cz-thumb").first).to_have_attribute("data-saved", "true")
    assert sorted(said(store)) == sorted([options[1], options[2], "cannot tell"])

    # One set aside; where the model sees something; letters stay on the screen.
    aside = current(screen)
    answer(page, "l")
    expect(screen.locator("[data-cz=progress]")).to_contain_text("1 set aside")
    page.keyboard.press("m")
    expect(screen.locator("figcaption")).to_have_text("marked: pointed ears")
    page.keyboard.press("?")
    expect(screen.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(screen.get_by_role("dialog")).to_have_count(0)
    for key in "abdyz":
        page.keyboard.press(key)
    saved(screen, 3)
    waiting = current(screen)

    # The tab is closed and opened again.
    page.goto("about:blank")
    screen = desk.open(page)
    saved(screen, 3)
    assert current(screen) == waiting
    expect(screen.locator(".cz-thumb")).to_have_count(3)

    # The kernel dies while answers are given: they wait, and are sent when somebody listens.
    (kernel,) = desk.kernels()
    assert "libtorch" not in Path(f"/proc/{kernel}/maps").read_text()
    with watch.outage():
        os.kill(kernel, signal.SIGSTOP)
        answer(page, "1")
        answer(page, "2")
        os.kill(kernel, signal.SIGKILL)
        expect(screen.locator("[data-cz=lost]")).to_be_visible()
        expect(screen.locator("[data-cz=saved]")).to_contain_text("2 answers kept on this page")
        shoot(page, tmp_path, f"{desk.where}-lost")
        assert len(said(store)) == 3
        page.goto("about:blank")
    screen = desk.open(page)
    saved(screen, 5)
    assert said(store)[-2:] == [options[0], options[1]]
    expect(screen.locator("[data-saved=false]")).to_have_count(0)

    # To the end: what was set aside comes last.
    for n in (6, 7):
        answer(page, "x" if n == 6 else "1")
        saved(screen, n)
    assert current(screen) == aside
    answer(page, "1")
    expect(screen.locator("[data-cz=done]")).to_contain_text("Thank you, mira")
    saved(screen, 8)
    shoot(page, tmp_path, f"{desk.where}-done")
    whole(store)
    assert len(said(store)) == 8
    assert {row.rater for row in store.rows()} == {"mira"}
    watch.check()


def test_a_saved_notebook_whose_kernel_died_comes_back_to_work(page, watch, tasks, store, visitors):
    make(tasks)
    with ExitStack() as stack:
        desk = Desk(stack, tasks, store.path, visitors, "lab")
        screen = desk.open(page)
        answer(page, "1")
        saved(screen, 1)
        page.get_by_role("menuitem", name="File", exact=True).click()
        page.locator("li[data-command='docmanager:save']").click()
        book = tasks.parent / "lab" / "label.ipynb"
        until(lambda: "widget-view" in book.read_text())
        (kernel,) = desk.kernels()
        with watch.outage():
            os.kill(kernel, signal.SIGKILL)
            until(lambda: desk.kernels() not in ([], [kernel]))
            page.goto("about:blank")
            screen = desk.open(page)
        saved(screen, 1)
        answer(page, "2")
        saved(screen, 2)
        whole(store)
        assert len(said(store)) == 2
    # JupyterLab says of the saved output that its widget is gone, until the cell is run: on a
    # slow machine it says so again while the output of that run waits for its widget.
    watch.check(besides="widget model not found")


def test_a_server_that_stalls_or_restarts_costs_no_answer(page, watch, tasks, store, visitors):
    make(tasks)
    with ExitStack() as stack:
        desk = Desk(stack, tasks, store.path, visitors, "voila")
        screen = desk.open(page)
        # The kernel stalls: the screen goes on, and everything arrives once.
        (kernel,) = desk.kernels()
        os.kill(kernel, signal.SIGSTOP)
        try:
            for key in "123":
                answer(page, key)
            expect(screen.locator("[data-cz=slow]")).to_be_visible()
            expect(screen.locator(".cz-thumb[data-saved=false]")).to_have_count(3)
        finally:
            os.kill(kernel, signal.SIGCONT)
        saved(screen, 3)
        expect(screen.locator("[data-cz=slow]")).to_have_count(0)
        assert said(store) == choices(screen)
        # The server goes, and another comes in its place.
        with watch.outage():
            desk.server.stop()
            answer(page, "1")
            expect(screen.locator("[data-cz=lost]")).to_be_visible()
            page.goto("about:blank")
            desk.start()
        screen = desk.open(page)
        saved(screen, 4)
        whole(store)
        assert len(said(store)) == 4
    watch.check()


MANY = (
    "B\u00e4r",
    "Bark",
    "corgi",
    "cardigan corgi",
    "poodle",
    "husky",
    "akita",
    "boxer",
    "pug",
    "beagle",
)


@pytest.fixture
def labeller(chromium: Browser, watch, tasks: Path, store: Judgements, visitors):
    """Opens a page for a labeller of ten classes; what each has answered comes as a list."""
    make(tasks, asks=12, overlap=9, names=MANY)
    server = visitors("--tasks", tasks, "--store", store.path)
    with ExitStack() as stack:

        def come(name: str, **context: object) -> Page:
            page = stack.enter_context(chromium.new_context(**context)).new_page()  # type: ignore[arg-type]
            page.set_default_timeout(60_000)
            watch.follow(page)
            page.goto(f"{server.url}&author={name}")
            expect(page.locator(f"{SCREEN} [data-cz=picture] img")).to_be_visible()
            page.wait_for_timeout(1000)
            return page

        yield come, lambda name: [r.answer["choice"] for r in store.rows(rater=name) if r.answer]


def test_a_double_click_a_double_tap_and_a_held_or_drummed_key_answer_one_picture(labeller, watch):
    come, answers = labeller
    page = come("mouse")
    option = page.locator(f"{SCREEN} .cz-choice").first
    option.dblclick()
    expect(page.locator("[data-cz=refused]")).to_contain_text("Not counted")
    expect(page.locator("[data-cz=said]")).to_contain_text("Not counted")
    expect(option).to_be_focused()
    saved(page.locator(SCREEN), 1)
    phone = come("thumb", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    phone.tap(f"{SCREEN} .cz-choice")
    phone.wait_for_timeout(120)
    phone.tap(f"{SCREEN} .cz-choice")
    keys = come("key")
    for _ in range(20):
        keys.keyboard.down("1")
        keys.wait_for_timeout(30)
    keys.keyboard.up("1")
    drum = come("drum")
    for _ in range(20):
        drum.keyboard.press("1")
    for page, name, n in ((phone, "thumb", 1), (keys, "key", 1), (drum, "drum", 1)):
        saved(page.locator(SCREEN), n)
        assert len(answers(name)) == n
    watch.check()


def test_enter_in_the_filter_takes_the_one_class_that_is_left(labeller, watch):
    come, answers = labeller
    page = come("find")
    field = page.locator("[data-cz=filter]")
    for text in ("", "a", "corgi"):
        page.keyboard.press("/")
        expect(field).to_be_focused()
        field.fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("[data-cz=refused]")).to_be_visible()
        page.keyboard.press("Escape")
    page.keyboard.press("/")
    field.fill("Ba\u0308r")
    expect(page.locator(".cz-choice")).to_have_count(2)
    field.fill("cardigan")
    page.keyboard.press("Enter")
    saved(page.locator(SCREEN), 1)
    assert answers("find") == ["cardigan corgi"]
    watch.check()


def test_a_picture_in_a_hidden_tab_or_scrolled_away_was_not_seen(labeller, watch):
    come, answers = labeller
    page = come("away", viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    turn = (
        "(state) => { Object.defineProperty(document, 'visibilityState', {value: state, "
        "configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }"
    )
    answer(page, "1")
    page.evaluate(turn, "hidden")
    page.wait_for_timeout(1500)
    page.evaluate(turn, "visible")
    page.keyboard.press("1")
    expect(page.locator("[data-cz=refused]")).to_contain_text("only just come")
    saved(page.locator(SCREEN), 1)
    # The picture stays in view however far down the classes are.
    page.locator(".cz-choice").last.scroll_into_view_if_needed()
    expect(page.locator("[data-cz=picture] img")).to_be_in_viewport(ratio=0.5)
    assert len(answers("away")) == 1
    watch.check()


def test_two_people_at_once_share_the_work(chromium: Browser, watch, tasks, store, visitors):
    make(tasks, asks=6, overlap=1)
    server = visitors("--tasks", tasks, "--store", store.path)
    pages: list[Page] = []
    for name in ("ada", "bob"):
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        watch.follow(page)
        page.goto(server.url)
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.locator(SCREEN)).to_be_visible(timeout=60_000)
        pages.append(page)
    screens = [page.locator(SCREEN) for page in pages]
    # Four are before ada, two before bob; each answers theirs, and nobody anything twice.
    for page, screen, n in ((pages[1], screens[1], 2), (pages[0], screens[0], 4)):
        for done in range(1, n + 1):
            answer(page, "1")
            saved(screen, done)
    expect(screens[0].locator("[data-cz=done]")).to_be_visible()
    counts = dict.fromkeys(("ada", "bob"), 0)
    for row in store.rows():
        counts[row.rater] += 1
    assert counts == {"ada": 4, "bob": 2}
    whole(store)
    for page in pages:
        page.context.close()
    watch.check()


def test_hostile_text_is_shown_as_text(page, watch, tasks, store, visitors):
    make(tasks, evil=True)
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    server = visitors("--tasks", tasks, "--store", store.path, "--author", EVIL[:60])
    page.goto(server.url)
    screen = page.locator(SCREEN)
    expect(screen).to_be_visible()
    for part in ("h2", ".cz-guidelines", ".cz-choice", ".cz-cue-words", ".cz-sign-words"):
        expect(screen.locator(part, has_text=EVIL).first).to_be_visible()
    number = choices(screen).index(EVIL) + 1
    answer(page, str(number))
    page.keyboard.press("m")
    saved(screen, 1)
    assert said(store) == [EVIL]
    assert screen.locator("script, img[src=x]").count() == 0
    assert alerts == []
    watch.check()


def test_a_pack_that_went_missing_is_told_on_the_page(page, watch, tasks, visitors):
    make(tasks)
    server = visitors("--tasks", tasks, "--author", "mira")
    tasks.rename(tasks.with_name("elsewhere"))
    page.goto(server.url)
    expect(page.get_by_role("alert")).to_contain_text("no task pack")
    watch.check()


def test_without_a_name_one_is_asked_for(page, watch, tasks, store, visitors):
    make(tasks)
    with ExitStack() as stack:
        desk = Desk(stack, tasks, store.path, visitors, "lab")
        book = tasks.parent / "lab" / "label.ipynb"
        text = book.read_text().replace(
            "import sys", "import os, sys; os.environ['CIRCUITZ_RATER']=''"
        )
        book.write_text(text)
        page.goto(desk.url)
        expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
        desk.run(page)
        screen = page.locator(SCREEN)
        field = screen.get_by_label("Your name")
        field.focus()
        page.keyboard.type("Jon Doe")
        page.keyboard.press("Enter")
        expect(screen.locator("[data-cz=picture]")).to_be_visible()
        answer(page, "1")
        saved(screen, 1)
        assert store.rows()[0].rater == "Jon Doe"
        screen.get_by_role("button", name="Not you?").press("Enter")
        expect(screen.get_by_label("Your name")).to_have_value("Jon Doe")
        page.keyboard.press("Enter")
        expect(screen.locator(".cz-thumb")).to_have_count(1)
    watch.check()
