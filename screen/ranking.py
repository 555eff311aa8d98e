"""Ranking candidates: Pareto fronts first, then a score inside each front.

The overall order, best first:

1. The Pareto front. Front 1 holds the candidates that no other one dominates (as good in every
   criterion and better in at least one); front 2 those that only front 1 dominates; and so on
   (non-dominated sorting: Deb et al., IEEE Trans. Evol. Comput. 6, 182 (2002)).
2. Inside a front, the score: each criterion's value is put on a scale from 0 (best in the front) to
   1 (worst in the front), and the mean over the criteria is taken; less is better. Because only
   members of the same front enter, a dominated candidate never changes the order above its front.
3. Equal scores: the better value of the first criterion, then of the second, and so on; then the
   candidate's identity, so that the order never depends on the order of the input.

A candidate with a criterion's quantity that did not converge or is missing is never ranked: it is
listed apart with the reason, and so is one that misses a threshold, with the number.

How sure each place is comes from the errors of the values: `screen.rank_uncertainty`.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from screen.criteria import Criterion
from screen.errors import CampaignError
from screen.rank_uncertainty import DECIDED, MOST_CANDIDATES, draw_scores, rank_uncertainty

DEFAULT_TOP = 3
"""The probability given is that of being among so many best."""

Scalar = str | int | float | bool | None | list[int]


@dataclass(frozen=True)
class Candidate:
    """What is ranked: one material's numbers and where they come from.

    Attributes:
        identity: what tells this candidate from all others, such as (host, miller_index, ...).
        facts: what is shown before the numbers, such as ``{"host": "Cu"}``.
        values: number per quantity's name, in the quantity's unit; None where there is none.
        errors: error estimate per quantity's name, same units; None where there is none.
        failures: why a quantity did not converge or is missing, per quantity's name.
        by_potential: values of each potential by its name, where several were run.
        rejected: why a funnel computed it no further, with the numbers; empty where none did.
    """

    identity: tuple[Scalar, ...]
    facts: Mapping[str, Scalar]
    values: Mapping[str, float | None]
    errors: Mapping[str, float | None]
    failures: Mapping[str, str] = field(default_factory=dict)
    by_potential: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    rejected: str = ""


@dataclass(frozen=True)
class RankedCandidate:
    """A candidate with its place.

    Attributes:
        rank: place in the overall order, from 1.
        pareto_front: number of its Pareto front, from 1.
        score: mean normalised distance from the best values of its front, 0 to 1; less is better.
        candidate: the candidate.
        rank_interval: first and last place that the errors allow (90 %); None beyond the candidates
            that are drawn.
        top_probability: probability of being among the ranking's ``top`` best; None likewise.
        undecided: ranks of the candidates that the errors do not tell from this one: neither is
            ahead in 95 % of the draws.
    """

    rank: int
    pareto_front: int
    score: float
    candidate: Candidate
    rank_interval: tuple[int, int] | None = None
    top_probability: float | None = None
    undecided: tuple[int, ...] = ()


@dataclass(frozen=True)
class Unranked:
    """A candidate listed apart, with the reason."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True)
class Ranking:
    """The outcome.

    Attributes:
        criteria: what was compared, in the campaign's order.
        ranked: candidates from best to worst.
        below_threshold: candidates that converged and miss a threshold, with the number.
        unconverged: candidates without trustworthy numbers, with the reason.
        top: what each candidate's ``top_probability`` refers to.
        ahead: probability that the candidate of rank i + 1 is ahead of that of rank j + 1, shape
            (n, n) for the n best ones that are drawn.
        n_draws: draws behind the probabilities.
        without_error: names of the criteria's quantities of which some ranked value has no error
            and is taken as exact.
    """

    criteria: tuple[Criterion, ...]
    ranked: tuple[RankedCandidate, ...]
    below_threshold: tuple[Unranked, ...]
    unconverged: tuple[Unranked, ...]
    top: int = DEFAULT_TOP
    ahead: tuple[tuple[float, ...], ...] = ()
    n_draws: int = 0
    without_error: tuple[str, ...] = ()


def rank_candidates(
    candidates: Sequence[Candidate], criteria: Sequence[Criterion], *, top: int = DEFAULT_TOP
) -> Ranking:
    """Rank ``candidates`` by ``criteria`` in the order that the module's text defines.

    Args:
        candidates: in any order; identities distinct.
        criteria: at least one.
        top: give the probability of being among so many best.

    Raises:
        CampaignError: if there is no criterion, two candidates share an identity, or ``top`` is
            less than 1.
    """
    if top < 1:
        raise CampaignError(f"--top = {top}: must be at least 1, such as {DEFAULT_TOP}")
    if not criteria:
        raise CampaignError("criteria: none given; name at least one, such as work_of_adhesion")
    ordered = sorted(candidates, key=_identity_key)
    for one, other in pairwise(ordered):
        if one.identity == other.identity:
            raise CampaignError(
                f"candidates: {one.identity} stands twice; rank one result of each candidate"
            )
    unconverged, below_threshold, eligible = [], [], []
    for candidate in ordered:
        if candidate.rejected:
            below_threshold.append(Unranked(candidate, candidate.rejected))
        elif reason := _failed(candidate, criteria):
            unconverged.append(Unranked(candidate, reason))
        elif reasons := _missed_thresholds(candidate, criteria):
            below_threshold.append(Unranked(candidate, "; ".join(reasons)))
        else:
            eligible.append(candidate)
    ranking = Ranking(
        tuple(criteria), _order(eligible, criteria), tuple(below_threshold), tuple(unconverged), top
    )
    return _with_uncertainty(ranking)


def pareto_fronts(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Front of each row, from 1.

    Args:
        costs: shape (n_candidates, n_criteria), less is better, all finite.

    Returns:
        shape (n_candidates,).

    Source: efficient non-dominated sort with binary search, Zhang et al., IEEE Trans. Evol.
    Comput. 19, 201 (2015).
    """
    if not len(costs):
        return np.zeros(0, dtype=np.intp)
    # Adding 0 turns -0 into 0. np.unique sorts by the first column, then the second, and so on, so
    # that only an earlier row can dominate a later one.
    rows, which = np.unique(costs + 0.0, axis=0, return_inverse=True)
    front_of_row = np.zeros(len(rows), dtype=np.intp)
    kind = _Stairs if rows.shape[1] <= 3 else _Front
    padded = np.pad(rows, ((0, 0), (0, max(0, 3 - rows.shape[1]))))
    fronts: list[_Stairs | _Front] = []
    for number, row in enumerate(padded.tolist()):
        # A row that a member of one front dominates is dominated in every front before it too.
        front = bisect_left(fronts, True, key=lambda one: one.is_free(row))
        if front == len(fronts):
            fronts.append(kind())
        fronts[front].add(row)
        front_of_row[number] = front + 1
    return front_of_row[which.reshape(-1)]


class _Stairs:
    """The rows of one front, of three columns; no row is less in the first than one already there.

    In the other two columns only those matter that no other one dominates: stairs, the second
    column rising and the third falling.
    """

    def __init__(self) -> None:
        self._second: list[float] = []
        self._third: list[float] = []

    def is_free(self, row: list[float]) -> bool:
        """Whether no row here dominates ``row``; all rows distinct."""
        place = bisect_right(self._second, row[1])
        return place == 0 or self._third[place - 1] > row[2]

    def add(self, row: list[float]) -> None:
        """Add a row that is free."""
        first = last = bisect_left(self._second, row[1])
        while last < len(self._third) and self._third[last] >= row[2]:
            last += 1
        self._second[first:last] = [row[1]]
        self._third[first:last] = [row[2]]


class _Front:
    """The same as `_Stairs` for any number of columns."""

    def __init__(self) -> None:
        self._rows = np.empty((0, 0))
        self._n = 0

    def is_free(self, row: list[float]) -> bool:
        """Whether no row here dominates ``row``; all rows distinct."""
        return not np.any(np.all(self._rows[: self._n] <= row[1:], axis=1))

    def add(self, row: list[float]) -> None:
        """Add a row that is free."""
        if self._n == len(self._rows):
            larger = np.empty((2 * self._n + 8, len(row) - 1))
            if self._n:
                larger[: self._n] = self._rows
            self._rows = larger
        self._rows[self._n] = row[1:]
        self._n += 1


def _order(
    candidates: list[Candidate], criteria: Sequence[Criterion]
) -> tuple[RankedCandidate, ...]:
    costs = np.array(
        [[c.cost(_value(candidate, c)) for c in criteria] for candidate in candidates], dtype=float
    ).reshape(len(candidates), len(criteria))
    fronts = pareto_fronts(costs)
    (scores,) = draw_scores(costs[None], fronts[None])
    order = sorted(
        range(len(candidates)),
        key=lambda i: (fronts[i], scores[i], *costs[i], _identity_key(candidates[i])),
    )
    return tuple(
        RankedCandidate(rank, int(fronts[i]), float(scores[i]), candidates[i])
        for rank, i in enumerate(order, start=1)
    )


def _with_uncertainty(ranking: Ranking) -> Ranking:
    """The ranking with how sure its places are."""
    drawn = [entry.candidate for entry in ranking.ranked[:MOST_CANDIDATES]]
    without = tuple(
        criterion.quantity.name
        for criterion in ranking.criteria
        if any(c.candidate.errors.get(criterion.quantity.name) is None for c in ranking.ranked)
    )
    if not drawn:
        return replace(ranking, without_error=without)
    criteria = ranking.criteria
    costs = np.array([[c.cost(_value(candidate, c)) for c in criteria] for candidate in drawn])
    errors = np.array(
        [[candidate.errors.get(c.quantity.name) or 0.0 for c in criteria] for candidate in drawn]
    )
    found = rank_uncertainty(costs, errors)
    tops = found.top(ranking.top)
    undecided = np.maximum(found.ahead, found.ahead.T) < DECIDED
    np.fill_diagonal(undecided, False)
    sure = [
        replace(
            entry,
            rank_interval=(int(found.low[i]), int(found.high[i])),
            top_probability=float(tops[i]),
            undecided=tuple((np.flatnonzero(undecided[i]) + 1).tolist()),
        )
        for i, entry in enumerate(ranking.ranked[: len(drawn)])
    ]
    return replace(
        ranking,
        ranked=(*sure, *ranking.ranked[len(drawn) :]),
        ahead=tuple(map(tuple, found.ahead.tolist())),
        n_draws=found.n_draws,
        without_error=without,
    )


def _value(candidate: Candidate, criterion: Criterion) -> float:
    value = candidate.values.get(criterion.quantity.name)
    return math.nan if value is None else value


def _failed(candidate: Candidate, criteria: Sequence[Criterion]) -> str:
    """Why the criteria cannot compare this candidate; empty if they can."""
    reasons = []
    for criterion in criteria:
        name, label = criterion.quantity.name, criterion.quantity.label
        if name in candidate.failures:
            reasons.append(f"{label}: {candidate.failures[name]}")
        elif not math.isfinite(_value(candidate, criterion)):
            reasons.append(f"{label}: not computed")
    return "; ".join(reasons)


def _missed_thresholds(candidate: Candidate, criteria: Sequence[Criterion]) -> list[str]:
    found = []
    for criterion in criteria:
        value = _value(candidate, criterion)
        if missed := criterion.missed(value):
            error = candidate.errors.get(criterion.quantity.name) or 0.0
            within = not all(criterion.missed(value + sign * error) for sign in (-1, 1))
            found.append(f"{missed}, by less than its error" if within else missed)
    return found


def _identity_key(candidate: Candidate) -> str:
    return repr(candidate.identity)
