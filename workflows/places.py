"""Where a stage computes: in this process, unless a run is told another place."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from results.documents import AnyCalculation
from workflows.tasks import StageWork

Keep = Callable[[AnyCalculation], None]
"""Puts one finished document on the disk; called once per system."""


class Place(Protocol):
    """Computes the systems of a stage."""

    def settings_here(self, settings: Any) -> Any:
        """The settings with which this process can load the potential, to know who it is."""

    def compute(self, work: StageWork, keep: Keep) -> None:
        """Compute every system of ``work`` and hand each document to ``keep``."""


class ThisProcess:
    """Computes in the process that runs the flow."""

    def settings_here(self, settings: Any) -> Any:
        """The settings as they are."""
        return settings

    def compute(self, work: StageWork, keep: Keep) -> None:
        """Compute every system here."""
        work.compute(work.task.load(work.settings)[1], keep)


_place: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def computing_at(place: Place) -> Iterator[None]:
    """Every stage that runs inside this block computes at ``place``."""
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)


def current_place() -> Place:
    """Where stages compute now."""
    return _place.get() or ThisProcess()
