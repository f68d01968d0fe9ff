"""Learning an initialisation from which a few gradient steps solve a task: MAML, its cheaper kin, and Reptile.

Free functions over a functional learner: `loss(parameters, data)` is a scalar for one task's data, `parameters` a dict
of tensors, data any nest of tensors. A batch of tasks is the same nest with the tasks in front: torch.func maps them.
To compile, give torch.compile a whole function of these: a compiled graph cannot be differentiated twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap

Parameters = dict[str, Tensor]
Loss = Callable[[Parameters, Any], Tensor]


class Variant(StrEnum):
    """What the inner steps are differentiated through, and what they move."""

    SECOND_ORDER = "second_order"
    """MAML: through the steps themselves. Source: Finn, Abbeel and Levine 2017, algorithm 1."""
    FIRST_ORDER = "first_order"
    """The gradient at the adapted parameters stands for that at the first ones. Source: the same, section 5.2."""
    HEAD_ONLY = "head_only"
    """ANIL: second order, but only the head moves inside. Source: Raghu et al. 2020, section 4."""


@dataclass(frozen=True, slots=True)
class Inner:
    """The steps taken within a task; parameters whose names begin with `head` are the head."""

    steps: int = 5
    rate: float = 0.01
    variant: Variant = Variant.SECOND_ORDER
    head: str = "head"

    def moves(self, name: str) -> bool:
        """Whether the inner steps move this parameter."""
        return self.variant is not Variant.HEAD_ONLY or name.startswith(self.head)


def adapted(loss: Loss, parameters: Parameters, support: Any, inner: Inner) -> Parameters:
    """Parameters after the inner steps on one task's support, always from those given."""
    slope = grad(loss)
    for _ in range(inner.steps):
        slopes = slope(parameters, support)
        parameters = {name: _moved(name, values, slopes[name], inner) for name, values in parameters.items()}
    return parameters


def _moved(name: str, values: Tensor, slope: Tensor, inner: Inner) -> Tensor:
    if not inner.moves(name):
        return values
    return values - inner.rate * (slope.detach() if inner.variant is Variant.FIRST_ORDER else slope)


def adapted_each(loss: Loss, parameters: Parameters, supports: Any, inner: Inner) -> Parameters:
    """The same for a batch of tasks: each parameter gets the tasks as first dimension."""
    return vmap(lambda support: adapted(loss, parameters, support, inner))(supports)


def meta_loss(loss: Loss, parameters: Parameters, supports: Any, queries: Any, inner: Inner) -> Tensor:
    """Mean over tasks of the loss on the query after adaptation to the support."""

    def after(support: Any, query: Any) -> Tensor:
        return loss(adapted(loss, parameters, support, inner), query)

    return vmap(after)(supports, queries).mean()


def meta_gradient(loss: Loss, parameters: Parameters, supports: Any, queries: Any, inner: Inner) -> Parameters:
    """Gradient of `meta_loss` in the parameters before adaptation."""
    return grad(lambda start: meta_loss(loss, start, supports, queries, inner))(parameters)


def reptile_direction(loss: Loss, parameters: Parameters, tasks: Any, inner: Inner) -> Parameters:
    """Mean over tasks of theta_k - theta; Reptile adds a share of it to theta.

    Source: Nichol, Achiam and Schulman 2018, algorithm 2.
    """
    arrived = adapted_each(loss, parameters, tasks, inner)
    return {name: (arrived[name].detach() - values.detach()).mean(0) for name, values in parameters.items()}


def towards(parameters: Parameters, direction: Parameters) -> Tensor:
    """A number whose gradient is minus the direction, so that a plain step of rate eps on it is Reptile's."""
    return -torch.stack([(values * direction[name]).sum() for name, values in parameters.items()]).sum()


def reptile_step(parameters: Parameters, direction: Parameters, share: float) -> Parameters:
    """theta + eps (theta_k - theta), the mean over tasks in the place of theta_k."""
    with torch.no_grad():
        return {name: values + share * direction[name] for name, values in parameters.items()}
