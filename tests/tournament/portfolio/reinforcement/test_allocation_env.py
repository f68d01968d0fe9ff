"""Allocation as an environment: what is seen was known, what is paid is known, and zeros are the convex allocator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.tournament.portfolio.reinforcement.seasons import (
    ASSETS,
    CONFIG,
    ROUNDS,
    season,
    tournament,
    with_other_future,
)
from tournament.errors import BadConfig, BadInput
from tournament.portfolio import backtest
from tournament.portfolio.limits import Limits
from tournament.portfolio.reinforcement.account import AVERSION, Account
from tournament.portfolio.reinforcement.actions import chosen_book, grid, limits_of, names, signal_of
from tournament.portfolio.reinforcement.environment import BASIS_POINT, AllocationEnv
from tournament.portfolio.reinforcement.season import BLENDS, prepare

NUMBERS = len(names(BLENDS))
MOVED = 30


def actions(decisions: int = ROUNDS) -> np.ndarray:
    return np.random.default_rng(5).uniform(-1, 1, (decisions, NUMBERS)).astype(np.float32)


def sailed(env: AllocationEnv, acts: np.ndarray) -> tuple[list, list, list]:
    """What was seen, and what every step told, of a whole episode."""
    seen, rewards, told = [env.reset(seed=0)[0]], [], []
    for action in acts[: env.span]:
        observation, reward, *_, info = env.step(action)
        seen.append(observation)
        rewards.append(reward)
        told.append(info)
    return seen, rewards, told


def test_it_is_an_environment_by_gymnasium_s_own_check() -> None:
    check_env(AllocationEnv(season(), span=4), skip_render_check=True)


def test_an_action_of_zeros_is_the_convex_allocator_and_earns_nothing_beside_it() -> None:
    env = AllocationEnv(season())

    _, rewards, told = sailed(env, np.zeros((ROUNDS, NUMBERS), dtype=np.float32))

    first, net = season().decisions[0].row + 1, np.concatenate([one["net"] for one in told])
    assert rewards == pytest.approx([0.0] * env.span, abs=1e-9)
    assert net == pytest.approx(season().default_net_T[first : first + len(net)], abs=1e-15)


def test_the_default_s_course_is_the_backtest_of_the_meta_model_s_signal() -> None:
    told = tournament()
    signal = np.full(told.close_TN.shape, np.nan)
    for decision in season().decisions[: season().last]:
        signal[decision.row, decision.here_U] = decision.blend_UB[:, 0]
    market = backtest.Market(told.dates_T, tuple(map(str, range(ASSETS))), told.close_TN, signal)

    nav = backtest.run(market, CONFIG).nav()["net_return"].to_numpy()

    known = season().default_net_T[season().decisions[0].row + 2 :]
    known = known[np.isfinite(known)]
    assert len(known) > 200
    assert np.abs(known[0]) > 0
    assert nav[1 : 1 + len(known)] == pytest.approx(known[: len(nav) - 1], abs=1e-12)


def test_a_book_is_paid_at_the_first_decision_after_it_was_sold_and_the_last_step_waits() -> None:
    env = AllocationEnv(season())

    _, rewards, told = sailed(env, actions())

    last = env.span - 1
    assert [list(one["paid"]) for one in told[:-1]] == [[], *([place] for place in range(last - 1))]
    assert list(told[-1]["paid"]) == [last - 1, last]
    assert rewards == [sum(one["paid"].values()) for one in told]


def test_a_payment_is_the_utility_of_the_days_held_less_the_cost_of_its_own_trades() -> None:
    close, place, costs = season().close_TN, 20, CONFIG.costs
    account = Account.at(season(), place, season().default_DN[place])
    book = chosen_book(season(), season().decisions[place], actions()[0].astype(float), account.held.weights_N)
    row = season().decisions[place].row

    account.sail(book)
    paid = account.sail(book)[1]

    held = season().default_DN[place] * close[row + 1] / close[row]
    value = 1.0 - (season().default_DN[place] < 0) @ -season().default_DN[place] * costs.borrow_per_year / 252
    value += (held - season().default_DN[place]).sum()
    spread = np.abs(book * value - held).sum() * costs.half_spread
    money, value, expected = book * value, value - spread, -spread / value
    for day in range(row + 2, row + 7):
        gain = (money * (close[day] / close[day - 1] - 1)).sum()
        gain -= np.maximum(-money, 0).sum() * costs.borrow_per_year / 252
        expected += gain / value - AVERSION / 2 * (gain / value) ** 2
        money, value = money * close[day] / close[day - 1], value + gain
    assert list(paid) == [place]
    assert paid[place] == pytest.approx(expected, abs=2e-6)
    assert abs(paid[place]) > 1e-4


def test_a_reward_is_the_payment_above_the_default_s_in_basis_points() -> None:
    env, acts = AllocationEnv(season(), first=10, last=14), actions()
    account = Account.at(season(), 10, season().default_DN[10])
    book = chosen_book(season(), season().decisions[10], acts[0].astype(float), account.held.weights_N)
    account.sail(book)

    _, _, told = sailed(env, acts)

    payment = account.finish()[1][10]
    assert told[1]["paid"][10] == pytest.approx((payment - season().default_paid_D[10]) / BASIS_POINT, abs=1e-6)


def test_another_future_changes_nothing_that_was_seen_or_paid() -> None:
    one, other = (sailed(AllocationEnv(each), actions()) for each in (season(), with_other_future(MOVED)))

    assert all(np.array_equal(a, b) for a, b in zip(one[0][: MOVED + 1], other[0][: MOVED + 1], strict=True))
    assert one[1][:MOVED] == other[1][:MOVED]
    assert all(np.array_equal(a["net"], b["net"]) for a, b in zip(one[2][:MOVED], other[2][:MOVED], strict=True))
    assert one[1][MOVED:] != other[1][MOVED:]
    assert not np.array_equal(one[0][MOVED + 1], other[0][MOVED + 1])


def test_a_season_that_is_cut_off_has_the_same_past() -> None:
    told, kept = tournament(), 40
    end = int(told.row_D[kept]) + 1
    cut = prepare(replace(
        told, dates_T=told.dates_T[:end], close_TN=told.close_TN[:end], row_D=told.row_D[: kept + 1],
        predictions_DNM=told.predictions_DNM[: kept + 1], stakes_DM=told.stakes_DM[: kept + 1],
        context_DC=told.context_DC[: kept + 1],
    ), CONFIG)  # fmt: skip

    for short, whole in zip(cut.decisions, season().decisions[: kept + 1], strict=True):
        assert np.array_equal(short.seen_C, whole.seen_C)
        assert np.array_equal(short.told_C, whole.told_C)
        assert np.array_equal(short.blend_UB, whole.blend_UB)
        assert np.array_equal(short.known.risk.specific_N, whole.known.risk.specific_N)


def test_the_wildest_actions_keep_the_limits_and_are_never_refused() -> None:
    wild = np.sign(actions())

    _, _, told = sailed(AllocationEnv(season()), wild)

    account = Account.at(season(), 30, season().default_DN[30])
    book = chosen_book(season(), season().decisions[30], wild[3].astype(float), account.held.weights_N)
    assert not any(one["is_refused"] for one in told)
    assert np.abs(book).sum() <= CONFIG.constraints.gross + 1e-9
    assert abs(book.sum()) < 1e-9


def test_a_lower_gross_is_approached_no_faster_than_turnover_allows() -> None:
    lowest = np.array([0.0, 0.0, -1.0, 0.0, 0.0, 0.0])

    far, near = (limits_of(lowest, Limits(), held=held).gross for held in (1.0, 0.3))

    assert far == pytest.approx(1.0 - 0.9 * 0.5)
    assert near == pytest.approx(0.25)
    assert limits_of(-lowest, Limits(), held=0.3) == Limits()


def test_a_whole_tilt_is_the_other_blend() -> None:
    decision = season().decisions[40]

    assert np.array_equal(signal_of(decision, np.zeros(NUMBERS)), decision.blend_UB[:, 0])
    for place, name in enumerate(BLENDS[1:], start=1):
        assert signal_of(decision, grid(BLENDS)[f"all {name}"]) == pytest.approx(decision.blend_UB[:, place])


def test_episodes_begin_where_their_seed_says_with_the_default_s_book() -> None:
    env = AllocationEnv(season(), first=5, last=40, span=6)

    starts = [env.reset(seed=seed)[1]["row"] for seed in (1, 1, 2, 3, 4)]

    assert starts[0] == starts[1]
    assert len(set(starts)) > 2
    assert min(starts) >= 5
    assert max(starts) <= 34


def test_more_decisions_than_there_are_are_refused() -> None:
    with pytest.raises(BadConfig, match="of 47"):
        AllocationEnv(season(), last=48)


def test_a_step_after_the_end_is_refused() -> None:
    env = AllocationEnv(season(), span=1)
    sailed(env, actions())

    with pytest.raises(BadInput, match="the episode has ended"):
        env.step(actions()[0])


def test_decisions_nearer_than_the_fill_are_refused() -> None:
    slow = replace(CONFIG, execution=replace(CONFIG.execution, delay_days=6))

    with pytest.raises(BadInput, match="5 days apart with a delay of 6 days"):
        prepare(tournament(), slow)
