"""What an axis says is where it stands."""

from __future__ import annotations

import pytest

from regatta.charts.lines import Curve, shares
from regatta.charts.scale import nice_ticks, padded


@pytest.mark.parametrize("top", [0.5, 0.1, 0.06, 0.02, 0.01, 0.007, 0.0004])
def test_per_cents_on_an_axis_are_not_rounded_away(top: float) -> None:
    write = shares([Curve("weight", [0.0, top])])

    for tick in nice_ticks(*padded([0.0, top], zero=True)):
        assert float(write(tick).removesuffix("\u202f%")) == pytest.approx(100 * tick, abs=1e-9)
