"""One person's way through the screen, in a real JupyterLab."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from circuitz.widgets.serving.jupyterlab import (
    JupyterLabServer,
    run_jupyterlab,
    stop_server_process,
)
from circuitz.z.bundle.load_save import load

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SCREEN = ".jp-OutputArea-output .cz-studio"


def cli_check(bundle: Path) -> dict:
    """What the command line says of the same bundle."""
    code = "import sys; from circuitz.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", str(bundle), "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def open_notebook(page: Page, server: JupyterLabServer) -> None:
    page.goto(server.url)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()


def run_all(page: Page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def restart_kernel(page: Page) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator(".lm-Menu-item[data-command='kernelmenu:restart']").click()
    page.locator(".jp-Dialog button.jp-mod-accept").click()


def studio(page: Page) -> None:
    """Wait for a screen that answers, and bring it into view."""
    screen = page.locator(SCREEN)
    expect(screen).to_be_visible()
    expect(screen.locator("[data-cz=lost]")).to_have_count(0)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible()
    screen.scroll_into_view_if_needed()
    page.locator(f"{SCREEN} .cz-tiles, {SCREEN} .cz-finding-list").first.focus()


def write(page: Page, text: str) -> float:
    """Write words on the selected unit by key; returns seconds until it is on disk and shown."""
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    start = time.perf_counter()
    page.keyboard.press("Enter")
    expect(page.locator(f"{SCREEN} .cz-inspector-head h3")).to_contain_text(text)
    expect(page.locator(f"{SCREEN} .cz-saved")).to_contain_text("saved")
    return time.perf_counter() - start


def shown_findings(page: Page) -> list[tuple[str, str, str, str]]:
    page.keyboard.press("2")
    rows = page.locator(f"{SCREEN} .cz-finding[data-finding]")
    found = rows.evaluate_all(
        "all => all.map(e => [e.dataset.id, e.dataset.finding, e.dataset.verdict,"
        " e.querySelector('.cz-sentence').textContent])"
    )
    page.keyboard.press("1")
    return [tuple(row) for row in found]


def same_as_command_line(page: Page, bundle: Path) -> None:
    report = cli_check(bundle)
    said = [(f["id"], f["kind"], f["verdict"], f["sentence"]) for f in report["findings"]]
    assert shown_findings(page) == said
    summary = page.locator(f"{SCREEN} .cz-summary")
    for verdict in ("flagged", "inconclusive", "supported"):
        expect(summary).to_contain_text(f"{report['counts'][verdict]} {verdict}")
    for name, share in report["unexplained"].items():
        pill = page.locator(f"{SCREEN} .cz-class-pill", has_text=name)
        shown = int(pill.locator(".cz-class-share").inner_text().replace("−", "-").split()[0])
        assert abs(shown - share["estimate"] * 100) <= 0.5


def test_a_wrong_name_is_caught_undone_and_edits_outlive_kernel_and_server(
    page, watch, bundle, tmp_path, monkeypatch
):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    inspector = page.locator(f"{SCREEN} .cz-inspector")
    with run_jupyterlab(bundle) as server:
        open_notebook(page, server)
        cells = page.locator(".jp-Notebook .jp-Cell").count()
        run_all(page)
        studio(page)
        same_as_command_line(page, bundle)

        # The snow unit, by key alone.
        page.keyboard.press("/")
        page.keyboard.type("snow")
        page.keyboard.press("Enter")
        expect(page.locator(f"{SCREEN} [data-cz=count]")).to_contain_text(" of ")
        page.keyboard.press("Home")
        expect(inspector.locator("h3")).to_contain_text("snow")
        unit = inspector.get_attribute("data-unit")
        page.screenshot(path=pictures / "light-units.png")
        page.keyboard.press("f")
        evidence = page.locator(f"{SCREEN} .cz-evidence")
        expect(evidence).to_contain_text("surroundings")
        assert "husky" in page.locator(f"{SCREEN} [aria-expanded=true] .cz-sentence").inner_text()
        page.screenshot(path=pictures / "light-finding.png")
        page.keyboard.press("1")
        unit = inspector.get_attribute("data-unit")

        # A wrong name: caught, saved, the same on the command line; and taken back.
        seconds = write(page, "fluffy coat")
        involved = inspector.locator(".cz-involved")
        expect(involved).to_contain_text("Mislabelled · flagged")
        expect(involved).to_contain_text("sees ‘snow’")
        assert load(bundle).effective()[unit].text == "fluffy coat"
        same_as_command_line(page, bundle)
        assert seconds < 3
        page.keyboard.press("u")
        expect(inspector.locator("h3")).to_contain_text("snow")
        expect(involved).not_to_contain_text("Mislabelled · flagged")
        page.keyboard.press("r")
        expect(involved).to_contain_text("Mislabelled · flagged")
        page.keyboard.press("u")
        expect(involved).not_to_contain_text("Mislabelled · flagged")

        # A right one, to stay. Letters that mean something to the notebook stay here.
        write(page, "snow on the ground")
        for key in ("a", "b", "d", "d", "x", "z", "m"):
            page.keyboard.press(key)
        assert page.locator(".jp-Notebook .jp-Cell").count() == cells
        assert page.locator(".jp-Notebook .jp-MarkdownCell").count() == markdown_cells(bundle)

        # The kernel goes: said at once; run again, nothing is lost.
        restart_kernel(page)
        expect(page.locator(f"{SCREEN} [data-cz=lost]")).to_be_visible()
        page.screenshot(path=pictures / "light-lost.png")
        run_all(page)
        studio(page)
        find(page, unit)
        expect(inspector.locator("h3")).to_have_text(f"{unit}snow on the ground")
        expect(inspector.locator(".cz-history li").first).to_contain_text("in force")
        same_as_command_line(page, bundle)

        # The server goes.
        with watch.outage():
            stop_server_process(server.process)
            expect(page.locator(f"{SCREEN} [data-cz=lost]")).to_be_visible()
            page.goto("about:blank")

    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(dark(tmp_path / "settings")))
    with run_jupyterlab(bundle) as server:
        open_notebook(page, server)
        run_all(page)
        studio(page)
        find(page, unit)
        expect(inspector.locator("h3")).to_have_text(f"{unit}snow on the ground")
        same_as_command_line(page, bundle)
        background = page.locator(SCREEN).evaluate("e => getComputedStyle(e).backgroundColor")
        assert max(int(part) for part in background[4:-1].split(",")[:3]) < 60
        page.screenshot(path=pictures / "dark-units.png")
        page.keyboard.press("f")
        expect(page.locator(f"{SCREEN} .cz-evidence")).to_be_visible()
        page.screenshot(path=pictures / "dark-finding.png")
    assert load(bundle).effective()[unit].text == "snow on the ground"
    watch.check()


def find(page: Page, unit: str) -> None:
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type(unit)
    page.keyboard.press("Enter")
    expect(page.locator(f"{SCREEN} .cz-inspector")).to_have_attribute("data-unit", unit)


def markdown_cells(bundle: Path) -> int:
    notebook = json.loads((bundle.parent / "01_husky.ipynb").read_text())
    return sum(cell["cell_type"] == "markdown" for cell in notebook["cells"])


def dark(folder: Path) -> Path:
    theme = folder / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    theme.parent.mkdir(parents=True)
    theme.write_text(json.dumps({"theme": "JupyterLab Dark"}))
    return folder


def test_two_screens_on_one_bundle_ask_which_words_to_keep(chromium, page, watch, bundle):
    with run_jupyterlab(bundle) as server:
        open_notebook(page, server)
        run_all(page)
        studio(page)
        unit = page.locator(f"{SCREEN} .cz-inspector").get_attribute("data-unit")
        code = (
            "import sys, circuitz as cz; from circuitz.widgets.studio.editing_session import EditingSession; "
            "EditingSession(sys.argv[1], author='jon').annotate(sys.argv[2], 'white ground')"
        )
        subprocess.run([sys.executable, "-c", code, str(bundle), unit], check=True, timeout=60)
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("winter")
        page.keyboard.press("Enter")
        conflict = page.locator(f"{SCREEN} .cz-conflict")
        expect(conflict).to_contain_text("jon")
        expect(conflict).to_contain_text("white ground")
        assert load(bundle).effective()[unit].text == "white ground"
        conflict.get_by_role("button", name="Write mine").press("Enter")
        expect(page.locator(f"{SCREEN} .cz-inspector-head h3")).to_contain_text("winter")
        assert load(bundle).effective()[unit].text == "winter"
    watch.check()
