"""The command line: a command a file."""

from circuitz.cli import demo, new, check, search, export, lab, data  # noqa: I001 - the order of --help
from circuitz.cli.shell import app, main

__all__ = ["app", "check", "data", "demo", "export", "lab", "main", "new", "search"]
