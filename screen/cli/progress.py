"""A run's progress on the terminal: one line per stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

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
        yield _Bars(progress)


class _Bars:
    """One bar per stage; jobs of the same stage add up."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._ended: dict[str, StageEvent] = {}

    def __call__(self, event: "StageEvent") -> None:
        stage = event.stage
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage, counts="")
        whole = _sum(self._ended[stage], event) if stage in self._ended else event
        self._progress.update(
            self._tasks[stage], total=whole.total, completed=whole.done, counts=_counts(whole)
        )
        if event.done == event.total:
            self._ended[stage] = whole


class _Log:
    """Prints a line as each job of a stage ends."""

    def __init__(self, console: "Console") -> None:
        self._console = console

    def __call__(self, event: "StageEvent") -> None:
        if event.done == event.total:
            self._console.print(f"{event.stage}: {_counts(event)}")


def _sum(one: "StageEvent", other: "StageEvent") -> "StageEvent":
    return replace(
        other,
        done=one.done + other.done,
        total=one.total + other.total,
        reused=one.reused + other.reused,
        failed=one.failed + other.failed,
    )


def _counts(event: "StageEvent") -> str:
    text = f"{event.done}/{event.total}, {event.done - event.failed} converged"
    text += f", {event.failed} failed" if event.failed else ""
    return text + (f", {event.reused} known before" if event.reused else "")
