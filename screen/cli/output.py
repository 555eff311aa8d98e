"""Printing for people and for pipes."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPE_WIDTH = 240


def console(*, stderr: bool = False) -> "Console":
    """A console as wide as the terminal; wide enough for every column in a pipe or a file."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def print_table(table: "Table") -> None:
    """Print a table; in a pipe or a file as wide as it needs."""
    shown = console()
    if not shown.file.isatty():
        unlimited = shown.options.update(max_width=1_000_000)
        shown.width = max(shown.width, shown.measure(table, options=unlimited).maximum)
    shown.print(table)


def write(text: str) -> None:
    """Print text as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()
