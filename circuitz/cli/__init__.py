"""The command line: a command a file."""

# In the order of --help.
from circuitz.cli import (  # noqa: I001
    demo,
    new,
    measure,
    check,
    graph,
    ablate,
    directions,
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
    data_tokens,
    bench,
)
from circuitz.cli.shell import app, main

__all__ = [
    "ablate",
    "annotations",
    "app",
    "bench",
    "check",
    "compare",
    "data",
    "data_tokens",
    "demo",
    "directions",
    "evaluate",
    "export",
    "graph",
    "lab",
    "labels",
    "main",
    "measure",
    "new",
    "search",
    "serve",
    "tasks",
]
