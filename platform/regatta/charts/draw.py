"""The charts themselves; each returns one SVG element as text, safe to place in a page."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from regatta.charts.scale import Scale, nice_ticks, points, signed

Series = Sequence[float]


def river(
    rounds: Sequence[int],
    layers: Sequence[tuple[str, Series]],
    regimes: Sequence[tuple[int, str] | None],
    *,
    height: int = 420,
) -> SafeString:
    """Weights of models over rounds as a stacked river under the regime ribbon; labels at the right."""
    if len(rounds) < 2:
        return mark_safe("")
    x = Scale(rounds[0], rounds[-1], 0, 760)
    y = Scale(0, 1, height, 30)
    parts = _ribbon(rounds, regimes, x)
    below = [0.0] * len(rounds)
    last_label = height + 20.0
    xs = [x(number) for number in rounds]
    for place, (name, values) in enumerate(layers):
        above = [low + value for low, value in zip(below, values, strict=True)]
        outline = points([*xs, *xs[::-1]], [*(y(v) for v in above), *(y(v) for v in below[::-1])])
        shade = max(0.14, 0.95 - 0.12 * place)
        parts.append(
            f'<polygon points="{outline}" fill="var(--accent)" fill-opacity="{shade:.2f}" stroke="var(--sheet)" '
            f'stroke-width="1"><title>{escape(name)}: {values[-1]:.0%} now</title></polygon>'
        )
        middle = (y(above[-1]) + y(below[-1])) / 2 + 4
        if values[-1] > 0.015 and last_label - middle > 11:
            parts.append(f'<text class="lab" x="768" y="{middle:.0f}">{escape(name)} {values[-1]:.0%}</text>')
            last_label = middle
        below = above
    for number in (rounds[0], rounds[len(rounds) // 2], rounds[-1]):
        parts.append(f'<text x="{min(x(number), 735):.0f}" y="{height + 18}">{number}</text>')
    return _svg(parts, 940, height + 26, "Weights of the models over rounds, under the regime of each round")


def _ribbon(rounds: Sequence[int], regimes: Sequence[tuple[int, str] | None], x: Scale) -> list[str]:
    """One coloured stretch per stay in a regime."""
    parts, start = [], 0
    for place in range(1, len(rounds) + 1):
        if place < len(rounds) and regimes[place] == regimes[start]:
            continue
        stay = regimes[start]
        if stay is not None:
            left, right = x(rounds[start]), x(rounds[min(place, len(rounds) - 1)])
            title = f"{escape(stay[1])}: rounds {rounds[start]} to {rounds[place - 1]}"
            parts.append(
                f'<rect x="{left:.1f}" y="6" width="{max(2.0, right - left - 1):.1f}" height="12" rx="1.5" '
                f'fill="var(--regime-{stay[0] + 1})"><title>{title}</title></rect>'
            )
        start = place
    return parts


def line(values: Series, labels: Sequence[str], *, title: str, height: int = 220, percent: bool = False) -> SafeString:
    """One curve with its last value; hover reads a value at each point."""
    if len(values) < 2:
        return mark_safe("")
    low, high = min(values), max(values)
    x, y = Scale(0, len(values) - 1, 46, 690), Scale(low, high, height - 24, 14)
    write = (lambda value: f"{value:.0%}".replace("-", "−")) if percent else (lambda value: signed(value, 2))
    parts = [
        f'<line x1="46" x2="690" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="var(--rule)"/>'
        f'<text x="40" y="{y(tick) + 4:.1f}" text-anchor="end">{write(tick)}</text>'
        for tick in nice_ticks(low, high)
    ]
    curve = points([x(place) for place in range(len(values))], [y(value) for value in values])
    parts.append(f'<polyline fill="none" stroke="var(--accent)" stroke-width="1.8" points="{curve}"/>')
    step = max(1, len(values) // 120)
    parts += [
        f'<circle cx="{x(place):.1f}" cy="{y(values[place]):.1f}" r="5" fill="transparent">'
        f"<title>{escape(labels[place])}: {write(values[place])}</title></circle>"
        for place in range(0, len(values), step)
    ]
    parts.append(f'<text x="46" y="{height - 4}">{escape(labels[0])}</text>')
    parts.append(f'<text x="690" y="{height - 4}" text-anchor="end">{escape(labels[-1])}</text>')
    return _svg(parts, 700, height, title)


def intervals(rows: Sequence[tuple[str, float, float | None]], *, title: str, strong: str = "") -> SafeString:
    """A dot and two standard errors for each row, from best to worst, with the zero line."""
    if not rows:
        return mark_safe("")
    ends = [value + side * 2 * (error or 0.0) for _, value, error in rows for side in (-1, 1)]
    x = Scale(min(0.0, *ends), max(0.0, *ends), 140, 440)
    height = 26 * len(rows) + 26
    parts = [
        f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="4" y2="{height - 20}" stroke="var(--rule)"/>'
        f'<text x="{x(tick):.1f}" y="{height - 4}" text-anchor="middle">{signed(tick, 2)}</text>'
        for tick in nice_ticks(x.low, x.high)
    ]
    for place, (name, value, error) in enumerate(rows):
        middle, colour = 18 + 26 * place, "var(--accent)" if name == strong else "var(--soft)"
        reach = 2 * (error or 0.0)
        parts.append(
            f'<text class="lab" x="130" y="{middle + 4}" text-anchor="end">{escape(name)}</text>'
            f'<line x1="{x(value - reach):.1f}" x2="{x(value + reach):.1f}" y1="{middle}" y2="{middle}" '
            f'stroke="{colour}" stroke-width="2"/><circle cx="{x(value):.1f}" cy="{middle}" r="4" fill="{colour}">'
            f"<title>{escape(name)}: {signed(value)} ± {(error or 0.0):.4f}</title></circle>"
        )
    return _svg(parts, 460, height, title)


def spark(values: Sequence[float | None]) -> SafeString:
    """A small cumulative curve beside a name."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return mark_safe("")
    x, y = Scale(0, len(known) - 1, 1, 89), Scale(min(known), max(known), 20, 2)
    curve = points([x(place) for place in range(len(known))], [y(value) for value in known])
    return mark_safe(
        '<svg viewBox="0 0 90 22" width="90" height="22" aria-hidden="true"><polyline fill="none" '
        f'stroke="var(--accent)" stroke-width="1.4" points="{curve}"/></svg>'
    )


def _svg(parts: Sequence[str], width: int, height: int, label: str) -> SafeString:
    return mark_safe(
        f'<svg viewBox="0 0 {width} {height}" width="100%" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
