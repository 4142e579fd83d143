"""Served under a prefix and another name, by proxies of either kind, in a real browser."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from circuitz.store.judgements import Judgements
from circuitz.widgets.serving.jupyterlab import pick_free_port
from tests.browser.reverse_proxy import Target, run_reverse_proxy
from tests.browser.test_labelling import SCREEN, answer, make, saved

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PREFIX = "/user/ada%40uni.(x)/proxy/"


@pytest.mark.parametrize("strip", [False, True], ids=["whole path", "prefix taken off"])
def test_the_labelling_screen_works_under_a_prefix(page: Page, watch, visitors, tmp_path, strip):
    make(tmp_path / "a.tasks", asks=4)
    store = Judgements(tmp_path / "answers.sqlite")
    port, behind = pick_free_port(), pick_free_port()
    public = f"http://localhost:{port}{PREFIX}"
    server = visitors(
        "--tasks", tmp_path / "a.tasks", "--store", store.path, "--port", behind, "--base-url", public
    )  # fmt: skip
    assert server.url == f"{public}?token={server.token}"
    target = Target(behind, PREFIX, strip=strip)
    with run_reverse_proxy(port, target):
        # Without the token: it is asked for, and the login leads back under the prefix.
        with watch.outage():  # the page that asks comes with status 403
            page.goto(public)
            page.get_by_label("Token").fill(server.token)
            page.keyboard.press("Enter")
            page.get_by_label("Name").fill("ada")
            page.keyboard.press("Enter")
            screen = page.locator(SCREEN)
            expect(screen.locator("[data-cz=picture] img")).to_be_visible()
        assert page.url.startswith(public)
        answer(page, "1")
        answer(page, "2")
        saved(screen, 2)
        assert len(store.rows(rater="ada")) == 2
        (cookie,) = page.context.cookies()
        assert (cookie["path"], cookie["sameSite"]) == (PREFIX, "Strict")
        # The token in a cookie, a reload, and the word of a page that closes.
        with watch.outage():  # Voila and we both say that a page goes: the second word comes late
            page.reload()
            saved(screen, 2)
            page.goto("about:blank")
        server.base = public
        server.until(kernels=0)
        assert all(path.startswith("/" if strip else PREFIX) for path in target.asked)
        # Neither pages from elsewhere nor names that were not given.
        status = f"{public}circuitz/status"
        assert code(status, "POST", Origin="http://evil.example", token=server.token) == 403
        direct = f"http://127.0.0.1:{behind}{PREFIX}circuitz/status"
        assert code(direct, Host="evil.example", token=server.token) == 403
        assert code(direct, token=server.token) == 200
        assert code(status) in (401, 403)
    watch.check()


def code(url: str, method: str = "GET", token: str = "", **headers: str) -> int:
    shown = {**headers, **({"Authorization": f"token {token}"} if token else {})}
    try:
        asked = urllib.request.Request(url, method=method, headers=shown)
        with urllib.request.urlopen(asked, timeout=30) as reply:
            json.loads(reply.read())
            return reply.status
    except urllib.error.HTTPError as refused:
        return refused.code


def test_the_studio_writes_under_a_prefix_by_name_alone(page: Page, watch, visitors, bundle: Path):
    port, behind = pick_free_port(), pick_free_port()
    server = visitors(
        bundle, "--author", "ada", "--port", behind, "--base-url", "/studio/",
        "--name", f"localhost:{port}",
    )  # fmt: skip
    assert server.url.startswith(f"http://127.0.0.1:{behind}/studio/?token=")
    with run_reverse_proxy(port, Target(behind, "/studio/", strip=True)):
        page.goto(f"http://localhost:{port}/studio/?token={server.token}")
        studio = page.locator(".cz-studio")
        expect(studio).to_be_visible()
        expect(page.locator("#loading")).to_have_count(0)
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("bright ground")
        page.keyboard.press("Enter")
        expect(studio.locator(".cz-history")).to_contain_text("bright ground")
    assert "bright ground" in (bundle / "log.jsonl").read_text()
    watch.check()
