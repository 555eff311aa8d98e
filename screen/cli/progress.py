"""A run's progress on the terminal: one line per stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from workflows.progress import Listener, StageEvent


@contextmanager
def showing_progress(console: "Console") -> Iterator["Listener"]:
    """A listener that shows each stage, how far it is, what failed, and the time left.

    On a terminal the lines move; elsewhere (a log, a pipe) a line is printed as a stage ends.
    """
    if not console.is_terminal:
        yield _Log(console)
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(24),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def show(event: "StageEvent") -> None:
            if event.stage not in tasks:
                tasks[event.stage] = progress.add_task(event.stage, counts="")
            progress.update(
                tasks[event.stage],
                total=event.total,
                completed=event.done,
                counts=_counts(event),
            )

        yield show


class _Log:
    """Prints each stage once, when it is done."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._done: set[tuple[str, int]] = set()

    def __call__(self, event: "StageEvent") -> None:
        if event.done == event.total and (event.stage, event.total) not in self._done:
            self._done.add((event.stage, event.total))
            self._console.print(f"{event.stage}: {_counts(event)}")


def _counts(event: "StageEvent") -> str:
    text = f"{event.done}/{event.total}, {event.done - event.failed} converged"
    text += f", {event.failed} failed" if event.failed else ""
    return text + (f", {event.reused} known before" if event.reused else "")
