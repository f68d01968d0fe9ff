"""Two ways to find regimes in contexts: a hidden Markov model and a statistical jump model."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
from hmmlearn.hmm import GaussianHMM
from jumpmodels.jump import JumpModel
from numpy.typing import NDArray

from tournament.regimes.model import CLIP, Floats, RegimeModel

JUMP_PENALTY = 20.0
MIN_VARIANCE = 0.05
STAY = 0.93
"""Prior probability to stay: regimes last months, rounds a week."""


def fit_hmm(context_TC: Floats, *, regimes: int, seed: int) -> RegimeModel:
    """Gaussian HMM by EM (hmmlearn), with a prior for persistence; only its parameters are kept."""
    centre, spread = _scale(context_TC)
    standard = np.nan_to_num(np.clip((context_TC - centre) / spread, -CLIP, CLIP))
    prior = 1.0 + 20.0 * np.eye(regimes)
    chain = GaussianHMM(
        regimes, covariance_type="diag", transmat_prior=prior, random_state=seed, n_iter=40, min_covar=MIN_VARIANCE
    )
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)  # a slow last step of EM is no news
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chain.fit(standard)
    variances = np.maximum(np.array([np.diag(c) for c in chain.covars_]), MIN_VARIANCE)
    return RegimeModel(centre, spread, chain.means_, variances, _proper(chain.startprob_), _proper(chain.transmat_))


def fit_jump(context_TC: Floats, *, regimes: int, seed: int) -> RegimeModel:
    """Statistical jump model (Nystrup, Lindstroem and Madsen 2020); its labels give means, spreads and transitions."""
    centre, spread = _scale(context_TC)
    standard = np.nan_to_num(np.clip((context_TC - centre) / spread, -CLIP, CLIP))
    model = JumpModel(n_components=regimes, jump_penalty=JUMP_PENALTY, cont=False, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(pd.DataFrame(standard), sort_by="freq")
    labels = np.asarray(model.labels_, dtype=int)
    return _from_labels(standard, labels, regimes, centre, spread)


def _from_labels(
    standard: Floats, labels: NDArray[np.int64], regimes: int, centre: Floats, spread: Floats
) -> RegimeModel:
    """Moments of each label; an empty label sits at the centre with unit variance."""
    means, variances = np.zeros((regimes, standard.shape[1])), np.ones((regimes, standard.shape[1]))
    for regime in range(regimes):
        members = standard[labels == regime]
        if len(members) > 1:
            means[regime], variances[regime] = members.mean(axis=0), np.maximum(members.var(axis=0), MIN_VARIANCE)
    moves = np.full((regimes, regimes), 0.2) + 20.0 * STAY * np.eye(regimes)
    np.add.at(moves, (labels[:-1], labels[1:]), 1.0)
    start = np.bincount(labels, minlength=regimes) + 1.0
    return RegimeModel(centre, spread, means, variances, start / start.sum(), moves / moves.sum(axis=1, keepdims=True))


def _scale(context_TC: Floats) -> tuple[Floats, Floats]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        centre, spread = np.nanmean(context_TC, axis=0), np.nanstd(context_TC, axis=0)
    return np.nan_to_num(centre), np.where(np.nan_to_num(spread) > 1e-12, spread, 1.0)


def _proper(probabilities: Floats) -> Floats:
    """No probability is exactly zero: a regime that was never left could not be left later."""
    lifted = np.nan_to_num(probabilities) + 1e-3
    return np.asarray(lifted / lifted.sum(axis=-1, keepdims=True))
