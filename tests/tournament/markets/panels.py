"""Small price tables for the tests of markets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tournament.markets.panel import PricePanel
from tournament.markets.simulate import SimulatedMarket, SimulationConfig, simulate


def long_table(days: int = 700, assets: int = 12, seed: int = 0) -> pd.DataFrame:
    """A sound long table: id, date, close, volume; random walks of 1 % a day, one of which ends early."""
    rng = np.random.default_rng(seed)
    close = 50 * np.exp(rng.normal(0, 0.01, (days, assets)).cumsum(axis=0))
    dates = pd.bdate_range("2015-01-05", periods=days)
    frame = pd.DataFrame(close, index=dates, columns=[f"A{number:02d}" for number in range(assets)])
    long = frame.rename_axis("date").reset_index().melt("date", var_name="id", value_name="close")
    long["volume"] = 1000.0
    return long


def world(seed: int = 2, assets: int = 40, weeks: int = 40) -> SimulatedMarket:
    """A small simulated market."""
    return simulate(SimulationConfig(seed=seed, assets=assets, weeks=weeks))


def changed_after(panel: PricePanel, row: int) -> PricePanel:
    """The panel with other prices after a row."""
    from dataclasses import replace

    rng, changed = np.random.default_rng(11), {}
    for name in ("close_DN", "open_DN", "high_DN", "low_DN", "volume_DN"):
        changed[name] = getattr(panel, name).copy()
        changed[name][row + 1 :] *= np.exp(rng.normal(0, 0.1, changed[name][row + 1 :].shape))
    return replace(panel, **changed)
