"""How much faster is the dual kernel than general tools on one long/short rebalance, is it exact, what else it gives.

CPU seconds on one core, all arms in one run on the same days (20 factors; net and beta neutral; gross 1, 1 % a name,
5 bp a trade; alpha, exposures, risk and holdings change daily). cvxpy is compiled once (DPP) and re-solved by Clarabel
at its default tolerances; skfolio gets a factor model as prior. `--problems` random problems are held against the
dual's bound; check_kernel.py holds them against Clarabel.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import time
import warnings
from dataclasses import replace

import cvxpy as cp
import numpy as np
from rebalances import days, random_problem
from skfolio.optimization import MeanRisk, ObjectiveFunction
from skfolio.prior import BasePrior, FactorModel, ReturnDistribution

from tournament.errors import Infeasible
from tournament.portfolio.kernel.solve import solve

SIZES, DAYS, YEAR = (500, 1500, 5000), 5, 252
WANTED = {500: (30, 100), 1500: (100, 200), 5000: (200, 300)}


def timed(run):
    start = time.process_time()
    answer = run()
    return answer, time.process_time() - start


def repeated(run, times):
    """The answer, and the median and least seconds of some runs: others on the machine lengthen the median."""
    runs = [timed(run) for _ in range(times)]
    seconds = [took for _, took in runs]
    return runs[0][0], np.array([np.median(seconds), min(seconds)])


class Kernel:
    """Warm-started day after day."""

    def __init__(self):
        self.prices = None

    def __call__(self, problem):
        answer, took = repeated(lambda: solve(problem, prices_M=self.prices), 25)
        self.prices = answer.prices_M
        return answer.weights_N, took


class Cvxpy:
    """The problem as its manual would have it: factor exposures as a variable, every number a parameter."""

    def __init__(self, problem):
        assets, factors = problem.risk.loadings_NK.shape
        self.w, exposure = cp.Variable(assets), cp.Variable(factors)
        self.alpha, self.previous, self.beta = cp.Parameter(assets), cp.Parameter(assets), cp.Parameter(assets)
        self.loadings, self.specific = cp.Parameter((factors, assets)), cp.Parameter(assets, nonneg=True)
        risk = cp.sum_squares(exposure) + cp.sum_squares(cp.multiply(self.specific, self.w))
        cost = 1e4 * problem.cost_N[0] * cp.norm1(self.w - self.previous)
        self.problem = cp.Problem(
            cp.Maximize(self.alpha @ self.w - 0.5 * risk - cost),
            [
                exposure == self.loadings @ self.w, cp.sum(self.w) == 0, self.beta @ self.w == 0,
                cp.norm1(self.w) <= problem.gross, self.w <= problem.upper_N, self.w >= problem.lower_N,
            ],
        )  # fmt: skip

    def __call__(self, problem):
        return repeated(lambda: self.solve(problem), 3)

    def solve(self, problem):
        root = np.sqrt(1e4 * problem.aversion)
        self.alpha.value, self.previous.value = 1e4 * problem.alpha_N, problem.previous_N
        self.loadings.value, self.specific.value = (
            root * problem.risk.loadings_NK.T,
            root * problem.risk.specific_N**0.5,
        )
        self.beta.value = problem.rows[1].exposure_N
        self.problem.solve(solver=cp.CLARABEL)
        return self.w.value


class Given(BasePrior):
    """A prior that is known already."""

    def __init__(self, problem=None):
        self.problem = problem

    def fit(self, X, y=None, **rest):
        risk, (assets, factors) = self.problem.risk, self.problem.risk.loadings_NK.shape
        dates = len(X)
        model = FactorModel(
            observations=np.arange(dates), asset_names=np.array([str(i) for i in range(assets)]),
            factor_names=np.array([f"f{i}" for i in range(factors)]), factor_families=None,
            loading_matrix=risk.loadings_NK, exposures=None, factor_covariance=np.eye(factors),
            factor_mu=np.zeros(factors), factor_returns=np.zeros((dates, factors)), idio_covariance=risk.specific_N,
            idio_mu=np.zeros(assets), idio_returns=np.zeros((dates, assets)),
            idio_variances=np.tile(risk.specific_N, (dates, 1)),
        )  # fmt: skip
        self.return_distribution_ = ReturnDistribution(
            mu=self.problem.alpha_N, covariance=risk.covariance(), returns=np.asarray(X), factor_model=model
        )
        return self


def skfolio(problem):
    beta = problem.rows[1].exposure_N
    model = MeanRisk(
        objective_function=ObjectiveFunction.MAXIMIZE_UTILITY, risk_aversion=problem.aversion / 2,
        prior_estimator=Given(problem), min_weights=-0.01, max_weights=0.01, budget=0.0, max_long=0.5, max_short=0.5,
        transaction_costs=float(problem.cost_N[0]), previous_weights=problem.previous_N,
        left_inequality=np.vstack([beta, -beta]), right_inequality=np.zeros(2),
    )  # fmt: skip
    returns = 1e-9 * np.random.default_rng(0).standard_normal((60, problem.assets))
    return repeated(lambda: np.asarray(model.fit(returns).weights_), 1 if problem.assets > 2000 else 3)


def speed():
    print(f"{'one rebalance, 20 factors':28}{'median ms':>10}{'least':>8}", end="")
    print(f"{'times ours':>11}{'by least':>9}{'wanted':>7}{'gap':>7}{'broken':>8}")
    for assets in SIZES:
        problems = list(days(assets, DAYS, next_book=lambda problem: solve(problem).weights_N))
        best = [problem.value(solve(problem).weights_N) for problem in problems]
        ours = report(f"regatta, {assets:,} assets", Kernel(), problems, best)
        report("  cvxpy (DPP) + Clarabel", Cvxpy(problems[0]), problems, best, ours, WANTED[assets][0])
        report("  skfolio, factor prior", skfolio, problems[:3], best, ours, WANTED[assets][1])


def report(name, arm, problems, best, ours=None, wanted=None):
    """The mean over all days but the first, which compiles, of each day's median and least."""
    answers = [arm(problem) for problem in problems]
    seconds = np.mean([took for _, took in answers[1:]], axis=0)
    gap = max(abs(value - p.value(w)) / abs(value) for p, (w, _), value in zip(problems, answers, best, strict=False))
    broken = max(problem.violation(weights) for problem, (weights, _) in zip(problems, answers, strict=True))
    times = "{:11.0f}{:9.0f}{:7}".format(*(seconds / ours), wanted) if ours is not None else " " * 27
    print(f"{name:28}{1e3 * seconds[0]:10.2f}{1e3 * seconds[1]:8.2f}{times}{gap:7.0e}{broken:8.0e}", flush=True)
    return seconds


def year():
    spent, steps, prices, worst = 0.0, 0, None, 0.0

    def trade(problem):
        nonlocal spent, steps, prices, worst
        solution, took = timed(lambda: solve(problem, prices_M=prices))
        spent, steps, prices = spent + took, steps + solution.ascent.steps, solution.prices_M
        worst = max(worst, solution.residual)
        return solution.weights_N

    for _ in days(5000, YEAR, next_book=trade):
        pass
    print(f"a year of {YEAR} rebalances of 5,000 assets: {spent:.2f} s", end="; ")
    print(f"{steps / YEAR:.1f} steps a day, worst residual {worst:.0e}", flush=True)


def gradients(assets=1500, models=1000, step=2e-5):
    rng = np.random.default_rng(1)
    problem = list(days(assets, 3, next_book=lambda one: solve(one).weights_N))[2]
    signals = 0.03 * np.sqrt(problem.risk.specific_N)[:, None] * rng.standard_normal((assets, models))
    returns, solution = 0.02 * rng.standard_normal(assets), solve(problem)
    runs = [timed(lambda: signals.T @ solution.net_value_gradient(returns)) for _ in range(15)]
    gradient = runs[0][0]

    def earned(model, sign):
        moved = replace(problem, alpha_N=problem.alpha_N + sign * step * signals[:, model])
        weights = solve(moved, prices_M=solution.prices_M).weights_N
        return returns @ weights - problem.cost_N @ np.abs(weights - problem.previous_N)

    finite = np.array([(earned(model, 1) - earned(model, -1)) / (2 * step) for model in range(models)])
    apart = np.abs(finite - gradient) / np.abs(gradient).max()
    took, beyond = 1e3 * np.median([seconds for _, seconds in runs]), np.mean(apart > 1e-5)
    print(f"gradient of the net value by {models:,} models at N = {assets:,}: {took:.2f} ms")
    print("  from finite differences, relative to the largest:", end=" ")
    print(f"median {np.median(apart):.0e}, largest {apart.max():.0e}; {beyond:.1%} beyond 1e-5", flush=True)


def exactness(problems):
    """The dual bounds the optimum from above without another solver."""
    solved, refused = {}, {}
    for seed in range(problems):
        try:
            solved[seed] = solve(random_problem(seed))
        except Infeasible as refusal:
            refused[seed] = str(refusal)
    values = {seed: one.problem.value(one.weights_N) for seed, one in solved.items()}
    bounds = {seed: -one.ascent.point.value / one.dual.scale for seed, one in solved.items()}
    gaps = [abs(bounds[seed] - values[seed]) / max(abs(values[seed]), 1e-5) for seed in solved]
    steps, residual = [one.ascent.steps for one in solved.values()], max(one.residual for one in solved.values())
    broken = max(one.problem.violation(one.weights_N) for one in solved.values())
    print(f"{problems} random problems: {len(solved)} solved, {len(refused)} refused with the limits in conflict named")
    print(f"  steps: median {np.median(steps):.0f}, most {max(steps)}; residual at most {residual:.0e}", end="; ")
    print(f"limits broken by at most {broken:.0e}; relative gap between value and bound at most {max(gaps):.0e}")


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=500)
    asked = parser.parse_args()
    speed()
    year()
    gradients()
    exactness(asked.problems)


if __name__ == "__main__":
    main()
