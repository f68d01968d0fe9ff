"""What a diagnosis found, as every page shows it: of uploaded predictions and of hosted models alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from django.utils.safestring import SafeString

from regatta.charts.colours import regime_colour
from regatta.charts.figure import Chart, Table
from regatta.charts.intervals import Interval, intervals
from regatta.charts.lines import Curve, lines
from regatta.charts.numbers import corr, two
from tournament.errors import counted

Era = Mapping[str, Any]
SCORES = (("corr", "Corr"), ("mmc", "MMC"), ("bmc", "BMC"), ("fnc", "FNC"))
EXPOSURE = "max_feature_exposure"
BY_ERA = (*SCORES, (EXPOSURE, "Exposure"), ("example_corr", "Corr of the example"))


@dataclass(frozen=True, slots=True)
class Line:
    """One score over the eras; None where it is not known."""

    name: str
    mean: float | None
    error: float | None
    std: float | None
    sharpe: float | None
    max_drawdown: float | None


@dataclass(frozen=True, slots=True)
class RegimeLine:
    """The scores of one regime's eras; None where they are not known."""

    regime: str
    eras: int
    scores: tuple[tuple[float | None, float | None], ...]
    """Mean and standard error of each of SCORES that is shown."""
    sharpe: float | None
    exposure: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a page shows of a diagnosis; `shown` names the scores that there are."""

    eras: int
    lines: tuple[Line, ...]
    shown: tuple[str, ...]
    regimes: tuple[RegimeLine, ...]
    facts: tuple[tuple[str, str], ...]
    sums: Chart
    exposure: Chart
    by_regime: SafeString


def figures_of(eras: Sequence[Era], summary: Mapping[str, Any], regimes: Sequence[Mapping[str, Any]]) -> Figures | None:
    """What to show of stored figures; None where there are none."""
    if not eras or "corr_mean" not in summary:
        return None
    shown = tuple((key, name) for key, name in SCORES if summary.get(f"{key}_mean") is not None)
    return Figures(
        len(eras), tuple(_line(key, name, summary) for key, name in SCORES), tuple(name for _, name in shown),
        tuple(_regime(one, [key for key, _ in shown]) for one in regimes), _facts(summary), draw_sums(eras),
        draw_exposure(eras), draw_regimes(regimes),
    )  # fmt: skip


def draw_sums(eras: Sequence[Era]) -> Chart:
    """Running sums of the scores beside the example's, over a ribbon of regimes; the table has each era's own."""
    curves = [
        Curve(name, list(accumulate(era.get(key) or 0.0 for era in eras)), paint)
        for key, name, paint in (
            ("example_corr", "example", "var(--edge)"), ("fnc", "fnc", "var(--soft)"), ("corr", "corr", "var(--accent)")
        )
        if any(era.get(key) is not None for era in eras)
    ]  # fmt: skip
    ribbon = [era.get("regime") or None for era in eras]
    title = "Corr and FNC summed over the eras, beside the platform's example"
    drawn = lines(
        _columns(eras), curves, title=title, caption="sum over eras", write=two, precise=corr, zero=True,
        ribbon=ribbon if any(ribbon) else (),
    )  # fmt: skip
    return replace(drawn, table=_table(eras)) if drawn else drawn


def draw_exposure(eras: Sequence[Era]) -> Chart:
    """The largest correlation with a single feature, era by era."""
    curve = Curve("exposure", [era.get(EXPOSURE) for era in eras])
    title = "Largest exposure to a single feature in each era"
    return lines(_columns(eras), [curve], title=title, caption="exposure", write=two, precise=corr, zero=True)


def draw_regimes(regimes: Sequence[Mapping[str, Any]]) -> SafeString:
    """Mean corr in the eras of each regime with two standard errors, best first."""
    known = [one for one in regimes if one.get("corr_mean") is not None]
    rows = [
        Interval(
            one["regime"], one["corr_mean"], one.get("corr_standard_error"), counted(one["eras"], "era", "eras"),
            regime_colour(one["regime"]),
        )
        for one in sorted(known, key=lambda one: -one["corr_mean"])
    ]  # fmt: skip
    return intervals(rows, title="Mean corr by regime with two standard errors", unit="corr")


def _table(eras: Sequence[Era]) -> Table:
    """Every figure of each era."""
    columns = [(key, name) for key, name in BY_ERA if any(era.get(key) is not None for era in eras)]
    is_told = any(era.get("regime") for era in eras)
    rows = (
        (str(era["era"]), *([era.get("regime") or "–"] if is_told else []), *(corr(era.get(key)) for key, _ in columns))
        for era in eras
    )
    return Table(("Era", *(["Regime"] if is_told else []), *(name for _, name in columns)), tuple(rows))


def _columns(eras: Sequence[Era]) -> list[str]:
    return [f"era {int(era['era']):04d}" for era in eras]


def _line(key: str, name: str, summary: Mapping[str, Any]) -> Line:
    names = ("mean", "standard_error", "std", "sharpe", "max_drawdown")
    return Line(name, *(summary.get(f"{key}_{figure}") for figure in names))


def _regime(one: Mapping[str, Any], shown: Sequence[str]) -> RegimeLine:
    scores = tuple((one.get(f"{key}_mean"), one.get(f"{key}_standard_error")) for key in shown)
    return RegimeLine(one["regime"], one["eras"], scores, one.get("corr_sharpe"), one.get(f"{EXPOSURE}_mean"))


def _facts(summary: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return (
        ("Highest feature exposure", two(summary.get(EXPOSURE))),
        ("Corr of neighbouring eras", two(summary.get("corr_autocorrelation"))),
        ("Sharpe adjusted for skew and tails", two(summary.get("corr_adjusted_sharpe"))),
        ("Likeness to the example", two(summary.get("corr_with_example"))),
        ("The example's corr", corr(summary.get("example_corr_mean"))),
        ("Churn", "not defined: ids change with every era"),
    )
