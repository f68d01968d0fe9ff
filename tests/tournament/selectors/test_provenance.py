"""A stored state says which code and data made it, and warns where today's code did not."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.tournament.histories import history
from tournament.selectors import provenance
from tournament.selectors.protocol import Budget, State
from tournament.selectors.registry import NAMES, make


@pytest.fixture(autouse=True)
def _read_anew():
    provenance.code_hash.cache_clear()
    yield
    provenance.code_hash.cache_clear()


def stored(family: str = "hmm") -> bytes:
    known = history().known_at(history().opens_at_R[80])
    return replace(make(family).meta_train([known], Budget()), data=known.mark()).to_bytes()


def test_a_stored_state_carries_code_and_data_in_its_metadata() -> None:
    raw = stored()
    about = json.loads(json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]["about"])

    assert about["code"] == provenance.code_hash("hmm")
    assert about["data"] == history().known_at(history().opens_at_R[80]).mark()
    assert State.from_bytes(raw).warning == ""


def test_a_state_of_other_code_is_read_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = stored()
    provenance.code_hash.cache_clear()
    read = provenance._imports
    monkeypatch.setattr(provenance, "_imports", lambda source: [*read(source), "tournament.rules"])

    state = State.from_bytes(raw)

    assert "other code" in state.warning
    assert State.from_bytes(state.to_bytes()).code == state.code  # storing it again does not make it today's


def test_a_state_stored_before_states_had_marks_says_that_it_does_not_know() -> None:
    raw = stored()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    about = json.loads(header["__metadata__"]["about"])
    header["__metadata__"]["about"] = json.dumps({name: about[name] for name in ("family", "config", "format")})
    old = json.dumps(header).encode()

    state = State.from_bytes(len(old).to_bytes(8, "little") + old + raw[8 + size :])

    assert "does not say" in state.warning


@pytest.mark.parametrize(
    ("family", "reads", "reads_not"),
    [("hmm", "tournament/regimes/filters.py", "selectors/meta/lstm.py"), ("lstm", "meta/neural.py", "meta/maml.py")],
)
def test_the_mark_covers_what_a_family_is_made_of_and_no_more(
    family: str, reads: str, reads_not: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, find = [], provenance._file
    monkeypatch.setattr(provenance, "_file", lambda module: opened.append(str(find(module))) or find(module))

    provenance.code_hash(family)

    assert any(name.endswith(reads) for name in opened)
    assert not any(name.endswith(reads_not) for name in opened)


def test_every_family_has_a_mark_and_rules_share_theirs() -> None:
    marks = {name: provenance.code_hash(name) for name in NAMES}

    assert marks["ridge"] == marks["greedy"]
    assert len({marks[name] for name in ("ridge", "hmm", "kernel", "lstm", "maml", "pretrained", "committee")}) == 7


def test_marking_a_neural_family_loads_no_torch() -> None:
    ask = "import sys; from tournament.selectors.provenance import code_hash; code_hash('lstm')"

    told = subprocess.run(
        [sys.executable, "-c", f"{ask}; print('torch' in sys.modules)"], capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "False"


def test_the_mark_of_data_changes_with_any_score_context_or_correlation() -> None:
    marks = {history().mark()}
    for name in ("scores_RM", "context_RK", "correlations_RMM"):
        values = getattr(history(), name).copy()
        values[3, ..., 1] += 0.01
        marks.add(replace(history(), **{name: values}).mark())

    assert len(marks) == 4
    assert replace(history(), correlations_RMM=np.broadcast_to(np.float32(np.nan), (90, 8, 8))).mark() not in marks
