"""Every file that is not a good model is refused with a reason, or contained; whoever runs it goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError

from tests.hosting import files, foreign, graphs, pipelines, trees, weights
from tournament.errors import BadModel
from tournament.hosted import lightgbm_text, onnx_graph
from tournament.hosted.formats import recognise
from tournament.hosted.model import answer, columns, read
from workers.sandbox.limits import Limits
from workers.sandbox.runner import Work, run

NAMES = tuple(f"f{place}" for place in range(5))
FEATURES = files.drawn(60)[0].astype(np.int8)
WORK = Work(FEATURES, NAMES, (30, 60))
LIMITS = Limits(cpu_seconds=10, wall_seconds=60.0, memory_bytes=1_500_000_000)
FOREIGN = list(foreign.cases(Path("/nowhere")))
BROKEN = {
    **{f"LightGBM: {name}": data for name, data in trees.TAMPERED.items()},
    **{f"ONNX: {name}": data for name, data in graphs.TAMPERED.items()},
    **{f"safetensors: {name}": data for name, data in weights.TAMPERED.items()},
    **{f"skops: {name}": data for name, data in pipelines.cases().items()},
}
LEFT_TO_LIBRARY = {
    f"ONNX: {name}"
    for name in (
        "an output that lies about its shape", "one value for all rows", "an answer that is not a number",
        "an infinite answer", "a node that eats its own output", "an input from nowhere", "shapes that do not meet",
        "an output that nothing makes", "a bomb of memory", "a tree that is a loop", "a tree with a far child",
        "a tree on a far feature", "a tree with lists that differ", "a tree with a far target",
        "another width",
    )
}  # fmt: skip
"""Graphs in order by themselves: ONNX Runtime refuses them, or their answer is, or they do not fit the tournament."""
SANDBOXED = [name for place, name in enumerate(BROKEN) if name in LEFT_TO_LIBRARY or place % 3 == 0]
"""One of three goes the whole way, as each costs a process."""


def read_graph(data: bytes) -> None:
    """What is checked of a graph before ONNX Runtime gets it."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise BadModel("no protobuf") from None
    onnx_graph.check(model)


def read_and_answer(data: bytes) -> None:
    """The whole way of the formats that have no library."""
    model = read(data)
    answer(model, FEATURES[:, columns(model, NAMES)].astype(np.float32))


READERS: dict[str, Callable[[bytes], object]] = {
    "LightGBM": lightgbm_text.parse, "ONNX": read_graph, "safetensors": read_and_answer, "skops": read_and_answer,
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_kind_is_named_and_never_read(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "code was run"
    data, said = foreign.cases(mark)[name]

    with pytest.raises(BadModel, match=said) as refused:
        recognise(data)

    assert refused.value.faults[0].hint
    assert not mark.exists()


@pytest.mark.parametrize("name", [name for name in BROKEN if name not in LEFT_TO_LIBRARY])
def test_a_reader_refuses_a_broken_model_before_any_library_sees_it(name: str) -> None:
    with pytest.raises(BadModel):
        READERS[name.partition(":")[0]](BROKEN[name])


@pytest.mark.parametrize("name", SANDBOXED)
def test_a_broken_model_is_refused_with_a_reason_in_the_sandbox(name: str) -> None:
    with pytest.raises(BadModel) as refused:
        run(BROKEN[name], WORK, LIMITS)

    assert refused.value.faults[0].message
    assert refused.value.faults[0].code not in ("crash", "time"), "the check must find it, not the sandbox"


def test_there_are_enough_of_them() -> None:
    assert len(SANDBOXED) >= 60
    assert len(BROKEN) + len(FOREIGN) >= 200


def test_a_tree_as_deep_as_it_is_wide_is_answered() -> None:
    answer = run(trees.chain(20_000), WORK, LIMITS)

    assert np.isfinite(answer.values).all()


def test_a_model_that_never_ends_uses_up_its_time_and_no_more() -> None:
    with pytest.raises(BadModel, match="used up its CPU time"):
        run(graphs.slow(), WORK, Limits(cpu_seconds=1, wall_seconds=30.0))


def test_sizes_of_trees_that_lie_are_never_believed() -> None:
    lying = trees.field("tree_sizes", "99999999 " * 11 + "1")

    assert run(lying, WORK).values.tobytes() == run(trees.GOOD, WORK).values.tobytes()
