"""Diagnostics: upload predictions of the validation eras, and read what they are worth."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import strawberry
from django.utils import timezone

from regatta.api.envelope import Refusal
from regatta.api.numerapi.asking import Info, contributor, own_model
from regatta.api.numerapi.submissions import Created, UploadAuth, address
from regatta.api.numerapi.values import moment
from regatta.diagnostics.figuring import ask, trouble
from regatta.diagnostics.models import Diagnosis
from regatta.security import asked_number
from regatta.uploads.models import Upload
from regatta.uploads.steps import use


@strawberry.type
class EraDiagnostics:
    """Scores of one era; those that this site does not have stay empty."""

    era: int
    example_preds_corr: float | None
    validation_corr: float | None
    validation_bmc: float | None
    validation_feature_corr_max: float | None
    validation_feature_neutral_corr: float | None
    validation_alpha: float | None = None
    validation_churn: float | None = None
    validation_corr_v4: float | None = None
    validation_feature_neutral_corr_v3: float | None = None
    validation_mmc: float | None = None
    validation_fnc_v4: float | None = None
    validation_ic_v2: float | None = None
    validation_ric: float | None = None
    regime: str | None = None


@strawberry.type
class RegimeDiagnostics:
    """Scores of the eras of one regime; not asked for by the client, but by whoever asks in raw."""

    regime: str
    eras: int
    corr_mean: float | None
    corr_standard_error: float | None
    corr_sharpe: float | None
    mmc_mean: float | None
    bmc_mean: float | None
    fnc_mean: float | None
    max_feature_exposure_mean: float | None


@strawberry.type(name="Diagnostics")
class DiagnosticsAnswer:
    """Figures over all eras; those that this site does not have stay empty."""

    id: str
    status: str
    message: str | None
    updated_at: str | None
    eras_accepted_count: int
    per_era_diagnostics: list[EraDiagnostics]
    per_regime_diagnostics: list[RegimeDiagnostics]
    trained_on_val: bool | None = None
    example_preds_corr_mean: float | None = None
    validation_corr_mean: float | None = None
    validation_corr_mean_rating: float | None = None
    validation_corr_sharpe: float | None = None
    validation_corr_sharpe_rating: float | None = None
    validation_corr_std: float | None = None
    validation_corr_std_rating: float | None = None
    validation_corr_plus_mmc_mean: float | None = None
    validation_corr_plus_mmc_mean_rating: float | None = None
    validation_corr_plus_mmc_sharpe: float | None = None
    validation_corr_plus_mmc_sharpe_rating: float | None = None
    validation_corr_plus_mmc_sharpe_diff: float | None = None
    validation_corr_plus_mmc_sharpe_diff_rating: float | None = None
    validation_corr_plus_mmc_std: float | None = None
    validation_corr_plus_mmc_std_rating: float | None = None
    validation_feature_corr_max: float | None = None
    validation_feature_corr_max_rating: float | None = None
    validation_feature_neutral_corr_mean: float | None = None
    validation_feature_neutral_corr_mean_rating: float | None = None
    validation_max_drawdown: float | None = None
    validation_max_drawdown_rating: float | None = None
    validation_mmc_mean: float | None = None
    validation_mmc_mean_rating: float | None = None
    validation_mmc_sharpe: float | None = None
    validation_mmc_sharpe_rating: float | None = None
    validation_mmc_std: float | None = None
    validation_mmc_std_rating: float | None = None
    validation_bmc_mean: float | None = None
    validation_adjusted_sharpe: float | None = None
    validation_apy: float | None = None
    validation_autocorr: float | None = None
    validation_corr_corr_w_example_preds: float | None = None
    validation_corr_max_drawdown: float | None = None
    validation_corr_v4_corr_w_example_preds: float | None = None
    validation_corr_v4_max_drawdown: float | None = None
    validation_corr_v4_mean: float | None = None
    validation_corr_v4_sharpe: float | None = None
    validation_corr_v4_std: float | None = None
    validation_feature_neutral_corr_v3_mean: float | None = None
    validation_feature_neutral_corr_v3_mean_rating: float | None = None
    validation_fnc_v4_corr_w_example_preds: float | None = None
    validation_fnc_v4_max_drawdown: float | None = None
    validation_fnc_v4_mean: float | None = None
    validation_fnc_v4_sharpe: float | None = None
    validation_fnc_v4_std: float | None = None
    validation_ic_v2_corr_w_example_preds: float | None = None
    validation_ic_v2_max_drawdown: float | None = None
    validation_ic_v2_mean: float | None = None
    validation_ic_v2_sharpe: float | None = None
    validation_ic_v2_std: float | None = None
    validation_ric_corr_w_example_preds: float | None = None
    validation_ric_max_drawdown: float | None = None
    validation_ric_mean: float | None = None
    validation_ric_sharpe: float | None = None
    validation_ric_std: float | None = None
    validation_alpha_corr_w_example_preds: float | None = None
    validation_alpha_max_drawdown: float | None = None
    validation_alpha_mean: float | None = None
    validation_alpha_sharpe: float | None = None
    validation_alpha_std: float | None = None


ASKED_AS = {
    "example_preds_corr_mean": "example_corr_mean", "validation_corr_mean": "corr_mean",
    "validation_corr_std": "corr_std", "validation_corr_sharpe": "corr_sharpe",
    "validation_max_drawdown": "corr_max_drawdown", "validation_corr_max_drawdown": "corr_max_drawdown",
    "validation_adjusted_sharpe": "corr_adjusted_sharpe", "validation_autocorr": "corr_autocorrelation",
    "validation_bmc_mean": "bmc_mean", "validation_mmc_mean": "mmc_mean", "validation_mmc_std": "mmc_std",
    "validation_mmc_sharpe": "mmc_sharpe", "validation_feature_neutral_corr_mean": "fnc_mean",
    "validation_feature_corr_max": "max_feature_exposure", "validation_corr_corr_w_example_preds": "corr_with_example",
}  # fmt: skip
"""Our figure by the name under which the client asks for it."""


def upload_auth(info: Info, filename: str, tournament: int, model_id: str | None = None) -> UploadAuth:
    """Where to put predictions of validation eras."""
    model = own_model(contributor(info, "submit"), model_id, tournament)
    limit = model.tournament.parsed_rules().max_upload_bytes
    return address(info, Upload.Purpose.DIAGNOSTICS, filename, model, limit)


def create(info: Info, filename: str, tournament: int, model_id: str | None = None) -> Created:
    """Ask for a diagnosis of what was put; its status can be read at once."""
    owner, now = contributor(info, "submit"), timezone.now()
    model = own_model(owner, model_id, tournament)

    def consume(upload: Upload, data: bytes) -> int:
        return ask(model, data, filename=upload.original, now=now).pk

    pk = use(filename, owner=owner, purpose=Upload.Purpose.DIAGNOSTICS, model=model, now=now, consume=consume)
    return Created(id=str(pk))


def diagnostics(info: Info, model_id: str, id: str | None = None) -> DiagnosticsAnswer:
    """One of one's own diagnoses; the model's newest when none is named."""
    model = own_model(contributor(info, "read"), model_id)
    found = Diagnosis.objects.filter(model=model)
    one = (found.filter(pk=asked_number(id) or 0) if id else found).first()
    if one is None:
        raise Refusal(404, "no_diagnosis", f"{model.name} has no such diagnosis", "upload one: upload_diagnostics()")
    return _answer(one)


def _answer(one: Diagnosis) -> DiagnosticsAnswer:
    broken = trouble(one) if one.status == Diagnosis.Status.PENDING else ""
    figures: dict[str, Any] = {asked: one.summary.get(ours) for asked, ours in ASKED_AS.items()}
    return DiagnosticsAnswer(
        id=str(one.pk), status=Diagnosis.Status.FAILED.value if broken else one.status, message=broken or one.message,
        updated_at=moment(one.updated_at), eras_accepted_count=len(one.eras),
        per_era_diagnostics=[_era(era) for era in one.eras],
        per_regime_diagnostics=[_regime(regime) for regime in one.regimes], **figures,
    )  # fmt: skip


def _era(figures: dict[str, Any]) -> EraDiagnostics:
    return EraDiagnostics(
        era=figures["era"], example_preds_corr=figures["example_corr"], validation_corr=figures["corr"],
        validation_bmc=figures["bmc"], validation_feature_corr_max=figures["max_feature_exposure"],
        validation_feature_neutral_corr=figures["fnc"], validation_mmc=figures.get("mmc"), regime=figures.get("regime"),
    )  # fmt: skip


def _regime(figures: dict[str, Any]) -> RegimeDiagnostics:
    told: dict[str, Any] = {field.name: figures.get(field.name) for field in fields(RegimeDiagnostics)}
    return RegimeDiagnostics(**told)


@strawberry.type
class DiagnosticsQuery:
    """What is asked about diagnoses."""

    diagnostics_upload_auth: UploadAuth = strawberry.field(resolver=upload_auth)
    diagnostics: DiagnosticsAnswer = strawberry.field(resolver=diagnostics)


@strawberry.type
class DiagnosticsMutation:
    """How a diagnosis is asked for."""

    create_diagnostics: Created = strawberry.mutation(resolver=create)
