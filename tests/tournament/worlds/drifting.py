"""A second kind of world, for judging only: no regimes, but a state that drifts; heavy tails; contexts that bend it.

Shape suffixes: R rounds, M models, L themes, F factors, P particles, C context columns. Payoffs are linear in an AR(1)
state, scores have Student errors that share weeks with their neighbours, contexts see the state through curves, late or
not at all. Its informed filter is a particle filter that knows every parameter but the state (Gordon et al. 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.worlds.score_space import ScoreWorld
from tournament.worlds.spec import Spec

Floats = NDArray[np.float64]
FACTORS, THEMES, GROUPS = 3, 10, 12
MEMORY = 0.96
PAYOFF, CORE = 0.022, 0.010
DEGREES = 5.0
PARTICLES = 400
CONTEXT_NOISE = (0.35, 0.8, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Drifting:
    """A world and what its informed filter expects of each model in each round (R x M)."""

    world: ScoreWorld
    informed_RM: Floats


def draw(seed: int, *, assets: int = 500, rounds: int = 600, models: int = 80, overlap: int = 4) -> Drifting:
    """A drifting world and its filter."""
    rng = np.random.default_rng(seed)
    spec = Spec(
        rounds=rounds, models=models, assets=assets, regimes=1, overlap=overlap, delay=overlap + 1, themes=THEMES
    )
    state_RF = _states(rng, rounds + overlap)
    core_L, turn_LF = CORE * np.abs(rng.standard_normal(THEMES)), PAYOFF * rng.standard_normal((THEMES, FACTORS)) / 1.7
    loading_ML, error_ME = _models(rng, models)
    payoff_RL = core_L + state_RF @ turn_LF.T
    correlation_MM = loading_ML @ loading_ML.T + error_ME @ error_ME.T
    noise_RM = rng.standard_normal((rounds + overlap, THEMES)) @ loading_ML.T
    noise_RM += rng.standard_normal((rounds + overlap, error_ME.shape[1])) @ error_ME.T
    tails_R1 = np.sqrt((DEGREES - 2) / rng.chisquare(DEGREES, (rounds + overlap, 1)))
    scores_RM = _span(payoff_RL, overlap)[:rounds] @ loading_ML.T
    expected_RM = scores_RM.copy()
    scores_RM = scores_RM + np.sqrt(overlap / assets) * _span(noise_RM * tails_R1, overlap)[:rounds]
    context_RC = _contexts(rng, state_RF[:rounds])
    active_RM = np.ones((rounds, models), dtype=bool)
    for model in rng.permutation(models)[: models // 3]:
        active_RM[: rng.integers(rounds // 8, rounds // 2), model] = False
    world = ScoreWorld(
        spec, scores_RM, expected_RM, correlation_MM, context_RC, active_RM, np.exp(rng.normal(4.0, 1.0, models)),
        np.zeros(rounds, dtype=np.int64), loading_ML, np.ones((rounds, models)), core_L[None],
        np.zeros((1, context_RC.shape[1])), np.ones((1, 1)),
    )  # fmt: skip
    return Drifting(world, _informed(world, core_L, turn_LF, rng))


def _states(rng: np.random.Generator, weeks: int) -> Floats:
    state = np.empty((weeks, FACTORS))
    state[0] = rng.standard_normal(FACTORS)
    for week in range(1, weeks):
        state[week] = MEMORY * state[week - 1] + np.sqrt(1 - MEMORY**2) * rng.standard_normal(FACTORS)
    return state


def _span(weekly: Floats, overlap: int) -> Floats:
    summed = np.cumsum(np.vstack([np.zeros(weekly.shape[1]), weekly]), axis=0)
    return (summed[overlap:] - summed[:-overlap]) / overlap


def _models(rng: np.random.Generator, models: int) -> tuple[Floats, Floats]:
    """Signed, dense loadings (the other generator's are sparse and positive) and grouped errors."""
    loading = rng.standard_normal((models, THEMES)) + 0.4
    loading *= np.sqrt(rng.uniform(0.05, 0.7, models))[:, None] / np.linalg.norm(loading, axis=1, keepdims=True)
    left_M = np.sqrt(1.0 - (loading**2).sum(axis=1))
    shared_M = rng.uniform(0.2, 0.9, models)
    error = np.zeros((models, GROUPS + models))
    error[np.arange(models), rng.integers(GROUPS, size=models)] = left_M * np.sqrt(shared_M)
    error[np.arange(models), GROUPS + np.arange(models)] = left_M * np.sqrt(1.0 - shared_M)
    return loading, error


def _seen(state_PF: Floats) -> Floats:
    """What contexts are without noise: bent, straight, folded; the last column tells nothing."""
    first, second, third = state_PF[..., 0], state_PF[..., 1], state_PF[..., 2]
    return np.stack([np.exp(0.5 * first), second, np.abs(third) - 0.8, 0.0 * first], axis=-1)


def _contexts(rng: np.random.Generator, state_RF: Floats) -> Floats:
    late_RF = np.vstack([state_RF[:1], state_RF[:-1]])
    seen = _seen(state_RF)
    seen[:, 1] = _seen(late_RF)[:, 1]
    return seen + np.array(CONTEXT_NOISE) * rng.standard_normal(seen.shape)


def _informed(world: ScoreWorld, core_L: Floats, turn_LF: Floats, rng: np.random.Generator) -> Floats:
    """Expected scores given contexts up to each round and the scores resolved by it."""
    spec, loading = world.spec, world.loading_ML
    precision_MM = np.linalg.inv(world.correlation_MM / spec.assets + 1e-7 * np.eye(spec.models))
    out_RM = np.empty(world.scores_RM.shape)
    particles = rng.standard_normal((PARTICLES, FACTORS))
    for row in range(spec.rounds):
        newest = row - spec.delay
        if newest >= 0:
            if newest > 0:
                particles = _move(particles, rng)
            told = _context_told(world, particles, newest)
            miss_PM = (world.scores_RM[newest] - (core_L + particles @ turn_LF.T) @ loading.T) * world.active_RM[newest]
            told = told - 0.5 * np.einsum("pm,mn,pn->p", miss_PM, precision_MM, miss_PM) / spec.overlap
            particles = _resample(particles, told, rng)
        ahead, told = particles, np.zeros(PARTICLES)
        for later in range(max(0, newest + 1), row + 1):
            ahead = _move(ahead, rng)
            told = told + _context_told(world, ahead, later)
        weight_P = np.exp(told - told.max())
        out_RM[row] = (core_L + (weight_P / weight_P.sum()) @ ahead @ turn_LF.T) @ loading.T
    return out_RM


def _move(particles: Floats, rng: np.random.Generator) -> Floats:
    return MEMORY * particles + np.sqrt(1 - MEMORY**2) * rng.standard_normal(particles.shape)


def _context_told(world: ScoreWorld, particles: Floats, row: int) -> Floats:
    miss = (world.context_RC[row] - _seen(particles)) / np.array(CONTEXT_NOISE)
    return np.asarray(-0.5 * (miss**2).sum(axis=1))


def _resample(particles: Floats, told: Floats, rng: np.random.Generator) -> Floats:
    weight = np.exp(told - told.max())
    places = (np.arange(PARTICLES) + rng.random()) / PARTICLES
    return particles[np.minimum(np.searchsorted(np.cumsum(weight / weight.sum()), places), PARTICLES - 1)]
