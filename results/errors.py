"""The one exception that bad input to the results raises."""

import difflib
from collections.abc import Iterable


class ResultsError(ValueError):
    """Results cannot be stored, read or asked for as wanted; one line says why and the mend."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """The mend for an unknown name: the nearest valid one, or all of them."""
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use one of {', '.join(names)}" if names else "there is none yet"
