"""Checks of arguments that have a few valid values or a valid range."""

import difflib
import math
from collections.abc import Iterable

from potentials.errors import PotentialError


def nearest(value: object, valid: Iterable[str]) -> str:
    """``"; did you mean X?"`` for the nearest valid names, else ``"; use X, Y or Z"``."""
    names = list(valid)
    close = difflib.get_close_matches(str(value).lower(), names, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"use {', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else f"use {names[0]}"


def check_choice(field: str, value: object, valid: Iterable[str]) -> None:
    """Refuse a value that is not one of ``valid``.

    Raises:
        PotentialError: naming field, value and the nearest valid names.
    """
    names = list(valid)
    if value not in names:
        raise PotentialError(f"{field}: {value!r} is unknown; {nearest(value, names)}")


def check_positive(field: str, value: float, unit: str) -> None:
    """Refuse a value that is not a finite number over zero.

    Raises:
        PotentialError: naming field and value.
    """
    if not (math.isfinite(value) and value > 0):
        raise PotentialError(f"{field}: {value} is not positive; give a number over 0 {unit}")


def check_whole(field: str, value: int, least: int) -> None:
    """Refuse a value that is not a whole number of at least ``least``.

    Raises:
        PotentialError: naming field and value.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise PotentialError(f"{field}: {value!r} given; give a whole number of at least {least}")
