"""What a training shows on its own rounds: by the weights that the trained state gives there, in linear corr."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.selectors.allocator import surrogate_corr
from tournament.selectors.boosting import Fforma
from tournament.selectors.protocol import Budget, History, equal_weights
from tournament.selectors.registry import make
from tournament.selectors.shown import FITTED, HELD_OUT, overlap, shown


def known() -> History:
    past = history()
    return past.known_at(past.opens_at_R[85])


def test_the_mean_has_the_error_of_rounds_that_overlap() -> None:
    past = history()
    noise = np.convolve(np.random.default_rng(0).normal(size=94), np.ones(5), "valid")

    told = shown(noise, past)

    assert overlap(past) == 5
    assert told["mean"] == pytest.approx(noise.mean())
    assert told["error"] > 1.4 * noise.std() / np.sqrt(len(noise))
    assert told["rounds"] == 90


def test_networks_show_rounds_fitted_on_and_rounds_held_out() -> None:
    selector = make("set_attention")
    quick = replace(selector, config=replace(selector.config, steps=50, check_every=25))

    told = quick.meta_train([known()], Budget()).config["shown"]

    assert set(told) == {FITTED, HELD_OUT}
    assert told[FITTED]["mean"] > told[FITTED]["error"]  # two regimes, seen: there is much to gain over equal weight
    assert told[FITTED]["rounds"] > told[HELD_OUT]["rounds"] >= 10


def test_trees_show_what_their_weights_gain_on_the_rounds_they_were_grown_on() -> None:
    past = known()
    state = Fforma().meta_train([past], Budget())
    gains = []
    for row in past.resolved_rows():
        query, scores = past.query(int(row)), past.scores_RM[row]
        weights = Fforma().weights(Fforma().adapt(state, past.known_at(query.opens_at)), query)
        corrs = [surrogate_corr(one, scores, query.correlations_MM) for one in (weights, equal_weights(query.active_M))]
        gains.append(corrs[0] - corrs[1])

    told = state.config["shown"][FITTED]

    assert told["rounds"] == len(gains)
    assert told["mean"] == pytest.approx(np.mean(gains[12:]), abs=0.01)  # the first had no past to be asked with
