"""Archives leave the site and come back as they were."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from regatta.rounds.models import Tournament
from regatta.scores.models import Leaderboard, Score
from regatta.submissions.models import ContributedModel
from tests.tournament import archives
from tournament.scoring.panel import score_panel

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return archives.write(tmp_path / "first")


def bring(folder: Path, **options: str) -> str:
    out = StringIO()
    call_command("import_archive", str(folder), stdout=out, **{"slug": "seas", **options})
    return out.getvalue()


def refusal(*arguments: str, **options: object) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command(*arguments, **options)
    return caught.value


def test_an_archive_comes_back_as_it_went(folder: Path, tmp_path: Path) -> None:
    bring(folder)

    call_command("export_archive", "seas", out=tmp_path / "second", stdout=StringIO())

    first, second = archives.panels(folder), archives.panels(tmp_path / "second")
    assert first.keys() == second.keys()
    for name, frame in first.items():
        columns = sorted(frame.columns)  # stored contexts keep no order of their own
        pd.testing.assert_frame_equal(second[name][columns], frame[columns], obj=name)


def test_a_second_turn_changes_no_panel(folder: Path, tmp_path: Path) -> None:
    bring(folder)
    call_command("export_archive", "seas", out=tmp_path / "second", stdout=StringIO())
    Tournament.objects.all().delete()
    bring(tmp_path / "second")

    call_command("export_archive", "seas", out=tmp_path / "third", stdout=StringIO())

    second, third = archives.panels(tmp_path / "second"), archives.panels(tmp_path / "third")
    assert second.keys() == third.keys()
    assert all(second[name].equals(third[name]) for name in second)


def test_an_imported_tournament_has_its_rounds_and_stands_still(folder: Path) -> None:
    said = bring(folder)

    tournament = Tournament.objects.get(slug="seas")
    assert said == "seas: 6 rounds (4 resolved), 3 models\n"
    assert list(tournament.rounds.values_list("status", flat=True)) == ["RESOLVED"] * 4 + ["CLOSED"] * 2
    assert tournament.is_paused
    assert tournament.clock_at == tournament.rounds.get(number=4).resolves_at
    assert (tournament.rules["horizon_days"], tournament.rules["cadence_days"]) == (20, 5)


def test_an_imported_round_has_its_scores_and_board(folder: Path) -> None:
    bring(folder)
    one = archives.rounds()[2]
    expected = score_panel(one.predictions_NM, one.target_or_nan(), features_NF=one.features_NF)

    rows = Score.objects.filter(round__number=3, is_final=True).order_by("model__name")

    np.testing.assert_allclose([row.corr for row in rows], expected.corr, rtol=0, atol=1e-12)
    np.testing.assert_allclose([row.fnc for row in rows], expected.fnc, rtol=0, atol=1e-12)
    assert Leaderboard.objects.count() == 4


def test_an_archive_without_features_has_no_score_against_them(tmp_path: Path) -> None:
    folder = archives.write(tmp_path / "plain")
    for path in (folder / "features").iterdir():
        path.unlink()

    bring(folder)

    assert set(Score.objects.values_list("fnc", flat=True)) == {None}


def test_every_reason_not_to_import_is_told_at_once_and_nothing_is_made(folder: Path) -> None:
    bring(folder)

    fault = refusal("import_archive", str(folder), slug="seas")

    assert fault.returncode == 2
    assert "there is a tournament 'seas' already" in str(fault)
    assert "3 names are models of this site already (anchor, buoy, compass); give a --prefix" in str(fault)
    assert Tournament.objects.count() == 1


def test_a_prefix_that_frees_no_name_is_told_of(folder: Path) -> None:
    bring(folder, slug="first-seas", prefix="old_")

    with pytest.raises(CommandError, match="give another or a shorter --prefix than 'old_'"):
        call_command("import_archive", str(folder), slug="other-seas", prefix="old_", stdout=StringIO())


@pytest.mark.parametrize("prefix", ["Old", "../", "9_", "a b", "x" * 21])
def test_a_prefix_that_can_begin_no_name_is_refused(folder: Path, prefix: str) -> None:
    with pytest.raises(CommandError, match="cannot begin names; give up to 20 small letters"):
        call_command("import_archive", str(folder), "--prefix", prefix)


def test_a_prefix_makes_names_free_and_fit(folder: Path) -> None:
    for path in (folder / "predictions").iterdir():
        archives.change(path, lambda frame: frame.rename(columns={"buoy": "The Buoy!"}))
    archives.change(folder / "stakes.parquet", lambda frame: frame.replace({"buoy": "The Buoy!"}))

    bring(folder, prefix="old_")

    names = ["old_anchor", "old_compass", "old_the_buoy_"]
    assert list(ContributedModel.objects.values_list("name", flat=True)) == names
    assert Tournament.objects.get().rounds.get(number=1).stakes == {"old_anchor": "10.5", "old_the_buoy_": "1.0"}


def test_names_that_the_site_does_not_take_are_refused(folder: Path) -> None:
    for path in (folder / "predictions").iterdir():
        archives.change(path, lambda frame: frame.rename(columns={"buoy": "The Buoy!"}))

    assert "1 names break the rule for names" in str(refusal("import_archive", str(folder), slug="seas"))


def test_rounds_without_duration_are_refused(folder: Path) -> None:
    archives.change(folder / "rounds.parquet", lambda frame: frame.assign(closes_at=frame["opens_at"]))

    assert "6 rounds close when they open" in str(refusal("import_archive", str(folder), slug="seas"))


def test_a_slug_that_is_no_address_is_refused(folder: Path) -> None:
    assert "'Wide Seas' cannot be part of an address" in str(refusal("import_archive", str(folder), slug="Wide Seas"))


def test_an_unknown_owner_is_refused(folder: Path) -> None:
    assert "no contributor 'nobody'" in str(refusal("import_archive", str(folder), slug="seas", owner="nobody"))


def test_a_bad_archive_is_not_imported(folder: Path) -> None:
    (folder / "rounds.parquet").unlink()

    fault = refusal("import_archive", str(folder), slug="seas")

    assert (fault.returncode, Tournament.objects.count()) == (2, 0)
    assert "rounds.parquet is missing" in str(fault)


def test_exporting_what_is_not_there_names_what_is(folder: Path, tmp_path: Path) -> None:
    bring(folder)

    fault = refusal("export_archive", "lakes", out=tmp_path / "out")

    assert str(fault) == "there is no tournament 'lakes'; known: seas"


def test_a_tournament_without_a_closed_round_is_not_exported(folder: Path, tmp_path: Path) -> None:
    bring(folder)
    Tournament.objects.get().rounds.all().delete()

    assert "seas has no closed round" in str(refusal("export_archive", "seas", out=tmp_path / "out"))


def test_an_export_never_writes_over_files(folder: Path) -> None:
    bring(folder)

    assert "already holds files" in str(refusal("export_archive", "seas", out=folder))


def test_a_model_that_staked_and_never_submitted_is_left_out(folder: Path, tmp_path: Path) -> None:
    bring(folder)
    round = Tournament.objects.get().rounds.get(number=2)
    round.stakes["ghost"] = "7.000000"
    round.save()

    call_command("export_archive", "seas", out=tmp_path / "out", stdout=StringIO())

    assert set(pd.read_parquet(tmp_path / "out/stakes.parquet")["model"]) == {"anchor", "buoy"}
