"""Does the risk model forecast the risk of optimised books? On the S&P 500's prices, beside shrunk covariances.

Every 21 days a model is fitted on the 504 days up to then and 40 random alphas are made dollar- and beta-neutral books,
optimal for that model; then they are held for 21 days. An optimised book leans on what a model underrates, so realised
over forecast volatility is the hard test: 1 is right. Also the realised risk per unit of alpha (lower is better), the
bias statistic (deviation of standardised returns, 1 is right), QLIKE (lower is better) and the time of a fit.

    PYTHONPATH=platform:. python benchmarks/bench_risk.py --prices equity_us_sp500_daily.parquet

Standard errors over dates, which do not overlap. Shapes: T days, N assets, B books.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.covariance import ledoit_wolf, oas

from tournament.markets.panel import read_prices
from tournament.portfolio.decision import daily_returns
from tournament.portfolio.risk import RiskModel, fit_risk_model

WINDOW, HELD, BOOKS, LEAST = 504, 21, 40, 60


class Dense:
    """A covariance matrix behind the same two questions as a factor model."""

    def __init__(self, covariance):
        self.covariance = covariance

    def solve(self, right):
        return np.linalg.solve(self.covariance, right)

    def variances(self, books):
        return np.einsum("nb,nb->b", books, self.covariance @ books)


class Factors:
    """Woodbury's identity: never an N x N matrix."""

    def __init__(self, model: RiskModel):
        self.loadings, self.specific = model.loadings_NK, model.specific_N

    def solve(self, right):
        scaled = self.loadings / self.specific[:, None]
        inner = np.eye(self.loadings.shape[1]) + self.loadings.T @ scaled
        plain = right / self.specific[:, None]
        return plain - scaled @ np.linalg.solve(inner, self.loadings.T @ plain)

    def variances(self, books):
        return ((self.loadings.T @ books) ** 2).sum(axis=0) + self.specific @ books**2


def shrunk(estimator, past):
    """scikit-learn's estimators know no missing returns: these count as 0."""
    return Dense(estimator(np.nan_to_num(past))[0])


def regatta(past, **settings):
    """Ours."""
    return Factors(fit_risk_model(past, **settings))


ARMS = {
    "regatta: 20 factors": regatta,
    "10 factors": partial(regatta, factors=10),
    "40 factors": partial(regatta, factors=40),
    "half-life 63": partial(regatta, half_life=63.0),
    "half-life 21": partial(regatta, half_life=21.0),
    "Ledoit-Wolf": partial(shrunk, ledoit_wolf),
    "OAS": partial(shrunk, oas),
}


def judge(fit, past, ahead, alphas):
    """Ratios of realised to forecast, risk per alpha, standardised returns (T x B) and seconds of one date."""
    start = time.process_time()
    model = fit(past)
    seconds = time.process_time() - start
    market = np.nan_to_num(past).mean(axis=1)
    neutral = np.c_[np.ones(past.shape[1]), np.nan_to_num(past).T @ market / (market @ market)]
    solved = model.solve(np.c_[neutral, alphas])
    books = solved[:, 2:] - solved[:, :2] @ np.linalg.solve(neutral.T @ solved[:, :2], neutral.T @ solved[:, 2:])
    books /= np.abs(books).sum(axis=0)
    forecast, earned = np.sqrt(model.variances(books)), np.nan_to_num(ahead) @ books
    realised = np.sqrt((earned**2).mean(axis=0))
    return realised / forecast, realised / (alphas * books).sum(axis=0), earned / forecast, seconds


def dates(returns, every):
    """Past and future returns of each date, of the assets that have enough of both."""
    for row in range(756, len(returns) - HELD, every):
        past, ahead = returns[row - WINDOW : row], returns[row : row + HELD]
        known = np.isfinite(past)
        there = (known.sum(axis=0) >= LEAST) & known[-1] & np.isfinite(ahead[0])
        yield past[:, there], ahead[:, there]


def main():
    """Run every arm on the same dates and books, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prices", type=Path, default=Path("equity_us_sp500_daily.parquet"))
    parser.add_argument("--every", type=int, default=HELD)
    parser.add_argument("--arms", help="names, separated by commas (default: all)")
    args = parser.parse_args()
    if not args.prices.exists():
        sys.exit(print(f"{args.prices} is not here: name a price panel with --prices"))
    returns = np.clip(daily_returns(read_prices(args.prices).close_DN), -0.5, 0.5)
    print(f"{'':22s} realised / forecast     risk per alpha    bias            QLIKE            fit, ms")
    for name in args.arms.split(",") if args.arms else ARMS:
        rng, ratios, risks, scores, seconds = np.random.default_rng(0), [], [], [], []
        for past, ahead in dates(returns, args.every):
            alphas = rng.standard_normal((past.shape[1], BOOKS)) * np.nanstd(past, axis=0)[:, None]
            ratio, risk, score, taken = judge(ARMS[name], past, ahead, alphas)
            ratios.append(ratio), risks.append(risk), scores.append(score), seconds.append(taken)
        tell(name, np.array(ratios), np.array(risks), np.array(scores), np.median(seconds))


def tell(name, ratios, risks, scores, seconds):
    """One line of the table; errors over dates."""
    by_date = np.median(ratios, axis=1)
    error = 1.2533 * by_date.std(ddof=1) / np.sqrt(len(by_date))  # of a median, for a nearly normal law
    bias = scores.reshape(len(scores), -1).std(axis=1)
    qlike = (scores**2 - np.log(np.maximum(scores**2, 1e-12)) - 1).mean(axis=(1, 2))
    print(
        f"{name:22s} {np.median(ratios):.3f} ± {error:.3f} (90 %: {np.quantile(ratios, 0.9):.2f})  "
        f"{np.median(risks):.4f}  {np.sqrt((bias**2).mean()):.3f}  {qlike.mean():.3f} ± "
        f"{qlike.std(ddof=1) / np.sqrt(len(qlike)):.3f}  {1e3 * seconds:.0f}   ({len(by_date)} dates)"
    )


if __name__ == "__main__":
    main()
