"""Files of every other kind: many run code when they are read, none is read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch

from tests.hosting import files


class Payload:
    """Unpickled, it makes a file: the mark of code that was run."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.mark,))


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in names:
            packed.writestr(name, b"content")
    return buffer.getvalue()


def saved(module: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(module, buffer)
    return buffer.getvalue()


def cases(mark: Path) -> dict[str, tuple[bytes, str]]:
    """File and what the refusal says of it, by name; whatever is unpickled touches `mark`."""
    evil = Payload(mark)
    array = io.BytesIO()
    np.savez(array, a=np.zeros(2))
    dump = json.dumps(files.booster(*files.drawn()).dump_model()).encode()
    return {
        **{f"pickle of protocol {k}": (pickle.dumps(evil, protocol=k), "a pickle") for k in range(6)},
        "pickle packed by zlib": (zlib.compress(pickle.dumps(evil)), "zlib-packed, as joblib's pickles are"),
        "pickle packed by gzip": (gzip.compress(pickle.dumps(evil)), "packed by gzip"),
        "pickle packed by bzip2": (bz2.compress(pickle.dumps(evil)), "packed by bzip2"),
        "pickle packed by xz": (lzma.compress(pickle.dumps(evil)), "packed by xz"),
        "torch checkpoint": (saved({"w": torch.zeros(2), "x": evil}), "a torch checkpoint"),
        "torch checkpoint of old": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a torch checkpoint"),
        "TorchScript": (zipped("m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"), "TorchScript"),
        "pt2": (zipped("m/archive_format", "m/models/model.json", "m/data.pkl"), "an exported torch program"),
        "Keras": (zipped("config.json", "model.weights.h5"), "a Keras archive"),
        "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        "npz": (array.getvalue(), "numpy's .npz"),
        "npy": (b"\x93NUMPY\x01\x00" + bytes(100), "a numpy array"),
        "archive": (zipped("readme.txt"), "a ZIP archive"),
        "archive with a pickle": (zipped("model.pkl"), "a ZIP archive with a pickle"),
        "XGBoost JSON": (b'{"learner": {"attributes": {}}, "version": [3, 0, 2]}', "an XGBoost model"),
        "XGBoost binary JSON": (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", "an XGBoost model"),
        "LightGBM JSON": (dump, "LightGBM's JSON dump"),
        "CatBoost": (b"CBM1" + bytes(100), "CatBoost"),
        "TensorFlow Lite": (b"\x1c\x00\x00\x00TFL3" + bytes(100), "TensorFlow Lite"),
        "PMML": (b"<?xml version='1.0'?><PMML/>", "XML"),
        "program": (b"\x7fELF" + bytes(100), "a program"),
        "script": (b"#!/bin/sh\nrm -rf /\n", "a script"),
        "Parquet": (b"PAR1" + bytes(100), "Parquet"),
        "predictions": (b"id,prediction\na,0.5\n", "of no known kind"),
        "text": (b"def predict(x): return x\n", "of no known kind"),
        "zeros": (bytes(1000), "of no known kind"),
        "nothing": (b"", "empty"),
        "too much": (b"tree\n" + bytes(32_000_000), "the limit is 32,000,000"),
    }
