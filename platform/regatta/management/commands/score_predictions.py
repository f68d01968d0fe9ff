"""`manage.py score_predictions`: the tournament's scores of any predictions, from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from django.core.management.base import CommandParser

from regatta.management.arguments import count
from regatta.management.offline import OfflineCommand
from tournament.scoring.offline import Inputs, score_table, summarize, unscored, with_eras
from tournament.tables import check_ending, read_table, write_table


class Command(OfflineCommand):
    """Reads the tables, scores every model of every era, prints or writes."""

    about = "Score predictions as the tournament does (values as numerai-tools 0.7 defines them)."
    example = "--predictions predictions.csv --target target.parquet --out scores.csv"

    def arguments(self, parser: CommandParser) -> None:
        """The tables and where the scores go."""
        parser.add_argument("--predictions", type=Path, required=True, help="id, [era], one column per model")
        parser.add_argument("--target", type=Path, required=True, help="id, [era], target")
        parser.add_argument("--meta-model", type=Path, help="id, [era], prediction: adds mmc")
        parser.add_argument("--benchmark", type=Path, help="id, [era], prediction: adds bmc")
        parser.add_argument("--features", type=Path, help="id, [era], features: adds fnc and max_feature_exposure")
        parser.add_argument("--out", type=Path, help="write the scores (Parquet or CSV) instead of printing them")
        parser.add_argument("--overlap", type=count, default=1, help="eras that one target spans, for standard errors")

    def run(self, **options: Any) -> None:
        """Score and tell."""
        if options["out"] is not None:
            check_ending(options["out"])
        inputs = with_eras(_read(options))
        table = score_table(inputs)
        for sentence in unscored(inputs, table):
            self.stderr.write(self.style.WARNING(f"warning: {sentence}"))
        summary = summarize(table, overlap=options["overlap"])
        if options["out"] is None:
            self.stdout.write(_text(table))
        else:
            write_table(table, options["out"])
        self.stdout.write("\nSummary\n" + _text(summary))


def _read(options: dict[str, Any]) -> Inputs:
    def optional(name: str, *needs: str) -> pd.DataFrame | None:
        return None if options[name] is None else read_table(options[name], needs=("id", *needs))

    return Inputs(
        read_table(options["predictions"], needs=("id",)),
        read_table(options["target"], needs=("id", "target")),
        optional("meta_model", "prediction"),
        optional("benchmark", "prediction"),
        optional("features"),
    )


def _text(table: pd.DataFrame) -> str:
    return table.to_string(index=False, float_format=lambda value: f"{value:.6f}", na_rep="null")
