"""Numbers, times and small drawings as templates write them."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from regatta.charts import cells, numbers
from regatta.charts.colours import regime_colour

register = template.Library()

register.filter("corr", numbers.corr)
register.filter("two", numbers.two)
register.filter("plain", numbers.plain)
register.filter("percent", numbers.percent)
register.filter("signed", numbers.signed)
register.filter("basis", numbers.basis)
register.filter("hundredths", numbers.hundredths)
register.filter("pull", numbers.pull)
register.filter("count", numbers.count)
register.filter("bytes", numbers.size)
register.filter("dot", cells.dot)


@register.filter
def moment(at: datetime | None) -> SafeString:
    """A time to the minute in UTC; a script adds the reader's local time."""
    if at is None:
        return mark_safe(numbers.NONE)
    at = at.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M}")


@register.filter
def error(value: float | None) -> SafeString:
    """`± 0.0031` in small letters; nothing when unknown."""
    return format_html("<small>± {}</small>", numbers.corr(value)) if numbers.known(value) else mark_safe("")


@register.filter
def pull_error(value: float | None) -> SafeString:
    """The standard error of a gradient by a weight, in small letters; nothing when unknown."""
    if value is None or not numbers.known(value):
        return mark_safe("")
    return format_html("<small>± {}</small>", numbers.plain(100 * value, 2))


@register.filter
def change(share: float | None, digits: int = 0) -> str:
    """A signed change as `−4.2 %`."""
    text = numbers.percent(share, digits)
    return f"+{text}" if share is not None and share > 0 and not text.startswith("0.0\u202f") else text


@register.filter
def lost(added: float | None) -> str:
    """What a blend loses or gains in corr without what a model added."""
    return numbers.signed(None if added is None else -added)


@register.simple_tag
def wash(regime: str, depth: float) -> SafeString:
    """The colour of a regime behind a number, deeper for more."""
    return cells.wash(regime, depth)


@register.simple_tag
def bar(share: float, regime: str = "") -> SafeString:
    """A share of one, in the colour of a regime where one is named."""
    return cells.bar(share, regime_colour(regime)) if regime else cells.bar(share)
