"""The river: who carries how much weight, round by round, under the ribbon of regimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from django.utils.html import escape

from regatta.charts.figure import Chart, Label, Plot, Table
from regatta.charts.numbers import percent
from regatta.charts.scale import CANVAS, Scale, band, spread

DARKEST, LIGHTEST = 0.95, 0.12
LEAST_NAMED = 0.005
"""Who weighs less at the right end is not named there; hover and the table tell."""
LABEL_GAP = 3.9
"""Least distance of two labels, in per cent of a river's height: 15 of 380 pixels."""


def river(
    rounds: Sequence[int],
    weights: Sequence[Mapping[str, float]],
    regimes: Sequence[str | None],
    *,
    shown: int = 8,
    title: str,
) -> Chart:
    """Weights (fractions by model name) of the `shown` largest models and the rest, over rounds."""
    if len(rounds) < 2:
        return Chart(title)
    names = largest(weights, shown)
    layers = [[row.get(name, 0.0) for row in weights] for name in names]
    rest = {name for row in weights for name in row} - set(names)
    if rest:
        names.append(f"{len(rest)} others")
        layers.append([max(0.0, sum(row.values()) - sum(row.get(name, 0.0) for name in names)) for row in weights])
    y, canvas = Scale(0.0, 1.0, 100.0, 0.0), Scale(0.0, 1.0, CANVAS, 0.0)
    edges = list(accumulate(layers, _add, initial=[0.0] * len(rounds)))
    shades = [DARKEST - (DARKEST - LIGHTEST) * place / max(1, len(layers) - 1) for place in range(len(layers))]
    area = "".join(
        f'<path d="{band(low, high, canvas)}" fill="var(--accent)" fill-opacity="{shade:.2f}" class="bank">'
        f"<title>{escape(name)}: {percent(values[-1])} now</title></path>"
        for name, values, low, high, shade in zip(names, layers, edges, edges[1:], shades, strict=False)
    )
    middles = [y((low[-1] + high[-1]) / 2) for low, high in pairwise(edges)]
    named = [place for place, values in enumerate(layers) if values[-1] >= LEAST_NAMED]
    heights = spread([middles[place] for place in named], LABEL_GAP, low=2, high=98)
    labels = [
        Label(names[place], percent(layers[place][-1]), height, "var(--accent)", shades[place])
        for place, height in zip(named, heights, strict=True)
    ][::-1]
    columns = [f"round {number}" for number in rounds]
    plot = Plot(title, y, percent, columns, "share of the weight", labels, regimes)
    rows = tuple(
        (column, regime or "–", *(percent(values[place], 1) for values in layers[::-1]))
        for place, (column, regime) in enumerate(zip(columns, regimes, strict=True))
    )
    return Chart(title, plot.draw(area), Table(("Round", "Regime", *names[::-1]), rows), "river tall")


def largest(weights: Sequence[Mapping[str, float]], count: int) -> list[str]:
    """The names with most weight, greatest first: the newest round counts as much as all rounds together."""
    total: dict[str, float] = {}
    for row in (*weights, *[weights[-1]] * len(weights)):
        for name, weight in row.items():
            total[name] = total.get(name, 0.0) + weight
    return sorted(total, key=lambda name: (-total[name], name))[:count]


def _add(below: list[float], values: list[float]) -> list[float]:
    return [low + value for low, value in zip(below, values, strict=True)]
