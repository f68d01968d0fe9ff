"""torch: a module of one input and one output, traced to ONNX."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

import numpy as np

from regatta_client.conversion.made import Made
from regatta_client.conversion.packages import need
from regatta_client.conversion.trees import OPSET
from tournament.errors import BadInput, BadModel, Fault
from tournament.hosted.formats import Format


def from_torch(model: Any, width: int | None) -> Made:
    """A module; where its first weights do not tell, `width` says how many features it reads. Raises BadModel."""
    torch = need("torch", package="torch", why="converting a torch module")
    need("onnx", package="onnx", why="exporting from torch")
    model, width = model.eval(), width or _width(model)
    axes = {"x": {0: "n"}, "y": {0: "n"}}
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        try:
            torch.onnx.export(
                model, (torch.zeros(2, width),), buffer, dynamo=False, input_names=["x"], output_names=["y"],
                dynamic_axes=axes, opset_version=OPSET,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - its errors have no common class; the model is the reason
            said = (str(error).splitlines() or [type(error).__name__])[0][:300]
            raise BadModel(Fault("torch", f"torch cannot export the module: {said}", "see torch.onnx.export")) from None

    def native(rows: Any) -> Any:
        with torch.no_grad():
            return np.ravel(model(torch.as_tensor(rows)).numpy())

    return Made(buffer.getvalue(), Format.ONNX, width, native, ())


def _width(model: Any) -> int:
    """Features that the first weights read."""
    first = next(iter(model.parameters()), None)
    if first is None or first.dim() != 2:
        raise BadInput(Fault("no_width", "it cannot be seen how many features the module reads", "say it: --width N"))
    return int(first.shape[1])
