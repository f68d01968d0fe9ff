import numpy as np
import pandas as pd
import pytest
from numerai_tools import scoring as official

from tests.tournament import golden
from tournament.errors import BadInput
from tournament.scoring.blend import blend, linear_scores, model_correlations
from tournament.scoring.panel import score_panel
from tournament.scoring.ranks import gaussian_ranks, power_15, tie_kept_ranks

EXACT = {"rtol": 0, "atol": 1e-9}


def golden_scores(**inputs):
    return score_panel(golden.PREDICTIONS, golden.TARGET, **inputs)


def test_corr_equals_the_golden_values():
    np.testing.assert_allclose(golden_scores().corr, golden.CORR, **EXACT)


def test_mmc_equals_the_golden_values():
    np.testing.assert_allclose(golden_scores(meta_N=golden.META).mmc, golden.MMC, **EXACT)


def test_bmc_is_the_contribution_beside_the_benchmark():
    np.testing.assert_allclose(golden_scores(benchmark_N=golden.META).bmc, golden.MMC, **EXACT)


def test_a_centred_target_is_not_stretched():
    scores = score_panel(golden.PREDICTIONS, golden.TARGET - 0.5, meta_N=golden.META)

    np.testing.assert_allclose(scores.mmc, golden.MMC_CENTRED_TARGET, **EXACT)


def test_fnc_equals_the_golden_values():
    np.testing.assert_allclose(golden_scores(features_NF=golden.FEATURES).fnc, golden.FNC, **EXACT)


def test_feature_exposure_equals_the_golden_values():
    scores = golden_scores(features_NF=golden.FEATURES)

    np.testing.assert_allclose(scores.max_feature_exposure, golden.EXPOSURE, **EXACT)


def test_tie_kept_ranks_equal_the_golden_values():
    np.testing.assert_allclose(tie_kept_ranks(golden.PREDICTIONS)[:5].T, golden.TIE_KEPT_FIRST_5, **EXACT)


def test_powered_ranks_equal_the_golden_values():
    np.testing.assert_allclose(power_15(gaussian_ranks(golden.PREDICTIONS))[:5].T, golden.POWERED_FIRST_5, **EXACT)


@pytest.fixture(params=range(6))
def panel(request):
    """A random panel with ties, and a target in five bins."""
    rng = np.random.default_rng(request.param)
    predictions = rng.random((317, 5))
    predictions[:, 1] = predictions[:, 1].round(1)
    predictions[:, 2] = rng.integers(0, 3, 317)
    return predictions, rng.choice([0, 0.25, 0.5, 0.75, 1], 317, p=[0.05, 0.2, 0.5, 0.2, 0.05]), rng


def frame(values, prefix="p"):
    index = pd.Index([f"n{i:05d}" for i in range(len(values))], name="id")
    return pd.DataFrame(values, index, [f"{prefix}{i}" for i in range(values.shape[1])])


def test_corr_agrees_with_the_official_library(panel):
    predictions, target, _ = panel
    truth = official.numerai_corr(frame(predictions), frame(target[:, None])["p0"])

    np.testing.assert_allclose(score_panel(predictions, target).corr, truth, **EXACT)


def test_contributions_agree_with_the_official_library(panel):
    predictions, target, rng = panel
    meta = predictions[:, 0] + rng.random(317).round(1)
    truth = official.correlation_contribution(
        frame(predictions), frame(meta[:, None])["p0"], frame(target[:, None])["p0"]
    )

    np.testing.assert_allclose(score_panel(predictions, target, meta_N=meta).mmc, truth, **EXACT)


def test_neutral_corr_agrees_with_the_official_library(panel):
    predictions, target, rng = panel
    features = rng.integers(0, 5, (317, 8)).astype(float)
    truth = official.feature_neutral_corr(frame(predictions), frame(features, "f"), frame(target[:, None])["p0"])

    np.testing.assert_allclose(score_panel(predictions, target, features_NF=features).fnc, truth, **EXACT)


def test_feature_exposure_agrees_with_the_official_library(panel):
    predictions, target, rng = panel
    features = rng.integers(0, 5, (317, 8)).astype(float)
    truth = [
        official.max_feature_correlation(frame(predictions)[c], frame(features, "f"))[1] for c in frame(predictions)
    ]

    scores = score_panel(predictions, target, features_NF=features)

    np.testing.assert_allclose(scores.max_feature_exposure, np.abs(truth), **EXACT)


def test_missing_values_are_scored_as_the_official_library_scores_that_model_alone(panel):
    predictions, target, rng = panel
    predictions[rng.random(317) < 0.1, 3] = np.nan
    truth = official.numerai_corr(frame(predictions)[["p3"]], frame(target[:, None])["p0"])

    np.testing.assert_allclose(score_panel(predictions, target).corr[3], truth["p3"], **EXACT)


def test_missing_targets_are_left_out_as_in_the_official_library(panel):
    predictions, target, rng = panel
    target[rng.random(317) < 0.1] = np.nan
    truth = official.numerai_corr(frame(predictions), frame(target[:, None])["p0"])

    np.testing.assert_allclose(score_panel(predictions, target).corr, truth, **EXACT)


def test_a_bad_model_never_touches_another(panel):
    predictions, target, _ = panel
    features = predictions[:, :2].copy()
    alone = score_panel(predictions, target, meta_N=predictions[:, 0], features_NF=features)
    spoiled = predictions.copy()
    spoiled[:, 4], spoiled[:60, 3] = 0.5, np.nan

    beside = score_panel(spoiled, target, meta_N=predictions[:, 0], features_NF=features)

    for name in ("corr", "mmc", "fnc", "max_feature_exposure"):
        np.testing.assert_allclose(getattr(beside, name)[:3], getattr(alone, name)[:3], rtol=0, atol=1e-12)


def test_a_constant_model_has_no_score():
    predictions = np.column_stack([golden.PREDICTIONS, np.full(200, 0.5)])

    scores = score_panel(predictions, golden.TARGET, meta_N=golden.META, features_NF=golden.FEATURES)

    assert np.isnan([scores.corr[4], scores.mmc[4], scores.fnc[4], scores.max_feature_exposure[4]]).all()


def test_a_model_with_too_few_rows_has_no_score():
    predictions = golden.PREDICTIONS.copy()
    predictions[:60, 0] = np.nan

    assert np.isnan(score_panel(predictions, golden.TARGET).corr[0])


def test_scores_do_not_depend_on_monotone_transforms():
    bent = np.exp(3 * golden.PREDICTIONS)

    np.testing.assert_allclose(score_panel(bent, golden.TARGET).corr, golden.CORR, **EXACT)


def test_scores_do_not_depend_on_the_order_of_rows():
    order = np.random.default_rng(1).permutation(200)

    scores = score_panel(golden.PREDICTIONS[order], golden.TARGET[order], meta_N=golden.META[order])

    np.testing.assert_allclose(scores.mmc, golden.MMC, **EXACT)


def test_a_reversed_model_has_the_negative_score():
    np.testing.assert_allclose(score_panel(-golden.PREDICTIONS, golden.TARGET).corr, np.negative(golden.CORR), **EXACT)


def test_the_meta_model_contributes_nothing_to_itself():
    scores = score_panel(golden.META[:, None], golden.TARGET, meta_N=golden.META)

    np.testing.assert_allclose(scores.mmc, 0.0, atol=1e-12)


def test_float32_panels_are_scored_like_float64_ones():
    scores = score_panel(golden.PREDICTIONS.astype(np.float32), golden.TARGET)

    np.testing.assert_allclose(scores.corr, golden.CORR, **EXACT)


def test_more_models_than_a_block_are_scored_each():
    many = np.tile(golden.PREDICTIONS, (1, 20))

    np.testing.assert_allclose(score_panel(many, golden.TARGET).corr, golden.CORR * 20, **EXACT)


def test_rows_that_do_not_match_are_refused():
    with pytest.raises(BadInput, match="199 rows beside 200"):
        score_panel(golden.PREDICTIONS, golden.TARGET[1:])


def test_a_blend_of_one_model_ranks_as_the_model():
    blended = blend(golden.PREDICTIONS, np.array([1.0, 0, 0, 0]))

    np.testing.assert_allclose(tie_kept_ranks(blended[:, None])[:, 0], tie_kept_ranks(golden.PREDICTIONS)[:, 0])


def test_a_blend_refuses_negative_weights():
    with pytest.raises(BadInput, match="not negative"):
        blend(golden.PREDICTIONS, np.array([2.0, -1.0, 0, 0]))


def test_the_linear_score_of_a_blend_follows_from_scores_and_correlations():
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    powered = power_15(golden.TARGET - golden.TARGET.mean())

    predicted = weights @ linear_scores(golden.PREDICTIONS, golden.TARGET)
    predicted /= np.sqrt(weights @ model_correlations(golden.PREDICTIONS) @ weights)

    measured = np.corrcoef(blend(golden.PREDICTIONS, weights), powered)[0, 1]
    assert predicted == pytest.approx(measured, abs=1e-10)
