"""The command line: a command a file."""

from circuitz.cli import (
    demo,
    new,
    check,
    annotations,
    compare,
    search,
    export,
    tasks,
    labels,
    evaluate,
    lab,
    serve,
    data,
)  # noqa: I001 - the order of --help
from circuitz.cli.shell import app, main

__all__ = [
    "annotations",
    "app",
    "check",
    "compare",
    "data",
    "demo",
    "evaluate",
    "export",
    "lab",
    "labels",
    "main",
    "new",
    "search",
    "serve",
    "tasks",
]
