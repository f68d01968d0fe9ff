from decimal import Decimal

import numpy as np
import pytest

from tournament.errors import BadConfig
from tournament.rules import Rules
from tournament.scoring.payout import payout
from tournament.scoring.reputation import percentiles, rank_change, standard_errors, standing

RULES = Rules(corr_multiplier=0.5, mmc_multiplier=2.0, payout_clip=0.05)


def test_a_standing_averages_the_window_only():
    scores = np.array([[9.0], [0.02], [0.04]])

    assert standing(scores, window=2, overlap=1).mean[0] == pytest.approx(0.03)


def test_missing_rounds_do_not_count():
    scores = np.array([[0.02, 0.01], [np.nan, 0.03]])

    board = standing(scores, window=5, overlap=1)

    assert board.rounds.tolist() == [1, 2]
    assert board.mean == pytest.approx([0.02, 0.02])


def test_equal_means_share_a_rank():
    board = standing(np.array([[0.02, 0.01, 0.02, np.nan]]), window=5, overlap=1)

    assert board.rank[:3].tolist() == [1, 3, 1]
    assert np.isnan(board.rank[3])


def test_without_overlap_the_standard_error_is_the_textbook_one():
    scores = np.random.default_rng(0).normal(size=(50, 3))

    expected = scores.std(axis=0, ddof=1) / np.sqrt(50)

    np.testing.assert_allclose(standard_errors(scores, overlap=1), expected)


def test_overlapping_targets_widen_the_standard_error():
    noise = np.random.default_rng(0).normal(size=3000)
    overlapping = np.convolve(noise, np.ones(4) / 4, "valid")[:, None]

    ratio = standard_errors(overlapping, overlap=12) / standard_errors(overlapping, overlap=1)

    assert 1.6 < ratio[0] < 2.1


def test_percentiles_count_those_beaten():
    assert percentiles(np.array([0.1, 0.3, np.nan, 0.2])).tolist()[:2] == [0.0, 1.0]


def test_rank_change_is_positive_for_places_won():
    assert rank_change(np.array([5.0]), np.array([2.0])).tolist() == [3.0]


def test_a_payout_follows_the_rules():
    assert payout(Decimal(100), 0.02, 0.005, RULES) == Decimal("2.000000")


def test_a_payout_is_clipped_on_both_sides():
    assert payout(Decimal(100), 0.5, 0.5, RULES) == Decimal("5.000000")
    assert payout(Decimal(100), -0.5, -0.5, RULES) == Decimal("-5.000000")


def test_a_missing_score_pays_nothing():
    assert payout(Decimal(100), float("nan"), None, RULES) == 0


def test_unknown_rules_are_refused_by_name():
    with pytest.raises(BadConfig, match="'cadense_days'"):
        Rules.from_dict({"cadense_days": 5})


def test_impossible_rules_are_refused_all_at_once():
    with pytest.raises(BadConfig) as refusal:
        Rules.from_dict({"cadence_days": 0, "horizon_days": -1})

    assert len(refusal.value.faults) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lag_days", -1), ("embargo_rounds", -1), ("stickiness", -0.5), ("stickiness", float("nan")),
        ("novelty_limit", float("nan")), ("contributor_cap", 1.5), ("training_seconds", 0), ("warmup_rounds", 1.5),
        ("cadence_days", 5.0), ("payout_clip", float("inf")), ("novelty_limit", float("inf")), ("opens_hour_utc", 24),
    ],
)  # fmt: skip
def test_values_that_would_be_passed_over_or_show_the_future_are_refused(name: str, value: float) -> None:
    with pytest.raises(BadConfig, match=f"{name} is {value}; give "):
        Rules.from_dict({name: value})


def test_rules_at_their_ends_are_taken():
    never = Rules(novelty_limit=1e9, training_seconds=1e9, stickiness=0, contributor_cap=1, lag_days=0)

    assert Rules.from_dict(never.to_dict()) == never


def test_rules_survive_a_round_trip():
    assert Rules.from_dict(RULES.to_dict()) == RULES
