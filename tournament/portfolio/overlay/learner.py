"""Which settings a strategy should run at: the default, left only as far as a gain is sure.

Shape suffixes: T periods, J settings (row 0 is the default), S strategies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tournament.portfolio.overlay.evidence import BATCH, Estimate, Evidence, estimated
from tournament.portfolio.overlay.prior import Prior, learned_prior, posterior, stretches, together
from tournament.portfolio.overlay.settings import Floats

SIGMAS = 2.0
"""Standard errors that a gain must exceed before any weight moves."""
PURGE = 1
"""Batches between the last evidence of others that is read and the review: a quarter."""
TOLD = 0.01
"""Changes of a weight below this are not logged."""


@dataclass(frozen=True, slots=True)
class Move:
    """One change of a setting's weight: when (reviews), for which strategy, and the gain that moved it, with error."""

    review: int
    strategy: int
    setting: int
    before: float
    after: float
    gain: float
    error: float
    prior_gain: float


@dataclass(frozen=True, slots=True)
class Learned:
    """The weights of every review (reviews x J x S) and the log; review r acts from period r x `every` on."""

    weight_RJS: Floats
    moves: tuple[Move, ...]
    every: int

    def weights_T(self, periods: int) -> Floats:
        """The weights in force in every period (T x J x S)."""
        return np.asarray(self.weight_RJS[np.minimum(np.arange(periods) // self.every, len(self.weight_RJS) - 1)])


def gated(gains: Estimate, *, sigmas: float = SIGMAS) -> Floats:
    """Weights of the settings (J x S, summing to one): the part of a gain beyond so many errors leaves the default.

    In all (gain - sigmas error) / gain of the best moves, shared among those that pass in proportion to their excess.
    Source: ours; it is the positive part of a soft threshold, relative to the gain (Donoho & Johnstone 1994).
    """
    sure = np.maximum(gains.gain - sigmas * gains.error, 0.0)
    sure[0] = 0.0
    share = np.divide(sure, gains.gain, out=np.zeros_like(sure), where=sure > 0)
    total = sure.sum(axis=0)
    weight = np.divide(sure, total, out=np.zeros_like(sure), where=total > 0) * share.max(axis=0)
    weight[0] = 1.0 - weight.sum(axis=0)
    return weight


def learn(moments: Sequence[Evidence], worlds: Estimate, *, sigmas: float = SIGMAS, purge: int = PURGE) -> Learned:
    """Walk forward through the reviews. Each strategy's prior is learned on the others and the worlds.

    `moments` are the evidence before the first period and after every batch; the review of moment r acts from there on
    and reads others up to r - `purge`, itself up to r.
    """
    settings, strategies = moments[0].gains.shape
    weight_RJS, moves = np.zeros((len(moments), settings, strategies)), []
    for review in range(len(moments)):
        own = estimated(moments[review])
        past = moments[: max(review - purge, 0) + 1]
        for strategy in range(strategies):
            prior = learned_prior(together(_others(past, strategy), worlds))
            after = posterior(prior, _of(own, strategy))
            weight_RJS[review, :, strategy] = gated(after, sigmas=sigmas)[:, 0]
            moves += _moves(weight_RJS, review, strategy, after, prior)
    return Learned(weight_RJS, tuple(moves), BATCH)


def foreseen(moments: Sequence[Evidence]) -> Learned:
    """The leak canary: at every review all weight goes to the setting that will gain most until the next one.

    What an honest learner must not come near. Source: ours.
    """
    weight_RJS = np.zeros((len(moments), *moments[0].gains.shape))
    for review, (now, later) in enumerate(zip(moments, [*moments[1:], moments[-1]], strict=True)):
        gained = (later.gains * BATCH + later.running) - (now.gains * BATCH + now.running)
        np.put_along_axis(weight_RJS[review], gained.argmax(axis=0)[None], 1.0, axis=0)
    return Learned(weight_RJS, (), BATCH)


def _others(past: Sequence[Evidence], strategy: int) -> Estimate:
    tasks = stretches(past)
    strategies = past[0].gains.shape[1]
    kept = np.arange(tasks.gain.shape[1]) % strategies != strategy
    return Estimate(tasks.gain[:, kept], tasks.error[:, kept])


def _of(estimate: Estimate, strategy: int) -> Estimate:
    return Estimate(estimate.gain[:, [strategy]], estimate.error[:, [strategy]])


def _moves(weight_RJS: Floats, review: int, strategy: int, after: Estimate, prior: Prior) -> list[Move]:
    now_J = weight_RJS[review, :, strategy]
    before_J = weight_RJS[review - 1, :, strategy] if review else np.eye(len(now_J))[0]
    return [
        Move(
            review, strategy, int(setting), float(before_J[setting]), float(now_J[setting]),
            float(after.gain[setting, 0]), float(after.error[setting, 0]), float(prior.gain_J[setting]),
        )
        for setting in np.flatnonzero(np.abs(now_J - before_J) > TOLD)
        if setting
    ]  # fmt: skip


def mixed(exposure_TJS: Floats, weight_TJS: Floats, return_TS: Floats, cost_TS: Floats) -> tuple[Floats, Floats]:
    """Exposure of the weighted settings and what it earns after paying for its changes (T x S each)."""
    exposure_TS = (exposure_TJS * weight_TJS).sum(axis=1)
    change_TS = np.abs(np.diff(exposure_TS, axis=0, prepend=np.ones((1, exposure_TS.shape[1]))))
    return exposure_TS, exposure_TS * return_TS - np.nan_to_num(cost_TS) * change_TS
