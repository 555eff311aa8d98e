"""How sure a ranking is: the values are drawn again within their errors, and each draw is ranked.

Every value is drawn from a normal distribution around it with its error as standard deviation, all
independent of each other, and each draw is ranked by the rule of `screen.ranking`. What is counted
over the draws: the places of each candidate, and how often one stands ahead of another (the
ranking analogue of a parametric bootstrap: Goldstein and Spiegelhalter, J. R. Stat. Soc. A 159, 385
(1996); Hall and Miller, Ann. Stat. 37, 3929 (2009)). A value without an error is taken as exact;
`screen.ranking.Ranking.without_error` says which criteria have such values. An error that moves all
candidates together (a potential that underbinds everything) cancels in a ranking; drawn
independently it makes intervals too wide rather than too narrow.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEED = 20240229
INTERVAL = 0.9
"""Part of the draws that a rank interval holds."""
DECIDED = (1 + INTERVAL) / 2
"""A comparison is decided if one order holds in at least this part of the draws."""
MOST_CANDIDATES = 500
"""So many candidates, the best by their values, are drawn; no interval is given beyond them."""
_MOST_DRAWS = 2000
_LEAST_DRAWS = 200
_COMPARISONS = 20_000_000
"""Draws times candidates squared; keeps the time at about a second."""


@dataclass(frozen=True)
class RankUncertainty:
    """What the draws say of the candidates, in the order in which they were given.

    Attributes:
        low: first place of each candidate's rank interval, shape (n,).
        high: last place, shape (n,).
        places: part of the draws in which candidate i has place j + 1, shape (n, n).
        ahead: part of the draws in which candidate i is ahead of candidate j, shape (n, n).
        n_draws: number of draws.
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    places: NDArray[np.float64]
    ahead: NDArray[np.float64]
    n_draws: int

    def top(self, k: int) -> NDArray[np.float64]:
        """Probability of each candidate to be among the best ``k``, shape (n,)."""
        return self.places[:, :k].sum(axis=1)


def rank_uncertainty(costs: NDArray[np.float64], errors: NDArray[np.float64]) -> RankUncertainty:
    """Rank draws of ``costs`` within ``errors``.

    Args:
        costs: shape (n_candidates, n_criteria), less is better, finite; in the order in which full
            ties are broken.
        errors: standard deviations, same shape, 0 for an exact value.
    """
    n = len(costs)
    n_draws = int(np.clip(_COMPARISONS / max(n, 1) ** 2, _LEAST_DRAWS, _MOST_DRAWS))
    if not errors.any():
        n_draws = 1
    noise = np.random.default_rng(SEED).standard_normal((n_draws, *costs.shape))
    ranks = _ranks(costs + errors * noise)
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(ranks, [tail, 1 - tail], axis=0, method="inverted_cdf")
    places = np.stack([np.bincount(column, minlength=n + 1)[1:] for column in ranks.T]) / n_draws
    of_each = np.ascontiguousarray(ranks.T, dtype=np.int32)
    ahead = np.stack([np.count_nonzero(one < of_each, axis=1) for one in of_each]) / n_draws
    return RankUncertainty(low.astype(np.intp), high.astype(np.intp), places, ahead, n_draws)


def draw_fronts(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Pareto front of each candidate in each draw, from 1.

    Args:
        costs: shape (n_draws, n_candidates, n_criteria), less is better, finite.

    Returns:
        shape (n_draws, n_candidates). The front is one more than the deepest front of those that
        dominate the candidate: with the rows of a draw in lexicographic order only earlier ones
        can, and all draws take each step together.
    """
    n_draws, n, _ = costs.shape
    keys = np.moveaxis(costs, 2, 0)
    order = np.lexsort(keys[::-1], axis=-1)
    ordered = _places(np.take_along_axis(keys, order[None], axis=-1).transpose(0, 2, 1))
    # Equal rows lie side by side and never dominate each other: they share the first one's number.
    repeats = np.zeros((n, n_draws), dtype=bool)
    repeats[1:] = (ordered[:, 1:] == ordered[:, :-1]).all(axis=0)
    twin = np.maximum.accumulate(
        np.where(repeats, 0, np.arange(n, dtype=np.int32)[:, None]), axis=0
    )
    fronts = np.ones((n, n_draws), dtype=np.int32)
    for row in range(1, n):
        dominates = twin[:row] != twin[row]
        for criterion in ordered[1:]:
            dominates &= criterion[:row] <= criterion[row]
        fronts[row] = 1 + (fronts[:row] * dominates).max(axis=0)
    found = np.empty((n_draws, n), dtype=np.intp)
    np.put_along_axis(found, order, fronts.T, axis=1)
    return found


def _places(values: NDArray[np.float64]) -> NDArray[np.int32]:
    """Numbers that compare as ``values`` do along the second of three axes, and faster."""
    order = values.argsort(axis=1)
    ascending = np.take_along_axis(values, order, axis=1)
    steps = np.zeros(values.shape, dtype=np.int32)
    steps[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    places = np.empty(values.shape, dtype=np.int32)
    np.put_along_axis(places, order, steps.cumsum(axis=1, dtype=np.int32), axis=1)
    return places


def draw_scores(costs: NDArray[np.float64], fronts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean over criteria of the costs scaled to 0..1 (best..worst) within each front of each draw.

    Rounded to 12 digits, so that candidates with equal trade-offs tie whatever the rounding.

    Args:
        costs: shape (n_draws, n_candidates, n_criteria).
        fronts: shape (n_draws, n_candidates), from 1.

    Returns:
        shape (n_draws, n_candidates).
    """
    n_draws, n, n_criteria = costs.shape
    group = (np.arange(n_draws)[:, None] * n + fronts - 1).ravel()
    # Halves, so that a spread beyond the largest float does not become infinite.
    halves = costs.reshape(-1, n_criteria) / 2
    best = np.full((n_draws * n, n_criteria), np.inf)
    worst = -best
    np.minimum.at(best, group, halves)
    np.maximum.at(worst, group, halves)
    spread = worst[group] - best[group]
    above = halves - best[group]
    scaled = np.divide(above, spread, out=np.zeros_like(halves), where=spread > 0)
    return np.round(scaled.mean(axis=1), 12).reshape(n_draws, n)


def _ranks(costs: NDArray[np.float64]) -> NDArray[np.intp]:
    """Place of each candidate in each draw, from 1, by the rule of `screen.ranking`."""
    n_draws, n, n_criteria = costs.shape
    fronts = draw_fronts(costs)
    scores = draw_scores(costs, fronts)
    keys = [costs[:, :, c] for c in reversed(range(n_criteria))]
    order = np.lexsort([*keys, scores, fronts.astype(float)], axis=-1)
    ranks = np.empty((n_draws, n), dtype=np.intp)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(1, n + 1), order.shape), axis=1)
    return ranks
