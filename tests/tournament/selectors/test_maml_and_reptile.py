"""MAML and Reptile as selectors: adaptation by gradient steps on past rounds, from the meta-trained parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.tournament.histories import history
from tournament.gradient_learning import Inner, Variant, adapted_each
from tournament.selectors.meta import maml, reptile
from tournament.selectors.meta.adaptation import ADAPTED, Adapting, Tasks, adaptation_tasks, newest_support
from tournament.selectors.meta.neural import NETWORK
from tournament.selectors.meta.training import TrainingConfig
from tournament.selectors.protocol import Budget, History, State
from tournament.selectors.weather import beliefs_in_training, fit_weather

ROW = 85


def known(row: int = ROW) -> History:
    past = history()
    return past.known_at(past.opens_at_R[row])


def tasks(past: History) -> Tasks:
    return adaptation_tasks(past, beliefs_in_training({}, past, past.resolved_rows()))


def untrained(inner: Inner) -> State:
    torch.manual_seed(0)
    arrays = {NETWORK + name: values.numpy() for name, values in Adapting(inner).state_dict().items()}
    return State("maml", arrays | fit_weather(known(), seed=0))


def test_adaptation_begins_from_the_meta_trained_parameters_each_time() -> None:
    selector, state = maml.build("cpu"), untrained(maml.INNER)

    once = selector.adapt(state, known())
    again = selector.adapt(selector.adapt(state, known(60)), known())

    assert all(np.array_equal(once.arrays[name], again.arrays[name]) for name in once.arrays)
    assert all(np.array_equal(once.arrays[name], values) for name, values in state.arrays.items())


def test_the_adapted_parameters_give_a_better_blend_of_the_support() -> None:
    state = untrained(maml.INNER)
    network = Adapting(maml.INNER)
    support = newest_support(known(), fit_weather(known(), seed=0))

    kept = maml.build("cpu").adapt(state, known()).arrays
    before, after = (
        network.loss()(
            {name: torch.tensor(kept[f"{prefix}learner.{name}"]) for name in network.parameters_by_name()}, support
        )
        for prefix in (NETWORK, ADAPTED)
    )

    assert after < before


def test_head_only_leaves_the_body_and_the_mix_as_they_were() -> None:
    inner = Inner(maml.INNER.steps, maml.INNER.rate, Variant.HEAD_ONLY)
    kept = maml.build("cpu", inner).adapt(untrained(inner), known()).arrays

    moved = {
        n for n in kept if n.startswith(ADAPTED) and not np.array_equal(kept[n], kept[n.replace(ADAPTED, NETWORK)])
    }

    assert moved == {f"{ADAPTED}learner.head.weight", f"{ADAPTED}learner.head.bias"}


def test_the_adapted_parameters_and_not_the_first_ones_weigh() -> None:
    selector, past = maml.build("cpu"), history()
    state = selector.adapt(untrained(Inner(5, 1.0)), known())
    first = {name: values for name, values in state.arrays.items() if not name.startswith(ADAPTED)}

    assert not np.allclose(
        selector.weights(state, past.query(ROW)), selector.weights(replace(state, arrays=first), past.query(ROW))
    )


def test_a_task_s_support_is_what_had_resolved_when_its_query_opened() -> None:
    past = known()
    resolved = past.resolved()

    made = tasks(past)

    for query in range(len(made)):
        rows = made.row_BS[query][made.weight_BS[query] > 0].numpy()
        assert (resolved.resolves_at_R[rows] <= resolved.opens_at_R[query]).all()


def test_training_and_adaptation_take_the_same_inner_steps() -> None:
    """The support that a query had in training is the support that `adapt` would be given at its opening."""
    past = replace(known(), earlier_context_PK=None)
    network, made, row = Adapting(maml.INNER), tasks(past), 60
    torch.nn.init.normal_(network.learner.head.weight, generator=torch.Generator().manual_seed(1))
    start = {name: values.detach() for name, values in network.parameters_by_name().items()}

    trained = made.take(torch.tensor([row])).supports()
    asked = newest_support(past.known_at(past.opens_at_R[row]), {})

    # the spread of contexts differs by what came later, so only tokens of scores by age are the same to the last digit
    assert torch.allclose(trained.token_BMT[0, ..., :4], asked.token_BMT[..., :4], atol=1e-4)
    assert torch.equal(trained.score_BM[0], asked.score_BM)
    moved = adapted_each(network.loss(), start, trained, maml.INNER)
    assert all(torch.isfinite(values).all() for values in moved.values())


def test_reptile_s_loss_has_theta_less_theta_k_as_gradient() -> None:
    torch.manual_seed(0)
    network, batch = Adapting(reptile.INNER), tasks(known()).take(torch.arange(40, 44))

    reptile.displacement(network, batch, TrainingConfig()).backward()

    arrived = adapted_each(network.loss(), network.parameters_by_name(), reptile.with_query(batch), reptile.INNER)
    for name, values in network.learner.named_parameters():
        assert torch.allclose(values.grad, (values - arrived[name].mean(0)).detach(), atol=1e-6)


@pytest.mark.parametrize("variant", list(Variant))
def test_every_variant_trains_to_finite_parameters(variant: Variant) -> None:
    selector = maml.build("cpu", Inner(1, 0.1, variant))
    quick = replace(selector, config=replace(selector.config, steps=3, check_every=3))

    state = quick.meta_train([known()], Budget())

    assert all(np.isfinite(values).all() for name, values in state.arrays.items() if name.startswith(NETWORK))


def test_early_rounds_without_any_support_of_their_own_bring_no_infinite_slope() -> None:
    network, batch = Adapting(Inner(3, 0.1)), tasks(known()).take(torch.arange(12))

    expected = network(batch)
    expected.sum().backward()

    assert torch.isfinite(expected).all()
    assert all(torch.isfinite(values.grad).all() for values in network.parameters())
