"""Models handed in once as files that the platform runs each round; numerapi's `model_upload` sends them."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numerapi
import numpy as np
import requests
from lightgbm import LGBMRegressor
from sklearn.neural_network import MLPRegressor

from contributors.client import PATIENCE_SECONDS, RETRY_SECONDS, Client, Refused
from contributors.strategies import MIDDLE_BIN, Training

Pack = Callable[[Training, list[str]], bytes]
log = logging.getLogger("contributors.hosted")


@dataclass(frozen=True, slots=True)
class HostedEntry:
    """A model whose file its owner hands in before the first round: how it is made, and points at stake."""

    model: str
    owner: str
    filename: str
    pack: Pack
    stake: int = 200


def lightgbm_text(training: Training, names: list[str]) -> bytes:
    """Boosted trees on the features as they are published, in LightGBM's own text."""
    model = LGBMRegressor(
        n_estimators=80, learning_rate=0.05, num_leaves=12, min_child_samples=100, colsample_bytree=0.3,
        reg_lambda=5.0, random_state=21, n_jobs=1, verbose=-1, deterministic=True,
    )  # fmt: skip
    model.fit(_published(training), training.targets["target"], feature_name=names)
    text: str = model.booster_.model_to_string()
    return text.encode()


def onnx_network(training: Training, names: list[str]) -> bytes:
    """A small network on the same features, converted by skl2onnx; the file reads them in the order of `names`."""
    from skl2onnx import to_onnx  # takes a second to load

    network = MLPRegressor(
        hidden_layer_sizes=(16,), alpha=10.0, learning_rate_init=3e-3, max_iter=60, early_stopping=True,
        n_iter_no_change=2, random_state=22,
    )  # fmt: skip
    features = _published(training)
    network.fit(features, training.targets["target"])
    data: bytes = to_onnx(network, features[:1], target_opset=17).SerializeToString()
    return data


def _published(training: Training) -> np.ndarray:
    return (training.features + MIDDLE_BIN).astype(np.float32)


HOSTED: tuple[HostedEntry, ...] = (
    HostedEntry("autopilot", "ulla", "autopilot.txt", lightgbm_text, stake=150),
    HostedEntry("wind_vane", "ulla", "wind_vane.onnx", onnx_network, stake=150),
)


def hand_in(entry: HostedEntry, name: str, client: Client, data: bytes) -> None:
    """Send the file to the slot unless it has sailed before, trying again for a minute. Raises Refused."""
    numerapi.base_api.API_TOURNAMENT_URL = f"{client.url}/graphql/"
    api = numerapi.NumerAPI(*client.token.split("$"), verbosity="WARNING", show_progress_bars=False)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            _send(api, entry, name, data)
        except (requests.RequestException, ValueError) as error:
            if time.monotonic() > deadline:
                raise Refused(f"{name}: {error}") from None
            time.sleep(RETRY_SECONDS)
        else:
            return


def _send(api: numerapi.NumerAPI, entry: HostedEntry, name: str, data: bytes) -> None:
    models = api.raw_query("{account {models {id name tournament}}}", authorization=True)["data"]["account"]["models"]
    slot = next(one for one in models if one["name"] == name)
    if api.submission_ids(slot["id"]):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / entry.filename
        path.write_bytes(data)
        api.model_upload(str(path), tournament=slot["tournament"], model_id=slot["id"])
    log.info("%s is handed in", name)
