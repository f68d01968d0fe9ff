"""report.html of a study: the table of figures, gains with their intervals, and the paths of corr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tournament import reports
from tournament.evaluation.study import RIVAL, Study

SHOWN_PATHS = 6


def html(study: Study, figures: dict[str, Any], name: str) -> str:
    """The whole report; `figures` is what study.report gave."""
    by_name = sorted(figures["selectors"].items(), key=lambda item: -_sortable(item[1]["corr"]))
    lede = (
        f"{figures['scored_rounds']} rounds weighed and scored of {figures['rounds']}, {figures['models']} models. "
        "Each selector knew only what was resolved when a round opened. Standard errors are block-bootstrap, because "
        f"targets overlap {figures['overlap_rounds']} rounds. Probability that the best choice is overfitted: "
        f"{reports.number(figures['probability_of_backtest_overfitting'], 2)}."
    )
    tall = 0.9 + 0.28 * len(by_name)
    gains = reports.drawing(
        "Mean gain in corr a round over equal weight, 95 % interval", lambda axes: _gains(axes, by_name), height=tall
    )
    names = [label for label, _ in by_name]
    paths = reports.drawing(
        "Sum of the blends' corr over rounds, the best few and equal weight", lambda axes: _paths(axes, study, names)
    )
    parts = [
        *(reports.heading("Figures"), reports.table(_table(by_name))),
        *(reports.heading("Gain over equal weight"), gains),
        *(reports.heading("Sum of corr"), paths),
    ]
    return reports.page(f"Selectors on {name}", lede, parts)


def _table(by_name: list[tuple[str, dict[str, Any]]]) -> pd.DataFrame:
    number = reports.number
    return pd.DataFrame(
        [
            {
                "Selector": name,
                "Mean corr": f"{number(one['corr'])} ± {number(one['standard_error'])}",
                "Over equal": f"{number(one['over_equal'])} ± {number(one['over_equal_standard_error'])}",
                "Sharpe": number(one["sharpe"], 2),
                "Deflated": number(one["deflated_sharpe"], 2),
                "Turnover": number(one["turnover"], 2),
                "Models": number(one["effective_models"], 1),
                "Train, s": number(one["train_seconds"], 1),
                "Weigh p50, ms": number(one["weigh_ms_p50"], 1),
                "p95, ms": number(one["weigh_ms_p95"], 1),
            }
            for name, one in by_name
        ]
    )


def _gains(axes: Axes, by_name: list[tuple[str, dict[str, Any]]]) -> None:
    rows = [(name, one) for name, one in by_name[::-1] if name != RIVAL and np.isfinite(one["over_equal"])]
    for place, (_, one) in enumerate(rows):
        low, high = one["over_equal_interval_95"]
        axes.plot([low, high], [place, place], color=reports.ACCENT, alpha=0.45, linewidth=3)
        axes.plot([one["over_equal"]], [place], "o", color=reports.ACCENT, markersize=5)
    axes.axvline(0.0, color=reports.SOFT, linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set_xlabel("corr a round")


def _paths(axes: Axes, study: Study, names: list[str]) -> None:
    scored = np.isfinite(study.corr_RS).all(axis=1)
    rounds = study.history.rounds_R[scored]
    for name in dict.fromkeys([*names[:SHOWN_PATHS], RIVAL]):
        axes.plot(rounds, np.cumsum(study.corr(name)[scored]), label=name)
    axes.set_xlabel("round")
    axes.legend(ncols=4, loc="upper left")


def _sortable(value: float) -> float:
    return value if np.isfinite(value) else -np.inf
