"""What skfolio does for a multi-asset book. It is an extra: nothing else here needs it. S days, U instruments."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pandas as pd

from tournament.errors import BadInput, Fault
from tournament.portfolio.risk import Floats


def hierarchical_weights(returns_SU: Floats) -> Floats:
    """Hierarchical risk parity on variances: long, summing to 1 (U). Source: Lopez de Prado 2016.

    A return that is missing counts as 0. Raises BadInput when skfolio is not installed.
    """
    optimization = _skfolio("optimization", "hierarchical")
    if returns_SU.shape[1] < 3:  # no tree to speak of: what it would do with two leaves
        variance_U = np.nan_to_num(returns_SU).var(axis=0)
        return np.asarray((1.0 / variance_U) / (1.0 / variance_U).sum())
    fitted = optimization.HierarchicalRiskParity().fit(_frame(returns_SU))
    return np.asarray(fitted.weights_, dtype=float)


def posterior_returns(returns_SU: Floats, market_U: Floats, view_U: Floats) -> Floats:
    """Black-Litterman's posterior mean return of a day (U): the equilibrium in which `market_U` would be held, and
    views of each instrument's own return in excess of it. Source: Black and Litterman 1992, in skfolio's form.

    Raises BadInput when skfolio is not installed.
    """
    prior, moments = _skfolio("prior", "black_litterman"), _skfolio("moments", "black_litterman")
    frame = _frame(returns_SU)
    equilibrium = prior.EmpiricalPrior(mu_estimator=moments.EquilibriumMu(weights=market_U))
    rest_U = equilibrium.fit(frame).return_distribution_.mu
    views = [f"{name} == {rest + view:.12f}" for name, rest, view in zip(frame.columns, rest_U, view_U, strict=True)]
    fitted = prior.BlackLitterman(views=views, prior_estimator=equilibrium).fit(frame)
    return np.asarray(fitted.return_distribution_.mu, dtype=float)


def _frame(returns_SU: Floats) -> pd.DataFrame:
    """Plain names: those of instruments may hold what a view's grammar reads as arithmetic."""
    return pd.DataFrame(np.nan_to_num(returns_SU), columns=[f"a{place}" for place in range(returns_SU.shape[1])])


def _skfolio(part: str, method: str) -> ModuleType:
    """A part of skfolio, or a refusal that says what to install."""
    from importlib import import_module

    try:
        return import_module(f"skfolio.{part}")
    except ImportError:
        hint = "pip install skfolio==1.12.2, or choose another method"
        raise BadInput(Fault("no_skfolio", f"method '{method}' needs skfolio, which is not installed", hint)) from None
