"""Drawings small enough to stand in a table's cell or a line of text."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.safestring import SafeString, mark_safe

from regatta.charts.colours import regime_colour
from regatta.charts.scale import Scale


def spark(values: Sequence[float | None]) -> SafeString:
    """A small curve beside a name, with the zero line when it is crossed."""
    found = [value for value in values if value is not None]
    if len(found) < 2:
        return mark_safe("")
    x, y = Scale(0, len(found) - 1, 1, 83), Scale(min(found), max(found), 20, 2)
    curve = "L".join(f"{x(place):.0f} {y(value):.1f}" for place, value in enumerate(found))
    return mark_safe(
        f'<svg class="spark" viewBox="0 0 84 22" width="84" height="22" aria-hidden="true"><path class="curve" '
        f'd="M{curve}" stroke="var(--accent)"/></svg>'
    )


def bar(share: float, paint: str = "var(--accent)") -> SafeString:
    """A share of one as a horizontal bar."""
    return mark_safe(
        f'<svg class="bar-cell" width="100%" height="8" aria-hidden="true"><rect class="rail" width="100%" height="8" '
        f'rx="4"/><rect width="{100 * min(1.0, max(0.0, share)):.1f}%" height="8" rx="4" fill="{paint}"/></svg>'
    )


def wash(regime: str, depth: float) -> SafeString:
    """A cell's ground in the colour of a regime, from none (0) to as deep as letters on it can bear (1)."""
    return mark_safe(
        f'<svg class="wash" width="100%" height="100%" aria-hidden="true"><rect width="100%" height="100%" '
        f'fill="{regime_colour(regime)}" fill-opacity="{0.5 * min(1.0, max(0.0, depth)):.2f}"/></svg>'
    )


def dot(regime: str) -> SafeString:
    """The colour of a regime as a dot before its name."""
    return mark_safe(
        f'<svg class="swatch" width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="5" '
        f'fill="{regime_colour(regime)}"/></svg>'
    )
