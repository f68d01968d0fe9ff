"""A study: every selector led through one archive, its blends scored exactly.

Shape suffixes: R rounds, M models, S selectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from tournament.archive import Archive, history_from_archive
from tournament.errors import BadConfig, Fault
from tournament.evaluation.walk_forward import WalkForward, walk_forward
from tournament.rules import Rules
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
    trials_elsewhere: int = 0
    """Configurations tried before this study, by whom ever: the best of many is luckier than the best of few."""
    duplicate_corr: float = Rules().duplicate_corr
    """Models more alike than this share one weight, as in a live round; 1: each stands for itself."""

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
        elif np.isfinite(history.scores_RM[self.warmup_rounds :]).any(axis=1).sum() < 2:
            found = f"fewer than two rounds after the first {self.warmup_rounds} have a known target"
            hint = "give fewer --warmup-rounds, or an archive with later targets"
            faults.append(Fault("nothing_scored", f"{found}: nothing can be scored", hint))
        if self.retrain_every < 1:
            faults.append(Fault("retrain", f"retraining every {self.retrain_every} rounds", "give 1 or more"))
        if self.trials_elsewhere < 0:
            faults.append(Fault("trials", f"{self.trials_elsewhere} trials made elsewhere", "give 0 or more"))
        if not 0 < self.duplicate_corr <= 1:
            found = f"duplicates are models more alike than {self.duplicate_corr:g}"
            faults.append(Fault("duplicate_corr", found, "give a correlation above 0, at most 1; 1 turns the rule off"))
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


def run(
    archive: Archive,
    config: StudyConfig,
    *,
    history: History | None = None,
    others: Sequence[History] = (),
    tell: Tell = lambda row: None,
) -> Study:
    """Lead every selector through the archive; `tell` is called once for each round and selector.

    Trainings learn from other tournaments too, from what was known of them by then. `history` is what the archive's
    rounds say, where it is at hand.
    """
    history = history_from_archive(archive) if history is None else history
    config.check(history)
    history = replace(history, duplicate_corr=config.duplicate_corr)
    names = tuple(dict.fromkeys((RIVAL, *config.selectors)))
    runs = {
        name: walk_forward(
            history, make(name, device=config.device), warmup=config.warmup_rounds,
            retrain_every=config.retrain_every, seed=config.seed, others=others, tell=tell,
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
    """corr, as scored, of each selector's blend in each round (R x S); a panel is read once for all selectors.

    A blend that ranks nothing, all weight on a model that says the same of every asset, scores 0: were its round left
    out, a selector could hide in it.
    """
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
        corr_S = score_panel(blends_NS, one.target_N).corr
        idle_S = (np.ptp(blends_NS, axis=0) == 0) & np.isfinite(corr_S).any()
        out[row] = np.where(idle_S, 0.0, corr_S)
    return out


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
