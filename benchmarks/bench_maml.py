"""How much faster than learn2learn is a MAML step? 32 tasks x 10 shots, MLP 1-40-40-1, 5 inner steps, one core.

One step is the inner steps of all tasks, the second-order meta-gradient, and Adam. All rivals start from the same
parameters and see the same tasks; before any timing each must give the same meta-gradient to 1e-6.
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import copy
import importlib
import importlib.util
import sys
import time
import types
import warnings

import torch
from torch import nn
from torch.func import functional_call

from tournament.gradient_learning import Inner, meta_gradient

TASKS, SHOTS, REPEATS = 32, 10, 31
INNER = Inner(steps=5, rate=0.01)
TOLERANCE = 1e-6
INSTALL = """learn2learn is not installed; 0.2.0 does not build on Python 3.11 as published. To install it aside:
  pip download --no-deps --no-binary :all: learn2learn==0.2.0 && tar xzf learn2learn-0.2.0.tar.gz
  cd learn2learn-0.2.0 && pip install 'cython<4' && cython -3 -f learn2learn/data/*.pyx
  pip install --no-deps --no-build-isolation --target /tmp/l2l .
and run again with PYTHONPATH=/tmp/l2l:. ; until then the rival is `higher`, or a task loop that does the same work."""

mse = nn.functional.mse_loss


def sinewaves(generator):
    """Support and query of every task, each (tasks x shots x 1) of x and of y."""
    amplitude = torch.rand(TASKS, 1, 1, generator=generator) * 4.9 + 0.1
    phase = torch.rand(TASKS, 1, 1, generator=generator) * torch.pi
    support_x, query_x = (torch.rand(TASKS, SHOTS, 1, generator=generator) * 10 - 5 for _ in range(2))
    return tuple((x, amplitude * torch.sin(x + phase)) for x in (support_x, query_x))


def ours(network, support, query, *, compiled=True):
    network = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def loss(parameters, data):
        return mse(functional_call(network, parameters, (data[0],)), data[1])

    def gradient(parameters, support, query):
        return meta_gradient(loss, parameters, support, query, INNER)

    run = torch.compile(gradient, dynamic=False) if compiled else gradient

    def step():
        slopes = run({name: values.detach() for name, values in network.named_parameters()}, support, query)
        for name, values in network.named_parameters():
            values.grad = slopes[name]
        return finish(network, optimizer)

    return step


def learn2learn(network, support, query):
    network = learn2learn_maml()(copy.deepcopy(network), lr=INNER.rate, first_order=False)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        total = 0.0
        for task in range(TASKS):
            learner = network.clone()
            for _ in range(INNER.steps):
                learner.adapt(mse(learner(support[0][task]), support[1][task]))
            total = total + mse(learner(query[0][task]), query[1][task])
        (total / TASKS).backward()
        return finish(network, optimizer)

    return step


def learn2learn_maml():
    """The class alone: the package imports gym and vision libraries that MAML does not use."""
    found = importlib.util.find_spec("learn2learn")
    if found is None or found.submodule_search_locations is None:
        raise ImportError("learn2learn")
    root = next(iter(found.submodule_search_locations))
    for name, path in (("learn2learn", root), ("learn2learn.algorithms", os.path.join(root, "algorithms"))):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [path]
    return importlib.import_module("learn2learn.algorithms.maml").MAML


def higher(network, support, query):
    library = importlib.import_module("higher")
    network = copy.deepcopy(network)
    inner = torch.optim.SGD(network.parameters(), lr=INNER.rate)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        for task in range(TASKS):
            with library.innerloop_ctx(network, inner, copy_initial_weights=False) as (learner, steps):
                for _ in range(INNER.steps):
                    steps.step(mse(learner(support[0][task]), support[1][task]))
                (mse(learner(query[0][task]), query[1][task]) / TASKS).backward()
        return finish(network, optimizer)

    return step


def task_loop(network, support, query):
    network = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        total = 0.0
        for task in range(TASKS):
            parameters = dict(network.named_parameters())
            for _ in range(INNER.steps):
                loss = mse(functional_call(network, parameters, (support[0][task],)), support[1][task])
                slopes = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
                moved = zip(parameters.items(), slopes, strict=True)
                parameters = {name: values - INNER.rate * slope for (name, values), slope in moved}
            total = total + mse(functional_call(network, parameters, (query[0][task],)), query[1][task])
        (total / TASKS).backward()
        return finish(network, optimizer)

    return step


def finish(network, optimizer):
    """Adam's step; the gradient that it took, to be compared."""
    gradient = [values.grad for values in network.parameters()]
    optimizer.step()
    return gradient


def apart(one, other):
    """Largest difference of two gradients."""
    return max(float((a - b).abs().max()) for a, b in zip(one, other, strict=True))


def rivals(network, support, query):
    """Name and step of all that can be imported; the first is what the others are measured against."""
    steps = {}
    for name, make in (("learn2learn", learn2learn), ("higher", higher)):
        try:
            steps[name] = make(network, support, query)
        except ImportError:
            print(INSTALL if name == "learn2learn" else "higher is not installed; it is left out", end="\n\n")
    steps["task loop (functional_call)"] = task_loop(network, support, query)
    steps["regatta, vmap"] = ours(network, support, query, compiled=False)
    steps["regatta, vmap compiled"] = ours(network, support, query)
    return steps


def main():
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    steps = rivals(network, *sinewaves(torch.Generator().manual_seed(0)))

    first = {name: step() for name, step in steps.items()}
    peer = next(iter(steps))
    differences = {name: apart(gradient, first[peer]) for name, gradient in first.items()}
    times = {name: [] for name in steps}
    for _ in range(REPEATS):  # in turn, so that the machine's noise hits all alike
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    median = {name: sorted(values)[REPEATS // 2] for name, values in times.items()}

    print(f"{'MAML step, one core':30}{'ms':>8}{'ratio':>8}{'gradient apart':>16}")
    for name in steps:
        print(f"{name:30}{median[name] * 1e3:8.1f}{median[peer] / median[name]:8.1f}{differences[name]:16.1e}")
    if max(differences.values()) > TOLERANCE:
        raise SystemExit("the meta-gradients differ: these are not the same steps")


if __name__ == "__main__":
    main()
