"""The one exception that bad input to the results raises."""

import difflib
from collections.abc import Iterable


class ResultsError(ValueError):
    """Results cannot be stored, read or asked for as wanted; one line says why and the mend."""


def nearest(name: object, valid: Iterable[str]) -> str:
    """The mend for an unknown name: the nearest valid one, in whatever case, or all of them."""
    names = {one.lower(): one for one in valid}
    close = difflib.get_close_matches(str(name).lower(), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {names[close[0]]!r}?"
    return f"choose from {', '.join(names.values())}" if names else "there is none yet"
