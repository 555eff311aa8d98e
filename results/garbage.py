"""Making many objects at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def making_many_objects() -> Iterator[None]:
    """No search for garbage inside this block.

    A hundred thousand rows would set it off again and again, each time over all of them, and take
    a third of the time; what is not in a cycle is freed without it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
