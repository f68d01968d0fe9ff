"""A training that is cut off goes on from its last check and ends with the bytes of one that was not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from tests.tournament.histories import history
from tournament.selectors.meta.course import read
from tournament.selectors.meta.pretrained import Pretrained
from tournament.selectors.protocol import Budget, History
from tournament.selectors.registry import make

STEPS = {"set_attention": (30, 10), "reptile": (6, 2), "maml": (3, 1), "lstm": (6, 2), "policy": (16, 4)}


class Killed(RuntimeError):
    """Stands for the end of the process."""


@dataclass
class Kept:
    """Keeps progress; after so many savings the process is killed."""

    lives: int = 1_000
    saved: list[bytes] = field(default_factory=list)

    def load(self) -> bytes | None:
        return self.saved[-1] if self.saved else None

    def save(self, data: bytes) -> None:
        self.saved.append(data)
        if len(self.saved) == self.lives:
            raise Killed


def known() -> History:
    past = history()
    return past.known_at(past.opens_at_R[85])


def selector(name: str):
    if name == "pretrained":
        tuned = Pretrained(least_to_tune=40)
        return replace(tuned, config=replace(tuned.config, steps=6, check_every=2, learning_rate=1e-2))
    found, (steps, check_every) = make(name), STEPS[name]
    return replace(found, config=replace(found.config, steps=steps, check_every=check_every, patience=9))


@pytest.mark.parametrize("name", [*STEPS, "pretrained"])
def test_cut_off_and_begun_again_it_ends_with_the_same_bytes(name: str) -> None:
    whole = selector(name).meta_train([known()], Budget(seed=4)).to_bytes()
    kept = Kept(lives=1)
    with pytest.raises(Killed):
        selector(name).meta_train([known()], Budget(seed=4, progress=kept))

    resumed = selector(name).meta_train([known()], Budget(seed=4, progress=kept)).to_bytes()

    steps = [read(data)[0]["step"] for data in kept.saved]
    assert resumed == whole
    assert steps == [number * steps[0] for number in range(1, len(steps) + 1)]  # no step was taken twice
    assert len(steps) > 1


def test_an_attempt_after_the_last_check_takes_no_more_steps() -> None:
    kept = Kept()
    first = selector("reptile").meta_train([known()], Budget(progress=kept)).to_bytes()
    saved = len(kept.saved)

    again = selector("reptile").meta_train([known()], Budget(progress=kept)).to_bytes()

    assert again == first
    assert len(kept.saved) == saved


@pytest.mark.parametrize("change", [{"seed": 5}, {"config": True}, {"family": "lstm"}])
def test_progress_of_another_training_is_not_gone_on_from(change: dict[str, object]) -> None:
    kept, name = Kept(), str(change.get("family", "reptile"))
    selector("reptile").meta_train([known()], Budget(seed=4, progress=kept))
    other = selector(name)
    other = replace(other, config=replace(other.config, learning_rate=0.4)) if "config" in change else other
    budget = Budget(seed=int(change.get("seed", 4)))

    state = other.meta_train([known()], replace(budget, progress=kept))

    assert state.to_bytes() == other.meta_train([known()], budget).to_bytes()


def test_what_is_no_progress_is_not_gone_on_from() -> None:
    state = selector("reptile").meta_train([known()], Budget(progress=Kept(saved=[b"not safetensors at all"])))

    assert state.to_bytes() == selector("reptile").meta_train([known()], Budget()).to_bytes()


def test_the_time_of_earlier_attempts_counts() -> None:
    kept = Kept(lives=1)
    with pytest.raises(Killed):
        selector("reptile").meta_train([known()], Budget(progress=kept))
    spent = read(kept.saved[0])[0]["seconds"]

    state = selector("reptile").meta_train([known()], Budget(seconds=spent / 2, progress=kept))

    assert spent > 0
    assert len(state.config["validation"]) == 2  # before any step and after the first steps; no more were taken
    assert len(kept.saved) == 1
