"""Call every public method of the numerapi that is installed here; the site's address is all that is set.

Runs alone, in whatever environment has a numerapi: `python driver.py '{"url": ..., "public_id": ..., ...}'`.
Prints one line of JSON: the version, and by `Class.method` what it answered or the words of its error.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import logging
import os
import pickle
import sys
import time
from pathlib import Path

import numerapi
import numerapi.base_api
import pandas as pd

given = json.loads(sys.argv[1])
numerapi.base_api.API_TOURNAMENT_URL = given["url"]
logging.disable(logging.CRITICAL)

TREES = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=0
objective=regression
feature_names=momentum_12_1
feature_infos=[0:4]
tree_sizes=300

Tree=0
num_leaves=3
num_cat=0
split_feature=0 0
threshold=1.5 2.5
decision_type=2 2
left_child=-1 -2
right_child=1 -3
leaf_value=-0.5 0.1 0.5
is_linear=0
shrinkage=1


end of trees
"""
FIELDS = "submissions(modelId: $model) { id status selected faults triggerId }"


class Hand:
    """One API of the client with what its calls need."""

    def __init__(self, kind):
        self.api = kind(given["public_id"], given["secret"], verbosity="ERROR", show_progress_bars=False)
        self.name, self.model = next(iter(self.api.get_models().items()))
        self.before = self.api.submission_ids(self.model)
        self.live = next(path for path in self.api.list_datasets() if path.startswith("v1.0/live_"))

    def predictions(self):
        live = pd.read_parquet(self.api.download_dataset(self.live, f"{self.name}-live.parquet"))
        return pd.DataFrame({"id": live["id"], "prediction": live["momentum_12_1"].rank(method="first") / 100})

    def validation(self):
        frame = pd.read_parquet(self.api.download_dataset("v1.0/validation.parquet", f"{self.name}-val.parquet"))
        ranks = frame.groupby("era")["momentum_12_1"].rank(method="first", pct=True) * 0.9
        return pd.DataFrame({"id": frame["id"], "prediction": ranks})

    def diagnosed(self):
        deadline = time.monotonic() + 30
        while True:
            found = self.api.diagnostics(self.model)
            if found["status"] != "pending" or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

    def uploaded(self):
        os.environ["TRIGGER_ID"] = f"node of {self.name}"  # as a webhook's receiver sets it for what it starts
        pk = self.api.upload_predictions(df=self.predictions(), model_id=self.model)
        del os.environ["TRIGGER_ID"]
        answer = self.api.raw_query("query($model: String) {" + FIELDS + "}", {"model": self.model}, True)
        return {"id": pk, "newest": answer["data"]["submissions"][0]}

    def filtered(self):
        path = f"{self.name}-part.parquet"
        self.api.download_dataset("v1.0/train.parquet", path, filters=[("era", "=", "0002")])
        return sorted(set(pd.read_parquet(path)["era"]))

    def downloaded(self):
        """Whole, then resumed from its first thousand bytes."""
        whole = Path(self.api.download_dataset(self.live, f"{self.name}-whole.parquet")).read_bytes()
        Path(f"{self.name}-half.parquet.temp").write_bytes(whole[:1000])
        half = Path(self.api.download_dataset(self.live, f"{self.name}-half.parquet")).read_bytes()
        return {"bytes": len(whole), "same": whole == half, "eras": self.filtered()}

    def fetched(self):
        """Back as it went."""
        back = pd.read_csv(self.api.download_submission(model_id=self.model, dest_path=f"{self.name}-back.csv"))
        return back.equals(self.predictions())

    def kept_folder(self):
        self.api.set_global_data_dir("kept")
        path = self.api.download_dataset("v1.0/features.json", "f.json")
        self.api.set_global_data_dir(".")
        return path

    def model_file(self):
        """Trees in LightGBM's text, and a pickle, which comes back with its reason."""
        Path("model.txt").write_text(TREES)
        Path("model.pkl").write_bytes(pickle.dumps({"weights": [0.5]}))
        options = {"model_id": self.model, "data_version": "v1.0", "docker_image": "sandbox"}
        try:
            self.api.model_upload("model.pkl", model_id=self.model)
        except ValueError as refused:
            return {"id": self.api.model_upload("model.txt", **options), "pickle": str(refused)}
        return None

    def scored(self):
        return self.api.submission_scores(self.model, display_name="corr", resolved=True, distinct_on_round=True)


CALLS = {
    "check_new_round": lambda hand: hand.api.check_new_round(),
    "check_round_open": lambda hand: hand.api.check_round_open(),
    "daily_model_performances": lambda hand: hand.api.daily_model_performances(hand.name),
    "upload_diagnostics": lambda hand: hand.api.upload_diagnostics(df=hand.validation(), model_id=hand.model),
    "diagnostics": lambda hand: hand.diagnosed(),
    "download_dataset": lambda hand: hand.downloaded(),
    "upload_predictions": lambda hand: hand.uploaded(),
    "download_submission": lambda hand: hand.fetched(),
    "get_account": lambda hand: hand.api.get_account(),
    "get_account_leaderboard": lambda hand: hand.api.get_account_leaderboard(),
    "get_competitions": lambda hand: hand.api.get_competitions(),
    "get_current_round": lambda hand: hand.api.get_current_round(),
    "get_leaderboard": lambda hand: hand.api.get_leaderboard(),
    "get_models": lambda hand: hand.api.get_models(),
    "get_submission_filenames": lambda hand: hand.api.get_submission_filenames(model_id=hand.model),
    "intra_round_scores": lambda hand: hand.api.intra_round_scores(hand.model),
    "list_datasets": lambda hand: hand.api.list_datasets(),
    "list_rounds": lambda hand: hand.api.list_rounds(status="resolved", limit=2),
    "model_upload": lambda hand: hand.model_file(),
    "model_upload_data_versions": lambda hand: hand.api.model_upload_data_versions(),
    "model_upload_docker_images": lambda hand: hand.api.model_upload_docker_images(),
    "modelid_to_modelname": lambda hand: hand.api.modelid_to_modelname(hand.model),
    "models_of_account": lambda hand: hand.api.models_of_account("ada"),
    "pending_model_payouts": lambda hand: hand.api.pending_model_payouts(),
    "pipeline_status": lambda hand: hand.api.pipeline_status(given["day"]),
    "public_user_profile": lambda hand: hand.api.public_user_profile(hand.name),
    "raw_query": lambda hand: hand.api.raw_query("{ account { username } }", authorization=True),
    "round_model_performances": lambda hand: hand.api.round_model_performances(hand.model),
    "round_model_performances_v2": lambda hand: hand.api.round_model_performances_v2(hand.model),
    "set_bio": lambda hand: hand.api.set_bio(hand.model, "Sails with the wind."),
    "set_global_data_dir": lambda hand: hand.kept_folder(),
    "set_link": lambda hand: hand.api.set_link(hand.model, "my page", "https://example.org/ada"),
    "set_submission_webhook": lambda hand: hand.api.set_submission_webhook(hand.model, None),
    "stake_change": lambda hand: hand.api.stake_change("1.5", "increase", hand.model),
    "stake_increase": lambda hand: hand.api.stake_increase(2, hand.model),
    "stake_decrease": lambda hand: hand.api.stake_decrease(0.5, hand.model),
    "stake_get": lambda hand: hand.api.stake_get(hand.name),
    "stake_set": lambda hand: hand.api.stake_set(110, hand.model),
    "stake_drain": lambda hand: hand.api.stake_drain(hand.model),
    "submission_ids": lambda hand: hand.api.submission_ids(hand.model),
    "submission_scores": lambda hand: hand.scored(),
    "ticker_universe": lambda hand: hand.api.ticker_universe(),
    "v3_stake_auth": lambda hand: hand.api.v3_stake_auth(hand.before[0]["id"], "0x0", amount=1),
    "v3_stake_claim": lambda hand: hand.api.v3_stake_claim(1, hand.model, "0x0"),
    "v3_stake_config": lambda hand: hand.api.v3_stake_config(),
    "v3_stake_round": lambda hand: hand.api.v3_stake_round(1),
    "wallet_transactions": lambda hand: hand.api.wallet_transactions(),
}
"""In the order in which they are made: stakes move and files come only after they were asked for."""


def public_methods(kind):
    """Found by looking, so that none is forgotten."""
    return [name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")]


def call(hand, name):
    try:
        return {"value": CALLS[name](hand)}
    except Exception as error:  # noqa: BLE001
        return {"error": f"{type(error).__name__}: {error}"}


answers = {"version": importlib.metadata.version("numerapi"), "lies_in": numerapi.__file__}
for kind in (numerapi.NumerAPI, numerapi.SignalsAPI, numerapi.CryptoAPI):
    hand = Hand(kind)
    methods = public_methods(kind)
    for name in sorted(methods, key=list(CALLS).index):
        answers[f"{kind.__name__}.{name}"] = call(hand, name)
sys.stdout.write(json.dumps(answers, default=str) + "\n")
