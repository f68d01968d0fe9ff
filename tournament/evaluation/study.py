"""A study: every selector led through one archive, its blends scored exactly, its figures with their errors.

Shape suffixes: R rounds, M models, S selectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tournament.archive import Archive, history_from_archive
from tournament.errors import BadConfig, Fault
from tournament.evaluation import statistics
from tournament.evaluation.walk_forward import WalkForward, walk_forward
from tournament.scoring.blend import standardized_ranks
from tournament.scoring.panel import score_panel
from tournament.selectors.protocol import Floats, History
from tournament.selectors.registry import NAMES, make

RIVAL = "equal"
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """What a study runs."""

    selectors: tuple[str, ...] = NAMES
    warmup_rounds: int = 50
    retrain_every: int = 40
    device: str = "cpu"
    seed: int = 0

    def check(self, history: History) -> None:
        """Refuse names and numbers that cannot be run on this history. Raises BadConfig with every fault."""
        faults = [
            Fault("unknown_selector", f"there is no selector '{name}'", f"known: {', '.join(NAMES)}")
            for name in self.selectors
            if name not in NAMES
        ]
        if not self.selectors:
            faults.append(Fault("no_selector", "no selector is named", f"known: {', '.join(NAMES)}"))
        if not 1 <= self.warmup_rounds < len(history):
            found = f"warm-up of {self.warmup_rounds} rounds in an archive of {len(history)}"
            faults.append(Fault("warmup", found, "leave at least one round to weigh"))
        if self.retrain_every < 1:
            faults.append(Fault("retrain", f"retraining every {self.retrain_every} rounds", "give 1 or more"))
        if faults:
            raise BadConfig(faults)


@dataclass(frozen=True, slots=True)
class Study:
    """Weights and exact corr of each selector's blend, by name."""

    config: StudyConfig
    history: History
    runs: dict[str, WalkForward]
    corr_RS: Floats
    overlap: int

    def corr(self, name: str) -> Floats:
        """Exact corr of a selector's blend by round (R)."""
        return np.asarray(self.corr_RS[:, list(self.runs).index(name)])


def run(archive: Archive, config: StudyConfig, *, tell: Tell = lambda row: None) -> Study:
    """Lead every selector through the archive; `tell` is called once for each round and selector."""
    history = history_from_archive(archive)
    config.check(history)
    names = tuple(dict.fromkeys((RIVAL, *config.selectors)))
    runs = {
        name: walk_forward(
            history, make(name, device=config.device), warmup=config.warmup_rounds,
            retrain_every=config.retrain_every, seed=config.seed, tell=tell,
        )
        for name in names
    }  # fmt: skip
    return Study(
        config, history, runs, exact_corr(archive, [run.weights_RM for run in runs.values()]), overlap(history)
    )


def overlap(history: History) -> int:
    """How many rounds open until a round is resolved: what one target shares with the next ones."""
    waiting = [
        int(((history.opens_at_R >= opens) & (history.opens_at_R < resolves)).sum())
        for opens, resolves in zip(history.opens_at_R, history.resolves_at_R, strict=True)
    ]
    return max(1, int(np.median(waiting)))


def exact_corr(archive: Archive, weights_SRM: Sequence[Floats]) -> Floats:
    """corr, as scored, of each selector's blend in each round (R x S); a panel is read once for all selectors."""
    out = np.full((len(archive), len(weights_SRM)), np.nan)
    place = {name: column for column, name in enumerate(archive.models)}
    for row in range(len(archive)):
        weights_SM = np.array([weights_RM[row] for weights_RM in weights_SRM])
        if not np.isfinite(weights_SM).all():
            continue
        one = archive.round(row)
        if one.target_N is None:
            continue
        here = [place[name] for name in one.models]
        blends_NS = standardized_ranks(one.predictions_NM) @ weights_SM[:, here].T
        out[row] = score_panel(blends_NS, one.target_N).corr
    return out


def report(study: Study) -> dict[str, object]:
    """Every figure of report.json."""
    scored = np.isfinite(study.corr_RS).all(axis=1)
    sharpes_S = np.array([statistics.sharpe(study.corr(name)) for name in study.runs])
    return {
        "rounds": len(study.history), "scored_rounds": int(scored.sum()), "models": len(study.history.models),
        "overlap_rounds": study.overlap, "config": asdict(study.config),
        "probability_of_backtest_overfitting": statistics.overfitting_probability(study.corr_RS),
        "selectors": {name: _figures(study, name, sharpes_S) for name in study.runs},
    }  # fmt: skip


def _figures(study: Study, name: str, sharpes_S: Floats) -> dict[str, object]:
    run, corr_R, seed = study.runs[name], study.corr(name), study.config.seed
    block = 2 * study.overlap
    gain_R = corr_R - study.corr(RIVAL)
    mean, error = statistics.mean_with_error(corr_R, block=block, seed=seed)
    gain, gain_error = statistics.mean_with_error(gain_R, block=block, seed=seed)
    low, high = statistics.interval(gain_R, block=block, seed=seed)
    return {
        "corr": mean, "standard_error": error, "sharpe": statistics.sharpe(corr_R),
        "deflated_sharpe": statistics.deflated_sharpe(corr_R, sharpes_S, overlap=study.overlap),
        "over_equal": gain, "over_equal_standard_error": gain_error, "over_equal_interval_95": [low, high],
        "turnover": statistics.turnover(run.weights_RM),
        "effective_models": statistics.effective_models(run.weights_RM),
        "train_seconds": run.train_seconds,
        "weigh_ms_p50": float(np.quantile(run.weigh_milliseconds, 0.5)),
        "weigh_ms_p95": float(np.quantile(run.weigh_milliseconds, 0.95)),
    }  # fmt: skip


def write_weights(study: Study, folder: Path) -> None:
    """weights/<selector>.parquet: round, model, weight of every model that submitted."""
    folder.mkdir(parents=True)
    history = study.history
    for name, run in study.runs.items():
        rows, columns = np.nonzero(np.isfinite(run.weights_RM) & history.active_RM)
        frame = pd.DataFrame(
            {
                "round": history.rounds_R[rows],
                "model": np.array(history.models)[columns],
                "weight": run.weights_RM[rows, columns],
            }
        )
        frame.to_parquet(folder / f"{name}.parquet", index=False)
