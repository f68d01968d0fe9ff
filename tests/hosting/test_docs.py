"""The lines of the docs make files that are good."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import skl2onnx
import skops.io
import torch
from django.test import Client
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.hosting import files
from workers.sandbox.runner import of_rounds, run

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
NAMES = ["a", "b", "c", "d", "e"]
WRITTEN = {
    'save_model("mine.txt': "LightGBM", "torch.onnx.export": "ONNX", "skl2onnx.to_onnx": "ONNX",
    "mine.safetensors": "mlp", "mine.skops": "Ridge",
}  # fmt: skip
"""What each example is known by, and what the reader says of the file it makes."""


def known() -> dict[str, Any]:
    """What the lines take for granted."""
    rows, target = files.drawn()
    network = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    weights = {
        name.replace("2.", "layers.1.").replace("0.", "layers.0."): v for name, v in network.state_dict().items()
    }
    return {
        "json": json, "lightgbm": lightgbm, "torch": torch, "safetensors": safetensors, "skops": skops, "Ridge": Ridge,
        "make_pipeline": make_pipeline, "skl2onnx": skl2onnx,
        "RandomForestRegressor": RandomForestRegressor, "StandardScaler": StandardScaler, "network": network,
        "weights": weights,
        "features": NAMES, "options": {"verbose": -1, "num_threads": 1},
        "train": pd.DataFrame(rows, columns=NAMES).assign(target=target),
    }  # fmt: skip


@pytest.mark.parametrize("mark", WRITTEN)
def test_lines_of_the_docs_make_a_good_file(
    mark: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = client.get("/docs/hosted/").content.decode()
    lines = next(text for text in re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL) if mark in html.unescape(text))
    monkeypatch.chdir(tmp_path)

    exec(html.unescape(lines), known())

    made = next(tmp_path.iterdir()).read_bytes()
    answer = run(made, of_rounds(files.drawn()[0], NAMES))
    assert WRITTEN[mark] in answer.about
    assert np.ptp(answer.values) > 0
