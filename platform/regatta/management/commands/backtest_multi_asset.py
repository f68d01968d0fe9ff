"""`manage.py backtest_multi_asset`: one book of several asset classes through history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from tournament import reports
from tournament.portfolio.multi_asset import outcome, report
from tournament.portfolio.multi_asset.config import read_book_config
from tournament.portfolio.multi_asset.inputs import read_inputs
from tournament.portfolio.multi_asset.outcome import GroupPart
from tournament.portfolio.multi_asset.walk import decision_rows, walk
from tournament.tables import write_table


class Command(OfflineCommand):
    """Reads markets and tournaments, chooses and holds books, writes positions, trades, values and reports."""

    about = "Backtest one book of several asset classes, fed by several tournaments, under group budgets of risk."
    example = "--config book.toml --out book"

    def arguments(self, parser: CommandParser) -> None:
        """The config, which names the files, and where everything goes."""
        sections = "TOML: [book] [risk] [budgets] neutral [[market]] [[tournament]]; see docs/multi_asset.md"
        parser.add_argument("--config", type=Path, required=True, help=sections)
        parser.add_argument("--data", type=Path, help="folder of the files it names (default: that of the config)")
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")

    def run(self, **options: Any) -> None:
        """Read, walk, write, tell."""
        out: Path = options["out"]
        reports.refuse_full(out)
        config = read_book_config(options["config"])
        given = read_inputs(config, options["data"] or options["config"].parent)
        with self.progress("books", len(decision_rows(given.panel, config))) as tell:
            made = walk(given.panel, given.signals, config, tell=tell)
        figures = report.told(made)
        tables = {name: getattr(outcome, name)(made) for name in ("positions", "trades", "nav", "budgets")}
        page = report.html(made, figures)
        out.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_table(table, out / f"{name}.parquet")
        reports.write_json(figures, out / "report.json")
        reports.write(page, out / "report.html")
        self._tell(figures, out)

    def _tell(self, figures: dict[str, Any], out: Path) -> None:
        for name, one in figures["figures"].items():
            error = "" if one["standard_error"] is None else f" ± {one['standard_error']:.4f}"
            self.stdout.write(f"{name:34s} {one['value']:+.4f}{error}")
        for one in (GroupPart(**told) for told in figures["groups"]):
            self.stdout.write(
                f"{one.name:14s} Sharpe {report.sharpe_of(one)}, cost {one.cost:.2%} a year, share of risk "
                f"{one.forecast_share:.0%} forecast, {one.realised_share:.0%} realised"
            )
        self.stdout.write(report.risk_line(figures))
        if figures["days_without_book"]:
            self.stdout.write(f"{len(figures['days_without_book'])} days had no book; report.json says why")
        self.stdout.write(
            f"Written: {out}/positions.parquet, trades.parquet, nav.parquet, budgets.parquet, report.json, report.html"
        )
