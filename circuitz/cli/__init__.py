"""The command line: a command a file."""

# In the order of --help.
from circuitz.cli import (  # noqa: I001
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
    bench,
)
from circuitz.cli.shell import app, main

__all__ = [
    "annotations",
    "app",
    "bench",
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
