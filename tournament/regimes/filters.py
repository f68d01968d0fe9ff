"""Three ways to find regimes in contexts: a hidden Markov model, a statistical jump model and a Gaussian mixture."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from hmmlearn.hmm import GaussianHMM
from jumpmodels.jump import JumpModel
from numpy.typing import NDArray
from sklearn.mixture import GaussianMixture

from tournament.regimes.model import Floats, RegimeModel, Scaling, take_logs

JUMP_PENALTY = 20.0
MIN_VARIANCE = 0.05
STAY = 0.93
"""Prior probability to stay: regimes last months, rounds a week."""
RESTARTS = 8
TELLING = (
    "volatility", "dispersion", "average_correlation", "momentum_return", "reversal_return", "value_return",
    "low_volatility_return",
)  # fmt: skip
"""Columns that turn with a regime; slower ones (a year's trend, drawdown) tell of regimes gone by."""


def fit_hmm(context_TK: Floats, names: Sequence[str], *, regimes: int, seed: int) -> RegimeModel:
    """Gaussian HMM with one covariance for all regimes by EM (hmmlearn), the likeliest of several starts.

    A prior holds it to persistent regimes; only its parameters are kept.
    """
    scaling = fit_scaling(context_TK, names)
    seen = scaling.in_spreads(context_TK)
    logging.getLogger("hmmlearn").setLevel(logging.CRITICAL)  # a slow last step of EM is no news
    chains = [_fit_chain(seen, regimes, seed + start) for start in range(RESTARTS)]
    chain = max(chains, key=lambda fitted: float(fitted.score(seen)))
    turned = replace(scaling, turn_CC=whitening(np.asarray(chain.covars_)[0]))
    means = chain.means_ @ turned.turn_CC
    return RegimeModel(turned, means, np.ones_like(means), _proper(chain.startprob_), _proper(chain.transmat_))


def _fit_chain(seen_TC: Floats, regimes: int, seed: int) -> GaussianHMM:
    chain = GaussianHMM(
        regimes, covariance_type="tied", transmat_prior=1.0 + 20.0 * np.eye(regimes), random_state=seed, n_iter=60,
        min_covar=MIN_VARIANCE,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return chain.fit(seen_TC)


def whitening(covariance_CC: Floats) -> Floats:
    """The symmetric root of the inverse, so that the covariance within a regime becomes the identity."""
    values, vectors = np.linalg.eigh(covariance_CC)
    return np.asarray(vectors @ np.diag(np.maximum(values, MIN_VARIANCE) ** -0.5) @ vectors.T)


def fit_jump(context_TK: Floats, names: Sequence[str], *, regimes: int, seed: int) -> RegimeModel:
    """Statistical jump model (Nystrup, Lindstroem and Madsen 2020); its labels give means, spreads and transitions."""
    scaling = fit_scaling(context_TK, names)
    seen = scaling.in_spreads(context_TK)
    model = JumpModel(n_components=regimes, jump_penalty=JUMP_PENALTY, cont=False, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(pd.DataFrame(seen), sort_by="freq")
    return _from_labels(seen, np.asarray(model.labels_, dtype=int), regimes, scaling)


def fit_gmm(context_TK: Floats, names: Sequence[str], *, regimes: int, seed: int) -> RegimeModel:
    """Gaussian mixture with one covariance by EM (scikit-learn), the likeliest of several starts.

    It has no memory: from every regime the next is drawn by the mixture's weights, so that the filter gives the
    posterior of each context by itself.
    """
    scaling = fit_scaling(context_TK, names)
    seen = scaling.in_spreads(context_TK)
    mixture = GaussianMixture(
        regimes, covariance_type="tied", n_init=RESTARTS, reg_covar=MIN_VARIANCE, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixture.fit(seen)
    turned = replace(scaling, turn_CC=whitening(mixture.covariances_))
    means, weights = mixture.means_ @ turned.turn_CC, _proper(mixture.weights_)
    return RegimeModel(turned, means, np.ones_like(means), weights, np.tile(weights, (regimes, 1)))


def fit_scaling(context_TK: Floats, names: Sequence[str]) -> Scaling:
    """The telling columns (all, where a context has none of them), in logs where they are never below zero."""
    told = [place for place, name in enumerate(names) if name in TELLING]
    columns = np.array(told or range(context_TK.shape[1]), dtype=np.intp)
    chosen = context_TK[:, columns]
    logs = np.array([np.isfinite(column).any() and np.nanmin(column) >= 0.0 for column in chosen.T], dtype=bool)
    centre, spread = _scale(take_logs(chosen, logs))
    return Scaling(columns, logs, centre, spread, np.eye(len(columns)))


def _from_labels(standard: Floats, labels: NDArray[np.int64], regimes: int, scaling: Scaling) -> RegimeModel:
    """Moments of each label; an empty label sits at the centre with unit variance."""
    means, variances = np.zeros((regimes, standard.shape[1])), np.ones((regimes, standard.shape[1]))
    for regime in range(regimes):
        members = standard[labels == regime]
        if len(members) > 1:
            means[regime], variances[regime] = members.mean(axis=0), np.maximum(members.var(axis=0), MIN_VARIANCE)
    moves = np.full((regimes, regimes), 0.2) + 20.0 * STAY * np.eye(regimes)
    np.add.at(moves, (labels[:-1], labels[1:]), 1.0)
    start = np.bincount(labels, minlength=regimes) + 1.0
    return RegimeModel(scaling, means, variances, start / start.sum(), moves / moves.sum(axis=1, keepdims=True))


def _scale(context_TC: Floats) -> tuple[Floats, Floats]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        centre, spread = np.nanmean(context_TC, axis=0), np.nanstd(context_TC, axis=0)
    return np.nan_to_num(centre), np.where(np.nan_to_num(spread) > 1e-12, spread, 1.0)


def _proper(probabilities: Floats) -> Floats:
    """No probability is exactly zero: a regime that was never left could not be left later."""
    lifted = np.nan_to_num(probabilities) + 1e-3
    return np.asarray(lifted / lifted.sum(axis=-1, keepdims=True))
