"""The studio served to visitors: one way through it, the same in JupyterLab and in Voila."""

from __future__ import annotations

import asyncio
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from circuitz.z.bundle.load_save import load

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHIPPED = Path(__file__).parents[2] / "binder" / "shipped.tar.xz"
NO_KERNEL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The small z a Binder link opens, to edit."""
    with tarfile.open(SHIPPED) as packed:
        packed.extractall(tmp_path / "work", filter="data")
    return tmp_path / "work" / "husky.z"


def test_walk_write_undo_and_reload_by_keyboard_alone(page, watch, bundle, opened):
    screen = opened(page, bundle)
    head = screen.locator(".cz-inspector-head h3")
    inspector = screen.locator(".cz-inspector")
    involved = inspector.locator(".cz-involved")

    # Walk.
    page.keyboard.press("/")
    page.keyboard.type("snow")
    page.keyboard.press("Enter")
    page.keyboard.press("Home")
    expect(head).to_contain_text("snow")
    first = inspector.get_attribute("data-unit")
    page.keyboard.press("ArrowRight")
    expect(inspector).not_to_have_attribute("data-unit", first)
    page.keyboard.press("ArrowLeft")
    expect(inspector).to_have_attribute("data-unit", first)

    # Write; the finding comes; undo; it goes.
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("fluffy coat")
    page.keyboard.press("Enter")
    expect(head).to_contain_text("fluffy coat")
    expect(screen.locator(".cz-saved")).to_contain_text("saved")
    expect(involved).to_contain_text("Mislabelled · flagged")
    assert load(bundle).effective()[first].text == "fluffy coat"
    page.keyboard.press("u")
    expect(head).to_contain_text("snow")
    expect(involved).not_to_contain_text("Mislabelled · flagged")

    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("snow on the ground")
    page.keyboard.press("Enter")
    expect(head).to_contain_text("snow on the ground")
    expect(screen.locator(".cz-saved")).to_contain_text("saved")

    # The page anew shows what was saved.
    page.goto("about:blank")
    screen = opened(page, bundle)
    page.keyboard.press("/")
    page.keyboard.type(first)
    page.keyboard.press("Enter")
    expect(screen.locator(".cz-inspector-head h3")).to_contain_text("snow on the ground")
    watch.check()


def test_a_visitor_gives_a_name_writes_and_leaves_no_kernel(page, watch, bundle, visitors):
    server = visitors(bundle, "--max-visitors", 2)
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Who is looking?")).to_be_visible()
    assert server.kernels() == 0
    page.keyboard.type("Mira Li")
    page.keyboard.press("Enter")
    screen = page.locator(".cz-studio")
    expect(screen).to_be_visible()
    expect(page.locator("#loading")).to_have_count(0)
    # The page is the screen's: keys work at once.
    unit = screen.locator(".cz-inspector").get_attribute("data-unit")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("winter")
    page.keyboard.press("Enter")
    expect(screen.locator(".cz-inspector-head h3")).to_contain_text("winter")
    assert load(bundle).effective()[unit].author == "Mira Li"

    # The kernel has never heard of torch, and knows neither token nor address.
    assert server.kernels() == 1
    (kernel,) = server.processes()
    assert "libtorch" not in Path(f"/proc/{kernel}/maps").read_text()
    assert server.token.encode() not in Path(f"/proc/{kernel}/environ").read_bytes()

    # A second tab is a visit of its own, by the name given before.
    other = page.context.new_page()
    watch.follow(other)
    other.goto(server.url)
    expect(other.get_by_label("Name")).to_have_value("Mira Li")
    other.keyboard.press("Enter")
    expect(other.locator(".cz-studio")).to_be_visible()
    server.until(2)
    other.close()
    server.until(1)
    page.close()
    server.until(0)
    assert server.processes() == []
    watch.check()


def test_without_the_token_nothing_opens_and_no_kernel_starts(page, watch, bundle, visitors):
    server = visitors(bundle, "--author", "mira")
    with watch.outage():  # the browser itself remarks on the refusal
        page.goto(server.base)
        expect(page.get_by_role("heading", name="opens with its link")).to_be_visible()
        page.keyboard.type("a wrong one")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not the token")
    assert server.kernels() == 0
    for path in ("circuitz/status", f"api/kernels/{NO_KERNEL}"):
        assert server.ask(path, Authorization="")[0] == 403
    assert server.ask("", Authorization="token wrong")[0] == 403
    page.keyboard.type(server.token)
    page.keyboard.press("Enter")
    expect(page.locator(".cz-studio")).to_be_visible()
    cookies = [c for c in page.context.cookies() if c["name"].startswith("username-")]
    assert [(c["sameSite"], c["httpOnly"]) for c in cookies] == [("Strict", True)]
    watch.check()


def test_pages_of_other_servers_can_do_nothing(page, watch, bundle, visitors):
    server = visitors(bundle, "--author", "mira")
    page.goto(server.url)
    expect(page.locator(".cz-studio")).to_be_visible()
    kernel = page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').text).kernelId"
    )
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
    here = server.base.rstrip("/")
    beacon = f"voila/api/shutdown/{kernel}"

    # With the visitor's cookie, from elsewhere, from nowhere, and under another name.
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {},
        {"Origin": "http://evil.example", "Host": "evil.example"},
    ):
        status, _ = server.ask(beacon, "POST", Authorization="", Cookie=cookie, **headers)
        assert status == 403, headers
        status, _ = server.ask(
            f"api/kernels/{kernel}", "DELETE", Authorization="", Cookie=cookie, **headers
        )
        assert status == 403, headers
    assert server.ask("", Cookie=cookie, Sec_Fetch_Dest="iframe")[0] == 403
    line = here.replace("http", "ws") + f"/api/kernels/{kernel}/channels"
    for origin, expected in ((None, 403), ("http://evil.example", 403), (here, 101)):
        # Elsewhere, because Playwright runs a loop of its own here.
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(asyncio.run, dial(line, cookie, origin)).result() == expected
    assert server.kernels() == 1

    # A page of another server, in the visitor's own browser.
    foreign = page.context.new_page()
    foreign.route(
        "http://localhost:1/**",
        lambda route: route.fulfill(body="<p>hello</p>", content_type="text/html"),
    )
    foreign.goto("http://localhost:1/")
    foreign.evaluate(
        "([beacon, line]) => { navigator.sendBeacon(beacon);"
        " return fetch(beacon, {method: 'POST', mode: 'no-cors', credentials: 'include'}).then(() => 0, () => 0) }",
        [here + "/" + beacon, line],
    )
    heard = foreign.evaluate(
        "line => new Promise(done => { const s = new WebSocket(line);"
        " s.onopen = () => done('open'); s.onerror = () => done('refused') })",
        line,
    )
    assert heard == "refused"
    assert server.kernels() == 1

    # The page's own word that it goes is heard.
    with watch.outage():  # it was not told that it goes
        assert page.evaluate("where => navigator.sendBeacon(where)", "/" + beacon)
        server.until(0)
        page.goto("about:blank")
    watch.check()


async def dial(line: str, cookie: str, origin: str | None) -> int:
    """Return the status with which a websocket is answered."""
    headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
    try:
        connection = await websocket_connect(HTTPRequest(line, headers=headers))
    except HTTPClientError as refused:
        return refused.code
    connection.close()
    return 101


def test_one_visitor_too_many_is_told_to_wait_and_comes_in_later(
    page, watch, bundle, visitors, chromium
):
    server = visitors(bundle, "--author", "mira", "--max-visitors", 1)
    page.goto(server.url)
    expect(page.locator(".cz-studio")).to_be_visible()
    late = chromium.new_context().new_page()
    assert late.goto(server.url).status == 503
    expect(late.get_by_role("heading", name="Every seat is taken")).to_be_visible()
    page.goto("about:blank")
    server.until(0)
    late.get_by_text("Look now").press("Enter")
    expect(late.locator(".cz-studio")).to_be_visible(timeout=30_000)
    late.context.close()
    watch.check()


def test_an_unused_session_ends_and_the_page_says_so(page, watch, bundle, visitors):
    server = visitors(bundle, "--author", "mira", "--idle", 4)
    page.goto(server.url)
    expect(page.locator(".cz-studio")).to_be_visible()
    line = page.locator("#cz-line")
    with watch.outage():  # the broken line is remarked on by Voila itself
        expect(line).to_contain_text("This session has ended")
        assert server.kernels() == 0
        line.get_by_role("button", name="Reload").press("Enter")
        expect(line).to_be_hidden()
        expect(page.locator(".cz-studio")).to_be_visible()
    assert watch.outside == []


def test_a_server_that_goes_away_is_said_and_the_same_page_comes_back(
    page, watch, bundle, visitors
):
    server = visitors(bundle, "--author", "mira")
    port = server.base.rstrip("/").rsplit(":", 1)[1]
    page.goto(server.url)
    screen = page.locator(".cz-studio")
    expect(screen).to_be_visible()
    line = page.locator("#cz-line")
    expect(line).to_be_hidden()
    kernels = server.processes()
    with watch.outage():
        page.context.set_offline(True)
        expect(line).to_contain_text("Connection lost")
        page.context.set_offline(False)
        expect(line).to_contain_text("Connected again")
        expect(line).to_be_hidden()
        # The screen goes on where it was.
        expect(screen.locator("[data-cz=lost]")).to_have_count(0)
        screen.locator(".cz-tiles").focus()
        unit = screen.locator(".cz-inspector").get_attribute("data-unit")
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("winter")
        page.keyboard.press("Enter")
        expect(screen.locator(".cz-inspector-head h3")).to_contain_text("winter")
        assert load(bundle).effective()[unit].text == "winter"
        server.stop()
        expect(line).to_contain_text("Connection lost")
        assert not any(Path(f"/proc/{kernel}").exists() for kernel in kernels)
        visitors(bundle, "--author", "mira", "--port", port, "--token", server.token)
        expect(line).to_contain_text("This session has ended")
        line.get_by_role("button", name="Reload").press("Enter")
        expect(page.locator("#loading")).to_have_count(0)
        expect(screen).to_be_visible()
    assert watch.outside == []


def test_read_only_visitors_write_nothing(page, watch, bundle, visitors):
    server = visitors(bundle, "--read-only")
    page.goto(server.url)
    screen = page.locator(".cz-studio")
    expect(screen).to_be_visible()
    screen.locator(".cz-tiles").focus()
    before = (bundle / "log.jsonl").read_bytes()
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type("winter")
    page.keyboard.press("Enter")
    expect(screen.locator("[data-code=read-only]")).to_be_visible()
    assert (bundle / "log.jsonl").read_bytes() == before
    watch.check()


def test_a_bundle_that_went_away_is_said_in_words(page, watch, bundle, visitors):
    server = visitors(bundle, "--author", "mira")
    bundle.rename(bundle.with_name("gone.z"))
    page.goto(server.url)
    expect(page.get_by_role("heading", name="This cannot be shown")).to_be_visible()
    assert json.loads(server.ask("circuitz/status")[1]) == {"kernels": 1, "most": 8}
    watch.check()


def test_a_slow_start_is_said_and_a_screen_that_never_comes_offers_to_reload(
    page, bundle, visitors
):
    server = visitors(bundle, "--author", "mira")
    page.clock.install()
    page.route("**/voila.js", lambda route: route.abort())
    page.goto(server.url)
    wait = page.locator(".cz-wait")
    expect(wait).to_contain_text("Opening the screen")
    expect(wait.get_by_role("button")).to_be_hidden()
    page.clock.run_for(25_000)
    expect(wait).to_contain_text("longer than usual")
    page.clock.run_for(10_000)
    expect(wait).to_contain_text("did not appear")
    page.unroute("**/voila.js")
    page.clock.resume()
    wait.get_by_role("button", name="Reload").press("Enter")
    expect(page.locator(".cz-studio")).to_be_visible()
    expect(wait).to_have_count(0)
