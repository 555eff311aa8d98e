"""Progress of the running stages, told to whoever listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class StageEvent:
    """How far one stage is.

    Attributes:
        stage: name of the stage, such as ``"relax slabs"``.
        done: systems that are finished, those found in the database included.
        total: systems of the stage.
        reused: finished systems that were found in the database or in the stage's spool.
        failed: finished systems that did not converge or failed.
    """

    stage: str
    done: int
    total: int
    reused: int
    failed: int


Listener = Callable[[StageEvent], None]

_listener: ContextVar[Listener | None] = ContextVar("stage_listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear every stage that runs inside this block, in this process."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(event: StageEvent) -> None:
    """Tell the listener, if there is one."""
    listener = _listener.get()
    if listener is not None:
        listener(event)
