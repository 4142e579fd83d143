"""``circuitz serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from circuitz.cli.shell import app
from circuitz.errors import ServeError


@app.command()
def serve(
    z: Annotated[
        Path | None, typer.Argument(help="A bundle; circuitz-demo/husky.z by default.")
    ] = None,
    tasks: Annotated[
        Path | None, typer.Option(help="Serve the labelling screen of this task pack instead.")
    ] = None,
    store: Annotated[
        str,
        typer.Option(
            help="Where answers are kept: a file, or sqlite:///answers.sqlite; beside the pack by "
            "default."
        ),
    ] = "",
    port: Annotated[int, typer.Option(help="Port; any free one by default.", min=0)] = 0,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for everybody who can reach it.")
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Another name of this server, such as a proxy's; with :port where it is not the "
            "usual one."
        ),
    ] = None,
    base_url: Annotated[
        str,
        typer.Option(
            help="Where a proxy shows it: a path (/user/ada/proxy/8866/), or the whole address "
            "(https://hub.example.org/user/ada/proxy/8866/)."
        ),
    ] = "/",
    token: Annotated[
        str | None,
        typer.Option(
            help="What the address carries; made anew by default.", envvar="CIRCUITZ_TOKEN"
        ),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
    idle: Annotated[
        int, typer.Option(help="Seconds after which an unused session ends; 0 for never.", min=0)
    ] = 3600,
    max_visitors: Annotated[int, typer.Option(help="Sessions at a time.", min=1)] = 8,
    author: Annotated[
        str, typer.Option(help="Who everybody writes as; by default each visitor gives a name.")
    ] = "",
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Visitors of a studio look and write nothing.")
    ] = False,
) -> None:
    """Serve the studio of a z, or the labelling screen, to visitors through Voila.

    The address that is printed carries a token: who has it can open the screen.
    """
    from circuitz.widgets.serving import voila

    env: dict[str, str] = {"CIRCUITZ_AUTHOR": author, "CIRCUITZ_RATER": author}
    if tasks is not None:
        if z is not None:
            raise ServeError("A z and a task pack are two screens.", "Serve one of them.")
        if read_only:
            raise ServeError("A labelling screen is there to write on.", "Leave out --read-only.")
        env |= _environment_for_labelling_page(tasks, store)
        page, title = voila.LABEL, f"Labelling: {tasks.name}"
    elif store:
        raise ServeError("--store is where answers to a task pack go.", "Name the pack: --tasks.")
    else:
        from circuitz.z.bundle.load_save import load

        path = (z or Path("circuitz-demo/husky.z")).absolute()
        title = f"Studio: {load(path).name or path.name}"
        env |= {"CIRCUITZ_Z": str(path), "CIRCUITZ_READ_ONLY": "1" if read_only else ""}
        page = voila.STUDIO
    code = voila.serve_notebook(
        voila.find_shipped_notebook(page),
        env=env,
        title=title,
        port=port,
        host=host,
        names=name or (),
        base_url=base_url,
        token=token,
        open_browser=browser,
        idle=idle,
        most_visitors=max_visitors,
        ask_name=not author and not (read_only and tasks is None),
    )
    raise typer.Exit(code)


def _environment_for_labelling_page(tasks: Path, store: str) -> dict[str, str]:
    """Open pack and store once, so that what is wrong with them is said here and not to visitors."""
    from circuitz.labelling.tasks.pack_io import open_pack
    from circuitz.store.address import address_from_any_folder, open_store
    from circuitz.widgets.labelling.labelling import default_store_path

    if not tasks.exists():
        raise ServeError(f"There is no task pack at {tasks}.", "circuitz tasks make makes one.")
    open_pack(tasks)
    address = store or default_store_path(tasks)
    open_store(address)
    # Kernels run in the notebook's folder: what is relative to this one is made whole.
    place = address_from_any_folder(address)
    return {"CIRCUITZ_TASKS": str(tasks.absolute()), "CIRCUITZ_STORE": place}
