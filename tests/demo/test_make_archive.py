"""`make_archive`: prices in, an archive out, every model knowing only what was resolved."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from sklearn.linear_model import Ridge

from contributors.long_course import LONG_COURSE
from contributors.roster import Entry, learned, style
from demo.archives import Course, Eras, lay_out, sail, training_material
from regatta.environment import ROOT
from tests.tournament.markets.panels import changed_after
from tournament.archive import ArchivedRound, history_from_archive, read_archive
from tournament.errors import BadConfig, BadPanel
from tournament.markets.panel import PricePanel
from tournament.markets.simulate import SimulationConfig, simulate
from tournament.rules import Rules

RULES = Rules()
COURSE = Course(rounds=12, retrain_every=5, training_eras=40)
FLEET = (
    Entry("trend", "amara", style(momentum=1.0)),
    Entry("ridge", "bjorn", learned(lambda: Ridge(alpha=10.0)), stake=50),
    Entry("late", "chiara", style(reversal=1.0), joins=4),
    Entry("early", "chiara", style(value=1.0), leaves=9),
)
REAL = ROOT.parent / "shared/data/equity_us_sp500_daily.parquet"


@pytest.fixture(scope="module")
def panel() -> PricePanel:
    return simulate(SimulationConfig(seed=4, assets=30, weeks=40)).panel


@pytest.fixture(scope="module")
def eras(panel: PricePanel) -> Eras:
    return lay_out(panel, RULES, COURSE)


@pytest.fixture(scope="module")
def rounds(eras: Eras) -> list[ArchivedRound]:
    return list(sail(eras, FLEET, COURSE, RULES))


@pytest.fixture(scope="module")
def prices(panel: PricePanel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prices") / "market.parquet"
    long_table(panel).to_parquet(path, index=False)
    return path


def long_table(panel: PricePanel) -> pd.DataFrame:
    """The panel's closes as a long table."""
    wide = pd.DataFrame(panel.close_DN, index=panel.dates_D, columns=list(panel.ids))
    return wide.rename_axis("date").reset_index().melt("date", var_name="id", value_name="close")


def refusal(prices: Path, out: Path, **options: object) -> str:
    with pytest.raises(CommandError) as caught:
        call_command("make_archive", prices=prices, out=out, **options, stdout=StringIO())
    assert caught.value.returncode == 2
    return str(caught.value)


def test_a_fit_uses_only_eras_resolved_at_the_rounds_opening(eras: Eras) -> None:
    era = len(eras.rows_E) - 3

    used = np.unique(training_material(eras, era, 40).eras) - 1

    assert (eras.resolves_at_E[used] <= eras.opens_at_E[era]).all()
    assert used.max() == np.flatnonzero(eras.resolves_at_E <= eras.opens_at_E[era]).max()


def test_other_prices_later_leave_earlier_predictions_bit_for_bit(
    panel: PricePanel, eras: Eras, rounds: list[ArchivedRound]
) -> None:
    turn = int(eras.rows_E[-5])  # the eighth round's close
    changed = changed_after(panel, turn)

    others = list(sail(lay_out(changed, RULES, COURSE), FLEET, COURSE, RULES))

    for ours, theirs in zip(rounds[:8], others[:8], strict=True):
        assert ours.ids == theirs.ids
        assert ours.predictions_NM.tobytes() == theirs.predictions_NM.tobytes()
        assert ours.stakes == theirs.stakes
    assert rounds[11].predictions_NM.tobytes() != others[11].predictions_NM.tobytes()


def test_the_fleet_is_fitted_anew_as_rounds_go_by(eras: Eras, rounds: list[ArchivedRound]) -> None:
    once = list(sail(eras, FLEET, replace(COURSE, retrain_every=100), RULES))
    same = [np.array_equal(a.predictions_NM, b.predictions_NM) for a, b in zip(rounds, once, strict=True)]

    assert same == [True] * 5 + [False] * 7


def test_models_join_and_leave(rounds: list[ArchivedRound]) -> None:
    assert [len(one.models) for one in rounds] == [3, 3, 3, 4, 4, 4, 4, 4, 3, 3, 3, 3]


def test_stakes_move_only_when_a_target_is_resolved(rounds: list[ArchivedRound]) -> None:
    first = rounds[0]
    before = [one for one in rounds if one.opens_at < first.resolves_at]

    assert all(one.stakes["ridge"] == 50.0 for one in before)
    assert rounds[len(before)].stakes["ridge"] != 50.0


def test_a_round_of_which_too_few_targets_are_known_is_never_scored_nor_paid(eras: Eras) -> None:
    targets = {name: values.copy() for name, values in eras.targets.items()}
    targets["target"][-9, ::4] = np.nan  # a quarter of the fourth round's assets

    rounds = list(sail(replace(eras, targets=targets), FLEET, COURSE, RULES))

    assert [one.number for one in rounds if one.target_N is None] == [4]
    assert all(np.isfinite(list(one.stakes.values())).all() for one in rounds)


def test_a_universe_of_members_holds_members_only(panel: PricePanel) -> None:
    member = np.ones(panel.close_DN.shape, dtype=bool)
    member[:, :8] = False

    found = lay_out(panel, RULES, COURSE, member)

    assert not found.universe_EN[:, :8].any()
    assert found.universe_EN[:, 8:].all()
    assert np.isnan(found.targets["target"][:, :8]).all()


def test_prices_too_short_for_the_course_are_refused(panel: PricePanel) -> None:
    with pytest.raises(BadPanel, match=r"resolved eras; 200 rounds need 245: 40 to learn from first"):
        lay_out(panel, RULES, Course(rounds=200))


def test_an_impossible_course_is_refused_with_every_reason() -> None:
    with pytest.raises(BadConfig) as caught:
        Course(rounds=0, retrain_every=0, training_eras=3)

    assert str(caught.value).splitlines() == [
        "rounds is 0; give 1 or more",
        "retrain every is 0; give 1 or more",
        "training eras is 3; give 40 or more",
    ]


def test_the_long_course_has_forty_models_and_no_name_twice() -> None:
    names = [entry.model for entry in LONG_COURSE]

    assert len(names) == len(set(names)) >= 40


def test_an_archive_is_made_from_a_file(prices: Path, tmp_path: Path) -> None:
    said = StringIO()

    call_command(
        "make_archive", prices=prices, rounds=6, retrain_every=4, training_eras=40, out=tmp_path / "out", stdout=said
    )

    archive = read_archive(tmp_path / "out")
    past = history_from_archive(archive)
    assert (len(archive), archive.about.horizon_days, archive.about.name) == (6, 20, "market")
    assert len(past.resolved()) == 6
    assert past.active_RM[0].sum() == sum(entry.sails(1) for entry in LONG_COURSE)
    assert "6 rounds from " in said.getvalue()
    call_command(
        "evaluate_selectors", str(tmp_path / "out"), selectors="stake", warmup_rounds=2, out=tmp_path / "study",
        stdout=StringIO(),
    )  # fmt: skip
    assert "attainable" not in json.loads((tmp_path / "study/report.json").read_text())


def test_files_that_are_no_prices_are_refused_in_one_message(prices: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("ticker,price\nA,1\n")

    assert refusal(tmp_path / "none.parquet", tmp_path / "out").startswith("there is no file ")
    assert "no column 'date'" in refusal(table, tmp_path / "out")
    assert "resolved eras; 420 rounds need" in refusal(prices, tmp_path / "out")
    assert "already holds files" in refusal(prices, prices.parent)
    assert "no column 'start_date'" in refusal(prices, tmp_path / "out", membership=table, rounds=6)
    assert "no column sector" in refusal(prices, tmp_path / "out", sectors=table, rounds=6)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason=f"the collected prices are not here: {REAL}")
def test_the_collected_stock_prices_make_an_archive(tmp_path: Path) -> None:
    call_command(
        "make_archive", prices=REAL, membership=REAL.with_name("sp500_membership.parquet"),
        sectors=REAL.with_name("sp500_sectors.parquet"), rounds=3, training_eras=40, out=tmp_path / "out",
        stdout=StringIO(),
    )  # fmt: skip

    assert len(read_archive(tmp_path / "out").models) == sum(entry.sails(1) for entry in LONG_COURSE)
