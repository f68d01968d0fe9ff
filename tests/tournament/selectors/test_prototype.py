"""The prototype family gives a query the mean scores of the regime whose prototype is near."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tournament.selectors.episodes import episode
from tournament.selectors.meta.columns import ColumnEmbedding
from tournament.selectors.meta.prototype import Prototypes, regime_means

SIDES = torch.tensor([-3.0, 3.0]).repeat_interleave(10)
CONTEXTS = SIDES[:, None] + 0.01 * torch.arange(40.0).reshape(20, 2)
SCORES = torch.where(SIDES[:, None] < 0, torch.tensor([2.0, -1.0]), torch.tensor([-1.0, 2.0]))
BELIEFS = torch.stack([SIDES < 0, SIDES > 0], 1).float()
EVEN = torch.tensor([0.5, 0.5])


def unshrunk() -> Prototypes:
    network = Prototypes()
    with torch.no_grad():
        network.log_shrink.fill_(-30.0)
        network.pattern_power.fill_(-30.0)
    return network


@pytest.mark.parametrize(("side", "expected"), [(-3.0, [2.0, -1.0]), (3.0, [-1.0, 2.0])])
def test_a_query_in_one_of_two_clusters_gets_that_regime_s_mean(side: float, expected: list[float]) -> None:
    query = torch.full((2,), side)

    scores = unshrunk()(episode(SCORES, CONTEXTS, query, belief_RK=BELIEFS, query_belief_K=EVEN))

    assert scores[0].tolist() == pytest.approx(expected, abs=0.05)


def test_a_query_halfway_gets_the_mean_of_both() -> None:
    query = CONTEXTS.mean(0)
    network = unshrunk()
    with torch.no_grad():
        network.columns.gain.zero_()  # the bend need not be the same on both sides

    scores = network(episode(SCORES, CONTEXTS, query, belief_RK=BELIEFS, query_belief_K=EVEN))

    assert scores[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-4)


def test_prototypes_are_belief_weighted_means_of_embeddings() -> None:
    values, beliefs = torch.tensor([[[1.0], [3.0], [8.0]]]), torch.tensor([[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]])

    means = regime_means(values, beliefs)

    assert means[0, :, 0].tolist() == pytest.approx([2.5 / 1.5, 9.5 / 1.5])


def test_memberships_are_the_softmax_of_minus_squared_distances_in_numpy_too() -> None:
    network, query = unshrunk(), torch.tensor([-0.5, 0.4])
    one = episode(SCORES, CONTEXTS, query, belief_RK=BELIEFS, query_belief_K=EVEN)
    embedded, asked = (network.columns(values).detach().numpy() for values in (CONTEXTS, query))
    centres = [embedded[:10].mean(0), embedded[10:].mean(0)]
    likelihood = np.exp([-((asked - centre) ** 2).sum() for centre in centres])

    membership = network.membership(one, network.regime_scores(one))

    assert membership[0].tolist() == pytest.approx(likelihood / likelihood.sum(), rel=1e-4)


def test_the_pattern_of_the_newest_scores_tells_the_regime_where_contexts_do_not() -> None:
    network = unshrunk()
    with torch.no_grad():
        network.pattern_power.fill_(3.0)

    scores = network(episode(SCORES, torch.zeros(20, 2), torch.zeros(2), belief_RK=BELIEFS, query_belief_K=EVEN))

    assert scores[0].tolist() == pytest.approx([-1.0, 2.0], abs=0.05)


def test_the_embedding_bears_any_number_of_columns_in_any_order() -> None:
    embed, context = ColumnEmbedding(), torch.tensor([0.3, -1.0, 2.0])

    assert torch.allclose(embed(context)[[2, 0, 1]], embed(context[[2, 0, 1]]))
    assert embed(context[:2]).shape == (2, 4)
