"""About forty features of a cross-section, each read off prices known at the era's close.

Shape suffixes: D dates, N assets, E eras, F features. Source: standard characteristics of the asset-pricing
literature (Jegadeesh and Titman 1993; De Bondt and Thaler 1985; Ang et al. 2006; Bali et al. 2011; Amihud 2002;
Heston and Sadka 2008; George and Hwang 2004), in our own small variants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tournament.markets import windows
from tournament.markets.panel import Floats, PricePanel
from tournament.markets.quality import daily_returns
from tournament.markets.windows import Rows, at_rows, trailing

BINS = 5
MISSING_BIN = 2
YEAR, QUARTER, MONTH, WEEK = 252, 63, 21, 5


@dataclass(frozen=True)
class Prices:
    """What features are made from: logs, returns and ranges of one panel."""

    panel: PricePanel
    rows_E: Rows
    log_DN: Floats = field(init=False)
    returns_DN: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Derive log prices and daily returns once."""
        object.__setattr__(self, "log_DN", np.log(self.panel.close_DN))
        object.__setattr__(self, "returns_DN", daily_returns(self.panel.close_DN))

    def past_return(self, width: int, skip: int = 0) -> Floats:
        """Log return over `width` days that end `skip` days before the era (E x N)."""
        return at_rows(self.log_DN, self.rows_E, skip) - at_rows(self.log_DN, self.rows_E, skip + width)

    def over(self, width: int, statistic: Callable[[Floats], Floats], *, skip: int = 0) -> Floats:
        """A statistic of daily returns over a trailing window."""
        return trailing(self.returns_DN, self.rows_E, width, statistic, skip=skip)

    def level_over(self, values_DN: Floats, width: int, statistic: Callable[[Floats], Floats]) -> Floats:
        """A statistic of another daily panel over a trailing window."""
        return trailing(values_DN, self.rows_E, width, statistic)

    def range_DN(self) -> Floats | None:
        """Log of high over low, or None."""
        high, low = self.panel.high_DN, self.panel.low_DN
        return None if high is None or low is None else np.log(high / low)

    def log_volume_DN(self) -> Floats | None:
        """Log of money traded, or None."""
        volume = self.panel.volume_DN
        return None if volume is None else np.log1p(volume)


Feature = Callable[[Prices], Floats | None]


def _same_month(prices: Prices) -> Floats:
    """Mean return of the coming month's weeks one and two years ago (Heston and Sadka 2008)."""
    return (prices.past_return(MONTH, YEAR - MONTH) + prices.past_return(MONTH, 2 * YEAR - MONTH)) / 2.0


def _near_high(prices: Prices, width: int) -> Floats:
    """Distance below the highest close (George and Hwang 2004)."""
    return at_rows(prices.log_DN, prices.rows_E) - prices.level_over(prices.log_DN, width, windows.largest)


def _above_low(prices: Prices) -> Floats:
    return at_rows(prices.log_DN, prices.rows_E) - prices.level_over(prices.log_DN, YEAR, windows.smallest)


def _trend_quality(prices: Prices, width: int) -> Floats:
    """Mean daily return over its deviation."""
    return prices.over(width, windows.mean) / prices.over(width, windows.deviation)


def _acceleration(prices: Prices) -> Floats:
    return prices.past_return(QUARTER) - prices.past_return(QUARTER, QUARTER)


def _volatility_trend(prices: Prices) -> Floats:
    return prices.over(MONTH, windows.deviation) / prices.over(YEAR // 2, windows.deviation)


def _illiquidity(prices: Prices) -> Floats | None:
    """Mean of |return| over money traded (Amihud 2002)."""
    volume = prices.panel.volume_DN
    if volume is None:
        return None
    return np.log(prices.level_over(np.abs(prices.returns_DN) / (volume + 1.0), QUARTER, windows.mean))


def _volume(prices: Prices, width: int) -> Floats | None:
    volume = prices.log_volume_DN()
    return None if volume is None else prices.level_over(volume, width, windows.mean)


def _volume_surprise(prices: Prices, short: int, long: int) -> Floats | None:
    recent, usual = _volume(prices, short), _volume(prices, long)
    return None if recent is None or usual is None else recent - usual


def _volume_deviation(prices: Prices) -> Floats | None:
    volume = prices.log_volume_DN()
    return None if volume is None else prices.level_over(volume, QUARTER, windows.deviation)


def _range(prices: Prices, width: int) -> Floats | None:
    values = prices.range_DN()
    return None if values is None else prices.level_over(values, width, windows.mean)


def _close_in_range(prices: Prices) -> Floats | None:
    """Where closes lie between low and high, a week's mean."""
    panel = prices.panel
    if panel.high_DN is None or panel.low_DN is None:
        return None
    width = panel.high_DN - panel.low_DN
    place = np.where(width > 0, (panel.close_DN - panel.low_DN) / np.where(width > 0, width, 1.0), 0.5)
    return prices.level_over(place, WEEK, windows.mean)


def _overnight(prices: Prices) -> Floats | None:
    """A month's mean return from close to open."""
    opened = prices.panel.open_DN
    if opened is None:
        return None
    overnight = np.full(opened.shape, np.nan)
    overnight[1:] = opened[1:] / prices.panel.close_DN[:-1] - 1.0
    return prices.level_over(overnight, MONTH, windows.mean)


def _relative_to_sector(prices: Prices, width: int) -> Floats | None:
    """Past return less the mean of the asset's sector."""
    if prices.panel.sectors is None:
        return None
    past = prices.past_return(width)
    names = np.array(prices.panel.sectors)
    out = np.full(past.shape, np.nan)
    for name in np.unique(names):
        members = names == name
        known = np.isfinite(past[:, members])
        total = np.where(known, past[:, members], 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        out[:, members] = past[:, members] - total[:, None]
    return out


def _idiosyncratic_momentum(prices: Prices) -> Floats:
    market = np.nanmean(prices.past_return(YEAR // 2, MONTH), axis=1, keepdims=True)
    beta = prices.over(YEAR // 2, windows.beta_to_mean)
    return prices.past_return(YEAR // 2, MONTH) - beta * market


def _over(width: int, statistic: Callable[[Floats], Floats], prices: Prices) -> Floats:
    return prices.over(width, statistic)


def _past(width: int, skip: int, prices: Prices) -> Floats:
    return prices.past_return(width, skip)


FEATURES: dict[str, tuple[str, Feature]] = {
    "momentum_12_1": ("momentum", partial(_past, YEAR - MONTH, MONTH)),
    "momentum_6_1": ("momentum", partial(_past, YEAR // 2 - MONTH, MONTH)),
    "momentum_3": ("momentum", partial(_past, QUARTER, WEEK)),
    "momentum_9": ("momentum", partial(_past, 3 * QUARTER, MONTH)),
    "momentum_idiosyncratic": ("momentum", _idiosyncratic_momentum),
    "trend_quality_6": ("momentum", lambda prices: _trend_quality(prices, YEAR // 2)),
    "trend_quality_12": ("momentum", lambda prices: _trend_quality(prices, YEAR)),
    "acceleration_3": ("momentum", _acceleration),
    "reversal_1d": ("reversal", partial(_past, 1, 0)),
    "reversal_1w": ("reversal", partial(_past, WEEK, 0)),
    "reversal_2w": ("reversal", partial(_past, 2 * WEEK, 0)),
    "reversal_1m": ("reversal", partial(_past, MONTH, 0)),
    "autocorrelation_3": ("reversal", partial(_over, QUARTER, windows.autocorrelation)),
    "value_2y": ("value", partial(_past, YEAR, YEAR)),
    "value_3y": ("value", partial(_past, 2 * YEAR, YEAR)),
    "value_18m": ("value", partial(_past, YEAR + YEAR // 2, QUARTER)),
    "volatility_1": ("volatility", partial(_over, MONTH, windows.deviation)),
    "volatility_3": ("volatility", partial(_over, QUARTER, windows.deviation)),
    "volatility_12": ("volatility", partial(_over, YEAR, windows.deviation)),
    "volatility_residual_6": ("volatility", partial(_over, YEAR // 2, windows.residual_deviation)),
    "volatility_downside_6": ("volatility", partial(_over, YEAR // 2, windows.downside)),
    "volatility_trend": ("volatility", _volatility_trend),
    "skew_3": ("skew", partial(_over, QUARTER, windows.skewness)),
    "skew_12": ("skew", partial(_over, YEAR, windows.skewness)),
    "kurtosis_12": ("skew", partial(_over, YEAR, windows.kurtosis)),
    "largest_day_1": ("skew", partial(_over, MONTH, windows.largest)),
    "smallest_day_1": ("skew", partial(_over, MONTH, windows.smallest)),
    "beta_12": ("beta", partial(_over, YEAR, windows.beta_to_mean)),
    "beta_3": ("beta", partial(_over, QUARTER, windows.beta_to_mean)),
    "size_volume_12": ("liquidity", lambda prices: _volume(prices, YEAR)),
    "illiquidity_3": ("liquidity", _illiquidity),
    "volume_deviation_3": ("liquidity", _volume_deviation),
    "volume_surprise_1w": ("volume", lambda prices: _volume_surprise(prices, WEEK, QUARTER)),
    "volume_surprise_1m": ("volume", lambda prices: _volume_surprise(prices, MONTH, YEAR)),
    "season_month": ("seasonality", _same_month),
    "season_up_days": ("seasonality", partial(_over, YEAR, windows.share_positive)),
    "range_high_12": ("range", lambda prices: _near_high(prices, YEAR)),
    "range_high_3": ("range", lambda prices: _near_high(prices, QUARTER)),
    "range_low_12": ("range", _above_low),
    "range_width_1": ("range", lambda prices: _range(prices, MONTH)),
    "range_close_1w": ("range", _close_in_range),
    "range_overnight_1": ("range", _overnight),
    "sector_relative_1w": ("sector", lambda prices: _relative_to_sector(prices, WEEK)),
    "sector_relative_3": ("sector", lambda prices: _relative_to_sector(prices, QUARTER)),
    "sector_relative_12": ("sector", lambda prices: _relative_to_sector(prices, YEAR)),
}
"""Name: (group, function). A function gives None where the panel lacks what it needs (volume, ranges, sectors)."""


def feature_cube(panel: PricePanel, rows_E: Rows) -> tuple[tuple[str, ...], Floats]:
    """Names and raw values (E x N x F) of every feature that the panel allows."""
    prices = Prices(panel, rows_E)
    names, layers = [], []
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, (_, feature) in FEATURES.items():
            values = feature(prices)
            if values is not None:
                names.append(name)
                layers.append(values)
    return tuple(names), np.stack(layers, axis=2)


def bin_features(raw_ENF: Floats, present_EN: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Rank each feature within its era into 0..4, a fifth each; missing values get the middle bin, 2."""
    out = np.full(raw_ENF.shape, MISSING_BIN, dtype=np.int8)
    for era, present in enumerate(present_EN):
        values_NF = np.where(np.isfinite(raw_ENF[era]) & present[:, None], raw_ENF[era], np.nan)
        known = np.isfinite(values_NF)
        place = np.argsort(np.argsort(values_NF, axis=0, kind="stable"), axis=0, kind="stable")  # NaN sorts last
        bins = place * BINS // np.maximum(known.sum(axis=0), 1)
        out[era] = np.where(known, bins, MISSING_BIN)
    return out
