"""report.html of a study: tables and drawings of every figure, selectors sorted by corr."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tournament import reports
from tournament.evaluation.figures import RIVALS, UNHARMED
from tournament.evaluation.study import RIVAL, Study
from tournament.reports import number

SHOWN_PATHS = 6
Rows = list[tuple[str, dict[str, Any]]]


def html(study: Study, figures: dict[str, Any], name: str) -> str:
    """The whole report; `figures` is what figures.report gave."""
    rows = sorted(figures["selectors"].items(), key=lambda item: -_sortable(item[1]["corr"]))
    parts = [
        reports.heading("Corr"), _drawn_corr(rows), reports.table(_corr_table(rows)),
        *map(reports.note, told_apart(figures)),
        *_attainable(rows, figures.get("attainable")),
        *_gains(rows),
        reports.heading("Harm against equal and stake weight"), reports.note(HARM), reports.table(_harm_table(rows)),
        reports.heading("Overfitting"), reports.note(_overfitting_words(figures)), *_overfitting_table(rows),
        reports.heading("Sum of corr"), _drawn_paths(study, [label for label, _ in rows]),
        reports.heading("Cost"), reports.table(_cost_table(rows)),
    ]  # fmt: skip
    return reports.page(f"Selectors on {name}", _lede(figures), parts)


HARM = (
    "Paired, one-sided at two standard errors: no harm is shown where the mean difference less two standard errors is "
    "not below zero, harm where the mean difference and two more still are. The last column of each pair is the "
    "largest mean loss a round that is not excluded."
)
POWER = (
    "Rounds to see: how many rounds would show this mean difference, were it the true one, at two standard errors in "
    "four studies of five (80 % power), given its noise a round with overlap counted. Visible: the smallest true "
    "difference that the rounds of this study would show as surely."
)
CLOSED = (
    "Expected corr of the blends, free of noise, from the truth. The informed filter knows every parameter and sees "
    "what selectors see, scores late; only the regime is hidden from it. The oracle knows the regime too. "
    "Shares are of the gap from equal weight to the informed filter."
)


def _lede(figures: dict[str, Any]) -> str:
    return (
        f"{figures['scored_rounds']} rounds weighed and scored of {figures['rounds']}, {figures['models']} models. "
        "Each selector knew only what was resolved when a round opened. Standard errors are block-bootstrap, because "
        f"targets overlap {figures['overlap_rounds']} rounds."
    )


def told_apart(figures: dict[str, Any]) -> list[str]:
    """A sentence for each group of selectors that gave the same weights throughout."""
    return [
        f"The same weights in every round, so one result and not {len(names)}: {', '.join(names)}. Families that have "
        "too few resolved rounds to learn from stand in with ridge or equal weight."
        for names in figures["same_weights"]
    ]


def _drawn_corr(rows: Rows) -> str:
    points = [(name, one["corr"], one["corr"] - 2 * one["standard_error"], one["corr"] + 2 * one["standard_error"])
              for name, one in rows]  # fmt: skip
    return _forest("Mean corr a round, two standard errors either way", points)


def _corr_table(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Selector": name,
                "Mean corr": _with_error(one["corr"], one["standard_error"]),
                "Over equal": _with_error(one["over_equal"], one["over_equal_standard_error"]),
                "Sharpe": number(one["sharpe"], 2),
                "Deflated": number(one["deflated_sharpe"], 2),
                "Turnover": number(one["turnover"], 2),
                "Models": number(one["effective_models"], 1),
            }
            for name, one in rows
        ]
    )


def _attainable(rows: Rows, ceiling: dict[str, Any] | None) -> Iterator[str]:
    """What was closed of what could be: only where the truth is known."""
    if ceiling is None:
        return
    points = [(name, one["gap_share"], one["gap_share"] - 2 * one["gap_share_standard_error"],
               one["gap_share"] + 2 * one["gap_share_standard_error"]) for name, one in rows]  # fmt: skip
    bounds = [("equal weight", "equal"), ("informed filter", "informed_bayes"), ("regime oracle", "regime_oracle")]
    table = [
        {"Selector": name, "Expected corr": number(one["expected_corr"]),
         "Share of gap": _with_error(one["gap_share"], one["gap_share_standard_error"], 2)}
        for name, one in rows
    ]  # fmt: skip
    yield reports.heading("Share of the attainable gap")
    yield reports.note(
        f"{CLOSED} Its law is {ceiling['law']}; it closes {number(ceiling['informed_share_of_oracle_gap'], 2)} of the "
        "oracle's gap. " + ", ".join(f"{label} {number(ceiling[key])}" for label, key in bounds) + "."
    )
    yield _forest("Share of the gap closed, two standard errors either way", points, at=(0.0, 1.0))
    yield reports.table(pd.DataFrame(table))


def _gains(rows: Rows) -> Iterator[str]:
    """Differences from each rival that ran, with how long it takes to see them."""
    for rival in RIVALS:
        compared = [(name, one["gains"][rival]) for name, one in rows if rival in one["gains"]]
        if not compared:
            continue
        points = [(name, one["difference"], *one["interval_95"]) for name, one in compared]
        table = [
            {
                "Selector": name,
                "Difference": _with_error(one["difference"], one["standard_error"]),
                "95 % interval": " to ".join(number(end) for end in one["interval_95"]),
                "Noise a round": number(one["noise_per_round"]),
                "Rounds to see": number(one["rounds_to_see"], 0),
                "Visible": number(one["smallest_visible"]),
            }
            for name, one in compared
        ]
        yield reports.heading(f"Gain over {rival}")
        if rival == RIVAL:
            yield reports.note(POWER)
        yield _forest(f"Mean paired difference in corr a round from {rival}, 95 % interval", points)
        yield reports.table(pd.DataFrame(table))


def _harm_table(rows: Rows) -> pd.DataFrame:
    table = []
    for name, one in rows:
        row = {"Selector": name}
        for rival in UNHARMED:
            found = one["harm"].get(rival)
            row[f"Against {rival}"] = "–" if found is None else found["verdict"]
            row[f"Loss to {rival}, at most"] = "–" if found is None else number(found["largest_loss_not_excluded"])
        table.append(row)
    return pd.DataFrame(table)


def _overfitting_words(figures: dict[str, Any]) -> str:
    canary = figures["leak_canary"]
    return (
        "Probability that the best selector of one half of the rounds is below the median in the other half (PBO): "
        f"{number(figures['probability_of_backtest_overfitting'], 2)}. Deflated Sharpe ratios count "
        f"{figures['trials']} trials. Showing scores before their targets end would have feigned "
        f"{_with_error(canary['difference'], canary['standard_error'])} corr a round for a selector that follows the "
        "newest scores (the leak canary)."
    )


def _overfitting_table(rows: Rows) -> Iterator[str]:
    """Validation against out of sample, for the families that keep validation figures."""
    table = [
        {"Selector": name, "Validation corr": number(found["validation_corr"]),
         "Out of sample": number(found["out_of_sample_corr"]), "Gap": number(found["gap"])}
        for name, one in rows if (found := one["overfitting_gap"]) is not None
    ]  # fmt: skip
    if table:
        yield reports.table(pd.DataFrame(table))


def _cost_table(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"Selector": name, "Train, s": number(one["train_seconds"], 1),
             "Adapt and weigh p50, ms": number(one["weigh_ms_p50"], 1), "p95, ms": number(one["weigh_ms_p95"], 1)}
            for name, one in rows
        ]
    )  # fmt: skip


def _forest(caption: str, points: list[tuple[str, float, float, float]], *, at: tuple[float, ...] = (0.0,)) -> str:
    """A dot with its interval a row, the first on top; lines at `at`."""
    shown = [point for point in points[::-1] if np.isfinite(point[1])]

    def draw(axes: Axes) -> None:
        for place, (_, middle, low, high) in enumerate(shown):
            axes.plot([low, high], [place, place], color=reports.ACCENT, alpha=0.45, linewidth=3)
            axes.plot([middle], [place], "o", color=reports.ACCENT, markersize=5)
        for line in at:
            axes.axvline(line, color=reports.SOFT, linewidth=1)
        axes.set_yticks(range(len(shown)), [name for name, *_ in shown])

    return reports.drawing(caption, draw, height=0.9 + 0.28 * len(shown))


def _drawn_paths(study: Study, names: list[str]) -> str:
    scored = np.isfinite(study.corr_RS).all(axis=1)
    rounds = study.history.rounds_R[scored]

    def draw(axes: Axes) -> None:
        for name in dict.fromkeys([*names[:SHOWN_PATHS], RIVAL]):
            axes.plot(rounds, np.cumsum(study.corr(name)[scored]), label=name)
        axes.set_xlabel("round")
        axes.legend(ncols=4, loc="upper left")

    return reports.drawing("Sum of the blends' corr over rounds, the best few and equal weight", draw)


def _with_error(value: float, error: float, digits: int = 4) -> str:
    return f"{number(value, digits)} ± {number(error, digits)}"


def _sortable(value: float) -> float:
    return value if np.isfinite(value) else -np.inf
