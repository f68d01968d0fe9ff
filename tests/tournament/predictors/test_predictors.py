"""Every predictor: no look-ahead, the same bytes twice, states without code, and plain refusals."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from tests.tournament.predictors.drawn import FEATURES, drawn
from tournament.errors import BadConfig, BadInput
from tournament.predictors.eras import Eras
from tournament.predictors.neural import QUERY, make_material
from tournament.predictors.registry import ABOUT, NAMES, make
from tournament.rules import Rules
from tournament.selectors.protocol import State

NOW = 100
WAIT = Rules().resolve_rounds
NEURAL = [name for name in NAMES if name != "lightgbm"]


def known(eras: Eras) -> Eras:
    return eras.known_at(NOW, WAIT)


def altered(eras: Eras) -> Eras:
    """The same eras, but for the targets that were not known when era NOW opened, and all later features."""
    late = eras.number_E + WAIT > NOW
    target_EN = np.where(late[:, None], eras.target_EN[:, ::-1], eras.target_EN)
    features_ENF = np.where((eras.number_E > NOW)[:, None, None], 4 - eras.features_ENF, eras.features_ENF)
    return Eras(eras.number_E, features_ENF, target_EN)


@lru_cache
def trained(name: str) -> State:
    return make(name).train(known(drawn()), seed=3)


def answer(name: str, state: State, eras: Eras) -> np.ndarray:
    predictor = make(name)
    row = int(np.flatnonzero(eras.number_E == NOW)[0])
    return predictor.predict(predictor.adapt(state, known(eras).newest(predictor.support)), eras.features_ENF[row])


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_known_changes_nothing_bit_for_bit(name: str) -> None:
    theirs = altered(drawn())
    assert not np.array_equal(theirs.target_EN, drawn().target_EN)

    again = make(name).train(known(theirs), seed=3)

    assert again.to_bytes() == trained(name).to_bytes()
    assert np.array_equal(answer(name, again, theirs), answer(name, trained(name), drawn()))


@pytest.mark.parametrize("name", NAMES)
def test_a_state_comes_back_from_its_bytes_which_hold_no_code(name: str) -> None:
    data = trained(name).to_bytes()

    back = State.from_bytes(data)

    assert np.array_equal(answer(name, back, drawn()), answer(name, trained(name), drawn()))
    assert b"pickle" not in data
    assert data[8:9] == b"{"


@pytest.mark.parametrize("name", NAMES)
def test_rows_in_another_order_get_the_same_values(name: str) -> None:
    features, order = drawn().features_ENF[-1], np.random.default_rng(0).permutation(40)
    predictor = make(name)

    values = predictor.predict(trained(name), features)

    assert np.isfinite(values).all()
    assert predictor.predict(trained(name), features[order]) == pytest.approx(values[order], abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_other_features_and_other_states_are_refused(name: str) -> None:
    predictor, features = make(name), drawn().features_ENF[-1]

    with pytest.raises(BadInput, match="train anew on these features"):
        predictor.predict(trained(name), features[:, :-1])
    with pytest.raises(BadInput, match="holds no"):
        predictor.predict(State(name), features)


@pytest.mark.parametrize("name", NAMES)
def test_too_few_eras_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="at least"):
        make(name).train(drawn(eras=8), seed=0)


@pytest.mark.parametrize("name", NEURAL)
def test_fine_tuning_begins_from_what_was_trained_each_time(name: str) -> None:
    predictor, eras = make(name), known(drawn())

    once = predictor.adapt(trained(name), eras.newest(12))
    again = predictor.adapt(predictor.adapt(trained(name), eras.take(slice(0, 12))), eras.newest(12))

    assert once.to_bytes() == again.to_bytes()
    assert once.to_bytes() != trained(name).to_bytes()
    assert predictor.adapt(once, eras.take(slice(0, 0))).to_bytes() == trained(name).to_bytes()


def test_fine_tuning_reads_the_newest_eras_of_its_support_only() -> None:
    predictor, eras = make("reptile"), known(drawn())

    assert (
        predictor.adapt(trained("reptile"), eras).to_bytes()
        == predictor.adapt(trained("reptile"), eras.newest(predictor.support)).to_bytes()
    )


def test_a_task_s_support_had_resolved_when_its_query_opened_and_is_the_newest() -> None:
    eras = drawn().take(np.flatnonzero((np.arange(120) < 50) | (np.arange(120) > 57)))  # as between two files

    made = make_material(eras, 12, Rules(), 0.15)

    newest = eras.number_E[made.support_TS.numpy()[:, -1]]
    opens = eras.number_E[made.query_TQ.numpy()[:, 0]]
    assert (newest + WAIT <= opens).all()
    following = eras.number_E[made.support_TS.numpy()[:, -1] + 1]
    assert (following + WAIT > opens).all()


def test_no_target_is_both_fitted_and_checked_and_no_support_target_overlaps_its_query() -> None:
    rules = Rules()
    made = make_material(drawn(), 12, rules, 0.15)

    days = rules.cadence_days * made.support_TS.numpy()[:, -1] + rules.lag_days + rules.horizon_days
    assert (days <= rules.cadence_days * made.query_TQ.numpy()[:, 0] + rules.lag_days).all()
    last_fitted, first_checked = made.query_TQ[made.fit].max(), made.query_TQ[made.check].min()
    assert last_fitted + WAIT + rules.embargo_rounds <= first_checked
    assert made.query_TQ.shape[1] == QUERY


def test_another_seed_trains_another_network_and_the_same_seed_the_same() -> None:
    eras = known(drawn())

    other = make("mlp").train(eras, seed=4)

    assert make("mlp").train(eras, seed=3).to_bytes() == trained("mlp").to_bytes()
    assert any(not np.array_equal(other.arrays[name], values) for name, values in trained("mlp").arrays.items())


def test_every_name_is_described_and_an_unknown_one_refused() -> None:
    assert set(ABOUT) == set(NAMES)
    with pytest.raises(BadConfig, match="known: lightgbm, mlp, maml, reptile"):
        make("oracle")


def test_a_state_of_another_family_s_arrays_is_refused() -> None:
    with pytest.raises(BadInput, match="holds no trees"):
        make("lightgbm").predict(replace(trained("mlp"), family="lightgbm"), np.zeros((3, FEATURES), dtype=np.int8))
