"""How sure we are of a mean, a Sharpe ratio and a choice among many: bootstrap by blocks, deflation, overfitting.

Shape suffixes: R rounds, S selectors, B bootstrap draws.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import kurtosis, norm, rankdata, skew

from tournament.selectors.protocol import Floats

DRAWS = 2_000
EULER = 0.5772156649015329
PARTS = 10


def bootstrap_means(values_R: Floats, *, block: int, seed: int, draws: int = DRAWS) -> Floats:
    """Means of stationary-bootstrap resamples (B) of a series, blocks of `block` rounds on average; NaN left out.

    Source: Politis and Romano 1994, section 2.
    """
    values = values_R[np.isfinite(values_R)]
    if len(values) < 2:
        return np.full(draws, np.nan)
    rng = np.random.default_rng(seed)
    size = len(values)
    starts = rng.integers(size, size=(draws, size))
    restart = rng.random((draws, size)) < 1.0 / block
    restart[:, 0] = True
    # place of the latest restart, then as many steps on from where that block began
    last = np.maximum.accumulate(np.where(restart, np.arange(size), 0), axis=1)
    rows = (np.take_along_axis(starts, last, axis=1) + np.arange(size) - last) % size
    return np.asarray(values[rows].mean(axis=1))


def mean_with_error(values_R: Floats, *, block: int, seed: int) -> tuple[float, float]:
    """Mean and its block-bootstrap standard error; NaN when fewer than two values are known."""
    known = np.isfinite(values_R)
    if known.sum() < 2:
        return float("nan"), float("nan")
    return float(values_R[known].mean()), float(bootstrap_means(values_R, block=block, seed=seed).std())


def interval(values_R: Floats, *, block: int, seed: int, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(bootstrap_means(values_R, block=block, seed=seed), [tail, 1.0 - tail])
    return float(low), float(high)


def sharpe(values_R: Floats) -> float:
    """Mean over standard deviation per round, not annualised; NaN when nothing varies."""
    values = values_R[np.isfinite(values_R)]
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return float(values.mean() / spread) if spread > 0 else float("nan")


def deflated_sharpe(values_R: Floats, trial_sharpes_S: Floats, *, overlap: int, trials_elsewhere: int = 0) -> float:
    """Probability that a series' Sharpe ratio is above what the best of that many skill-less trials would show.

    The trials are the series of `trial_sharpes_S` and those made elsewhere, taken to spread as much. Rounds are counted
    as rounds / overlap, because overlapping targets tell the same news more than once.
    Source: Bailey and Lopez de Prado 2014, equations 1 and 2.
    """
    values, trials = values_R[np.isfinite(values_R)], trial_sharpes_S[np.isfinite(trial_sharpes_S)]
    ratio, rounds = sharpe(values), len(values) / overlap
    if not np.isfinite(ratio) or rounds <= 2:
        return float("nan")
    spread = float(trials.std(ddof=1)) if len(trials) > 1 else 1.0 / np.sqrt(rounds)
    rival, tails = expected_best(len(trials) + trials_elsewhere) * spread, float(kurtosis(values, fisher=False))
    return probable_sharpe(ratio, rival, rounds=rounds, skewness=float(skew(values)), tails=tails)


def probable_sharpe(ratio: float, rival: float, *, rounds: float, skewness: float, tails: float) -> float:
    """Probability that the true Sharpe ratio is above `rival`; `tails` is the kurtosis, 3 for a normal.

    Source: Bailey and Lopez de Prado 2012, equation 11.
    """
    variance = 1.0 - skewness * ratio + (tails - 1.0) / 4.0 * ratio**2
    return float(norm.cdf((ratio - rival) * np.sqrt(rounds - 1.0) / np.sqrt(max(variance, 1e-9))))


def expected_best_sharpe(trials_S: Floats) -> float:
    """Expected largest Sharpe ratio of as many trials without skill, given the spread between them."""
    return float(trials_S.std(ddof=1)) * expected_best(len(trials_S)) if len(trials_S) > 1 else 0.0


def expected_best(count: int) -> float:
    """Expected largest of `count` standard normal draws, nearly; 0 for one. Source: ibid., equation 1."""
    if count < 2:
        return 0.0
    return float((1.0 - EULER) * norm.ppf(1.0 - 1.0 / count) + EULER * norm.ppf(1.0 - 1.0 / (count * np.e)))


def overfitting_probability(values_RS: Floats, *, parts: int = PARTS) -> float:
    """PBO: how often the best selector of one half of the rounds is below the median in the other half.

    Over every way to split `parts` consecutive blocks in halves (CSCV). NaN with fewer than two selectors or too few
    rounds. Source: Bailey, Borwein, Lopez de Prado and Zhu 2017, section 3.
    """
    values_RS = values_RS[np.isfinite(values_RS).all(axis=1)]
    rounds, selectors = values_RS.shape
    if selectors < 2 or rounds < 2 * parts:
        return float("nan")
    blocks = np.array_split(np.arange(rounds), parts)
    sums_PS = np.array([values_RS[rows].sum(axis=0) for rows in blocks])
    chosen = np.array([np.isin(np.arange(parts), half) for half in combinations(range(parts), parts // 2)])
    inside, outside = chosen @ sums_PS, ~chosen @ sums_PS
    rank = rankdata(outside, axis=1)[np.arange(len(chosen)), inside.argmax(axis=1)] / (selectors + 1)
    return float((rank <= 0.5).mean())


def turnover(weights_RM: Floats) -> float:
    """Mean over rounds of half the absolute change of weights; rounds without weights are left out."""
    weights = weights_RM[np.isfinite(weights_RM).all(axis=1)]
    return float(0.5 * np.abs(np.diff(weights, axis=0)).sum(axis=1).mean()) if len(weights) > 1 else float("nan")


def effective_models(weights_RM: Floats) -> float:
    """Mean over rounds of 1 / sum of squared weights."""
    weights = weights_RM[np.isfinite(weights_RM).all(axis=1)]
    return float((1.0 / (weights**2).sum(axis=1)).mean()) if len(weights) else float("nan")
