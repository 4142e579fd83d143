"""``circuitz lab``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import app


@app.command("lab")
def open_lab(
    z: Annotated[Path, typer.Argument(help="A bundle.")] = Path("circuitz-demo/husky.z"),
    port: Annotated[int, typer.Option(help="Port; any free one by default.", min=0)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Open a z in JupyterLab."""
    from circuitz.widgets.serving.jupyterlab import open_in_jupyterlab as run_lab

    raise typer.Exit(run_lab(z, port=port, open_browser=browser))
