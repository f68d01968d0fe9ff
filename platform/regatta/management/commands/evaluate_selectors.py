"""`manage.py evaluate_selectors`: selectors led through an archive, each knowing only what was known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from regatta.management.offline import OfflineCommand
from tournament import reports
from tournament.archive import history_from_archive, read_archive
from tournament.evaluation import figures, report, study
from tournament.selectors.registry import NAMES
from tournament.worlds.truth import read_truth


class Command(OfflineCommand):
    """Walk-forward over an archive: weights, report.json and report.html."""

    about = "Evaluate selectors walk-forward on a tournament archive."
    example = "world --selectors equal,ridge,hmm --warmup-rounds 50 --out study"

    def arguments(self, parser: CommandParser) -> None:
        """The archive, which selectors, and how often they learn."""
        defaults = study.StudyConfig()
        parser.add_argument("archive", type=Path, help="folder of a tournament archive")
        parser.add_argument("--selectors", default="all", help=f"all, or names parted by commas: {', '.join(NAMES)}")
        parser.add_argument("--warmup-rounds", type=int, default=defaults.warmup_rounds, help="rounds before the first")
        parser.add_argument(
            "--retrain-every", type=int, default=defaults.retrain_every, help="rounds between trainings"
        )
        parser.add_argument(
            "--trials", type=int, default=0, help="configurations tried elsewhere, counted by the deflated Sharpe ratio"
        )
        parser.add_argument(
            "--duplicate-corr", type=float, default=defaults.duplicate_corr,
            help="models more alike than this share one weight, as in a live round; 1: each stands for itself",
        )  # fmt: skip
        parser.add_argument(
            "--learn-also-from", type=Path, nargs="+", default=[], metavar="ARCHIVE",
            help="archives of other tournaments whose pasts, by the calendar, neural selectors learn from too",
        )  # fmt: skip
        parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="for neural selectors")
        parser.add_argument("--out", type=Path, required=True, help="a new or empty folder for weights and reports")

    def run(self, **options: Any) -> None:
        """Read, lead, write, tell."""
        out: Path = options["out"]
        reports.refuse_full(out)
        config = study.StudyConfig(
            _names(options["selectors"]), options["warmup_rounds"], options["retrain_every"],
            options["device"], options["seed"], options["trials"], options["duplicate_corr"],
        )  # fmt: skip
        archive = read_archive(options["archive"])
        history = history_from_archive(archive)
        truth = read_truth(archive.folder, history)  # refused before hours are spent, if it must be
        others = [history_from_archive(read_archive(folder)) for folder in options["learn_also_from"]]
        steps = (len(archive) - config.warmup_rounds) * len({study.RIVAL, *config.selectors})
        with self.progress("rounds weighed", max(1, steps)) as tell:
            done = study.run(archive, config, history=history, others=others, tell=tell)
        found: dict[str, Any] = figures.report(done, truth)
        study.write_weights(done, out / "weights")
        reports.write_json(found, out / "report.json")
        reports.write(report.html(done, found, archive.about.name), out / "report.html")
        self._tell(found, out)

    def _tell(self, found: dict[str, Any], out: Path) -> None:
        for name, one in sorted(found["selectors"].items(), key=lambda item: -item[1]["corr"]):
            closed = f"   gap closed {one['gap_share']:+.2f}" if "gap_share" in one else ""
            self.stdout.write(
                f"{name:18s} corr {one['corr']:+.4f} ± {one['standard_error']:.4f}   "
                f"over equal {one['over_equal']:+.4f} ± {one['over_equal_standard_error']:.4f}{closed}"
            )
        for sentence in report.told_apart(found):
            self.stdout.write(sentence)
        self.stdout.write(f"Written: {out}/weights, {out}/report.json, {out}/report.html")


def _names(text: str) -> tuple[str, ...]:
    return NAMES if text == "all" else tuple(name.strip() for name in text.split(",") if name.strip())
