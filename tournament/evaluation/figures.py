"""Every figure of report.json: each selector's corr, gains over rivals, power, harm, overfitting and cost.

Shape suffixes: R rounds, S selectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from tournament.evaluation import statistics
from tournament.evaluation.attainable import Attainable, attainable
from tournament.evaluation.canary import false_gain
from tournament.evaluation.gains import gain
from tournament.evaluation.study import RIVAL, Study
from tournament.evaluation.walk_forward import WalkForward
from tournament.selectors.protocol import Floats
from tournament.worlds.truth import Truth

RIVALS = (RIVAL, "stake", "ridge", "hmm")
"""Whom every selector is compared with, where they ran: nothing, the field's practice, two strong classics."""
UNHARMED = (RIVAL, "stake")


def report(study: Study, truth: Truth | None = None) -> dict[str, object]:
    """All of report.json; what is attainable and closed of it only where the truth is known."""
    scored = np.isfinite(study.corr_RS).all(axis=1)
    sharpes_S = np.array([statistics.sharpe(study.corr(name)) for name in study.runs])
    ceiling = None if truth is None else attainable(study, truth)
    block, seed = 2 * study.overlap, study.config.seed
    figures: dict[str, object] = {
        "rounds": len(study.history), "scored_rounds": int(scored.sum()), "models": len(study.history.models),
        "overlap_rounds": study.overlap, "config": asdict(study.config),
        "trials": len(study.runs) + study.config.trials_elsewhere,
        "probability_of_backtest_overfitting": statistics.overfitting_probability(study.corr_RS),
        "leak_canary": false_gain(study.history, warmup=study.config.warmup_rounds, block=block, seed=seed).figures(),
        "same_weights": same_weights(study.runs),
        "selectors": {name: _figures(study, name, sharpes_S, ceiling) for name in study.runs},
    }  # fmt: skip
    return figures if ceiling is None else figures | {"attainable": ceiling.figures()}


def same_weights(runs: Mapping[str, WalkForward]) -> list[list[str]]:
    """Selectors that gave the same weights in every round, to the last bit: one of them stood in for the others."""
    groups: dict[bytes, list[str]] = {}
    for name, run in runs.items():
        groups.setdefault(run.weights_RM.tobytes(), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _figures(study: Study, name: str, sharpes_S: Floats, ceiling: Attainable | None) -> dict[str, object]:
    run, corr_R, seed = study.runs[name], study.corr(name), study.config.seed
    overlap, block = study.overlap, 2 * study.overlap
    mean, error = statistics.mean_with_error(corr_R, block=block, seed=seed)
    gains = {
        rival: gain(corr_R, study.corr(rival), block=block, seed=seed)
        for rival in RIVALS
        if rival in study.runs and rival != name
    }
    over_equal = gains.get(RIVAL) or gain(corr_R, corr_R, block=block, seed=seed)
    figures = {
        "corr": mean, "standard_error": error, "sharpe": statistics.sharpe(corr_R),
        "deflated_sharpe": statistics.deflated_sharpe(
            corr_R, sharpes_S, overlap=overlap, trials_elsewhere=study.config.trials_elsewhere
        ),
        "over_equal": over_equal.mean, "over_equal_standard_error": over_equal.standard_error,
        "over_equal_interval_95": [over_equal.low, over_equal.high],
        "gains": {rival: one.figures() for rival, one in gains.items()},
        "harm": {
            rival: {"verdict": str(gains[rival].verdict), "largest_loss_not_excluded": gains[rival].largest_loss}
            for rival in UNHARMED if rival in gains
        },
        "turnover": statistics.turnover(run.weights_RM),
        "effective_models": statistics.effective_models(run.weights_RM),
        "train_seconds": run.train_seconds,
        "weigh_ms_p50": float(np.quantile(run.weigh_milliseconds, 0.5)),
        "weigh_ms_p95": float(np.quantile(run.weigh_milliseconds, 0.95)),
        "overfitting_gap": _overfitting_gap(study, run),
    }  # fmt: skip
    return figures if ceiling is None else figures | _closed(ceiling, run)


def _closed(ceiling: Attainable, run: WalkForward) -> dict[str, float]:
    """What a selector's blends are expected to score, and how much of the informed filter's gap that closes."""
    expected_R = ceiling.truth.expected_corr(run.weights_RM)
    share, error = ceiling.share(expected_R)
    return {"expected_corr": float(np.nanmean(expected_R)), "gap_share": share, "gap_share_standard_error": error}


def _overfitting_gap(study: Study, run: WalkForward) -> dict[str, float] | None:
    """Validation corr of the trainings less the corr of the rounds weighed with them; None where none is kept."""
    corr_R = run.corr(study.history)
    ends = [*(training.row for training in run.trainings[1:]), len(corr_R)]
    pairs = [
        (training.validation_corr, float(np.mean(after)))
        for training, end in zip(run.trainings, ends, strict=True)
        if np.isfinite(training.validation_corr) and len(after := _known(corr_R[training.row : end]))
    ]
    if not pairs:
        return None
    validation, outside = np.mean(pairs, axis=0)
    return {
        "validation_corr": float(validation),
        "out_of_sample_corr": float(outside),
        "gap": float(validation - outside),
    }


def _known(values_R: Floats) -> Floats:
    return values_R[np.isfinite(values_R)]
