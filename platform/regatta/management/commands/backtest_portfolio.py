"""`manage.py backtest_portfolio`: a signal traded through history under limits and costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from tournament import reports
from tournament.portfolio import backtest, report
from tournament.portfolio.inputs import read_all
from tournament.tables import write_table


class Command(OfflineCommand):
    """Reads signal and prices, rebalances, writes positions, trades, values and reports."""

    about = "Backtest a signal: a convex rebalance under limits and costs, traded at the next close."
    example = "--signal signal.parquet --prices prices.parquet --config limits.toml --out backtest"

    def arguments(self, parser: CommandParser) -> None:
        """The two tables, the config and where everything goes."""
        parser.add_argument("--signal", type=Path, required=True, help="date, id, signal (known at the close of date)")
        parser.add_argument("--prices", type=Path, required=True, help="date, id, close, [open, high, low, beta, ...]")
        parser.add_argument(
            "--config", type=Path, help="TOML: [constraints] [costs] [risk] [overlay] [signal] [execution]"
        )
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")

    def run(self, **options: Any) -> None:
        """Read, trade, write, tell."""
        out: Path = options["out"]
        reports.refuse_full(out)
        config, market = read_all(options["config"], options["signal"], options["prices"])
        with self.progress("rebalances", len(backtest.signal_rows(market, config.execution))) as tell:
            done = backtest.run(market, config, tell=tell)
        record, sheet = report.told(done, options["signal"].stem)
        figures, page = report.figures(done, record, sheet), report.html(done, record, sheet)
        out.mkdir(parents=True, exist_ok=True)
        for name, table in (("positions", done.positions()), ("trades", done.trades()), ("nav", done.nav())):
            write_table(table, out / f"{name}.parquet")
        reports.write_json(figures, out / "report.json")
        reports.write(page, out / "report.html")
        write_table(sheet.series, out / "series.csv")
        self._tell(figures, out)

    def _tell(self, figures: dict[str, Any], out: Path) -> None:
        for name, one in figures["figures"].items():
            error = "" if one["standard_error"] is None else f" ± {one['standard_error']:.4f}"
            self.stdout.write(f"{name:24s} {one['value']:+.4f}{error}")
        if figures["days_without_book"]:
            self.stdout.write(f"{len(figures['days_without_book'])} days had no book; report.json says why")
        self.stdout.write(
            f"Written: {out}/positions.parquet, trades.parquet, nav.parquet, series.csv, report.json, report.html"
        )
