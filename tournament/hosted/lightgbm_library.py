"""LightGBM by its C interface: its Python package takes a second and 200 MB to load, the library none of them.

Source: LightGBM 4.7, include/LightGBM/c_api.h.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault

FLOAT32, NORMAL, ROW_MAJOR = 0, 0, 1
ONE_THREAD = b"num_threads=1 verbosity=-1"


class Library:
    """A booster made of a model's text, which must have been checked before."""

    def __init__(self, text: bytes) -> None:
        self._handle, iterations = ctypes.c_void_p(), ctypes.c_int()
        _refuse(library().LGBM_BoosterLoadModelFromString(text, ctypes.byref(iterations), ctypes.byref(self._handle)))

    def __del__(self) -> None:
        library().LGBM_BoosterFree(self._handle)

    def predict(self, features_NW: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predictions of the rows (N), as the objective shapes them. Raises BadModel when LightGBM refuses."""
        rows = np.ascontiguousarray(features_NW, dtype=np.float32)
        values, count = np.zeros(len(rows)), ctypes.c_int64()
        _refuse(
            library().LGBM_BoosterPredictForMat(
                self._handle, rows.ctypes.data_as(ctypes.c_void_p), FLOAT32, ctypes.c_int32(rows.shape[0]),
                ctypes.c_int32(rows.shape[1]), ROW_MAJOR, NORMAL, 0, -1, ONE_THREAD, ctypes.byref(count),
                values.ctypes.data_as(ctypes.c_void_p),
            )
        )  # fmt: skip
        return values


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The shared library of the installed package."""
    spec = find_spec("lightgbm")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("lightgbm is not installed")
    found = ctypes.CDLL(str(Path(spec.submodule_search_locations[0]) / "lib" / "lib_lightgbm.so"))
    found.LGBM_GetLastError.restype = ctypes.c_char_p
    return found


def _refuse(code: int) -> None:
    if code:
        said = library().LGBM_GetLastError().decode(errors="replace")[:200]
        raise BadModel(Fault("lightgbm", f"LightGBM refuses the model: {said}"))
