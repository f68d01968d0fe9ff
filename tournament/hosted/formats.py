"""Which format a model file has: told by its bytes, never by its name. What is not taken is named, with the way out."""

from __future__ import annotations

from enum import StrEnum

from tournament.errors import BadModel, Fault

MAX_BYTES = 32_000_000
HEADER_BYTES = 1_000_000
"""The longest safetensors header that is read."""
ONNX_VERSIONS = range(3, 14)
"""Versions of ONNX's file format; its first two bytes are the tag of that field and the version."""


class Format(StrEnum):
    """The formats that are taken."""

    LIGHTGBM = "lightgbm"
    ONNX = "onnx"
    SAFETENSORS = "safetensors"
    SKOPS = "skops"


CONVERT = "`regatta convert {} --out {}` of the client kit makes one that is taken"
TO_ONNX = "convert it to ONNX on your machine, with skl2onnx.to_onnx, torch.onnx.export or another converter"
TO_SAVE = f"{CONVERT.format('model.joblib', 'model.onnx')} of a model of scikit-learn, LightGBM or XGBoost"
FROM_TORCH = f"{CONVERT.format('module.pt', 'module.onnx')} of a whole module, as torch.onnx.export does"
FROM_XGBOOST = CONVERT.format("model.json", "model.onnx")
TO_UNPACK = "send the model itself, not packed"
TO_MODEL = "send LightGBM text, ONNX, safetensors or skops"
FOREIGN = (
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "a torch checkpoint, which is a pickle and may run code", FROM_TORCH),
    (b"\x80", "a pickle, which may run any code when it is read", TO_SAVE),
    (b"x\x9c", "zlib-packed, as joblib's pickles are", TO_SAVE),
    (b"x\x01", "zlib-packed, as joblib's pickles are", TO_SAVE),
    (b"x\xda", "zlib-packed, as joblib's pickles are", TO_SAVE),
    (b"\x1f\x8b", "packed by gzip", TO_UNPACK),
    (b"BZh", "packed by bzip2", TO_UNPACK),
    (b"\xfd7zXZ", "packed by xz", TO_UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed by zstandard", TO_UNPACK),
    (b"\x04\x22\x4d\x18", "packed by lz4", TO_UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", TO_UNPACK),
    (b"Rar!", "a RAR archive", TO_UNPACK),
    (b"\x89HDF", "HDF5, as Keras writes it", TO_ONNX),
    (b"CBM1", "CatBoost's binary format", "export it: model.save_model(path, format='onnx')"),
    (b"binf", "XGBoost's old binary format", f"save it by save_model('model.json'); {FROM_XGBOOST}"),
    (b"GGUF", "GGUF, a format of language models", TO_MODEL),
    (b"PAR1", "Parquet, a table and no model", "predictions are sent on the page Submit"),
    (b"\x93NUMPY", "a numpy array and no model", TO_MODEL),
    (b"\x7fELF", "a program", TO_MODEL),
    (b"MZ", "a program", TO_MODEL),
    (b"#!", "a script", TO_MODEL),
    (b"<?xml", "XML, perhaps PMML", TO_ONNX),
    (b"RDX", "R data", TO_ONNX),
    (b"%PDF", "a PDF document", TO_MODEL),
)
ZIPPED = (
    (b"/code/", "TorchScript, which is code", FROM_TORCH),
    (b"constants.pkl", "TorchScript, which is code", FROM_TORCH),
    (b"models/model.json", "an exported torch program (.pt2), whose reader runs what is in it", FROM_TORCH),
    (b"archive_format", "an exported torch program (.pt2), whose reader runs what is in it", FROM_TORCH),
    (b"serialized_exported_program", "an exported torch program (.pt2), whose reader runs what is in it", FROM_TORCH),
    (b"data.pkl", "a torch checkpoint, which is a pickle and may run code", FROM_TORCH),
    (b"model.weights.h5", "a Keras archive", TO_ONNX),
    (b".pkl", "a ZIP archive with a pickle", TO_SAVE),
    (b".npy", "numpy's .npz", TO_MODEL),
)


def recognise(data: bytes) -> Format:
    """The format that the bytes have. Raises BadModel that names what they are instead, and how to convert them."""
    if not data:
        raise BadModel(Fault("empty_file", "the file is empty", TO_MODEL))
    if len(data) > MAX_BYTES:
        raise BadModel(too_large(len(data)))
    if data.startswith((b"tree\n", b"tree\r\n")):
        return Format.LIGHTGBM
    if data.startswith(b"PK\x03\x04"):
        return _zipped(data)
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= HEADER_BYTES:
        return Format.SAFETENSORS
    if data[0] == 0x08 and len(data) > 1 and data[1] in ONNX_VERSIONS:
        return Format.ONNX
    raise BadModel(_foreign(data))


def too_large(size: int) -> Fault:
    """That a file has more bytes than are taken."""
    message = f"the file has {size:,} bytes, the limit is {MAX_BYTES:,}"
    return Fault("too_large", message, "send fewer trees or smaller layers")


def _zipped(data: bytes) -> Format:
    if b"schema.json" in data:
        return Format.SKOPS
    for mark, kind, hint in ZIPPED:
        if mark in data:
            raise BadModel(_refusal(kind, hint))
    raise BadModel(_refusal("a ZIP archive", TO_UNPACK))


def _foreign(data: bytes) -> Fault:
    for start, kind, hint in FOREIGN:
        if data.startswith(start):
            return _refusal(kind, hint)
    if data[4:8] == b"TFL3":
        return _refusal("TensorFlow Lite", TO_ONNX)
    if data.lstrip()[:1] == b"{":
        return _json(data)
    if data[:1] in b"(c]}" and data.rstrip().endswith(b"."):
        return _refusal("a pickle of the old kind, which may run any code when it is read", TO_SAVE)
    return _refusal("of no known kind", TO_MODEL)


def _json(data: bytes) -> Fault:
    start = data[:4096]
    if b"learner" in start:
        return _refusal("an XGBoost model", FROM_XGBOOST)
    if b"tree_info" in data:
        return _refusal("LightGBM's JSON dump", "send its text: booster.save_model(path)")
    return _refusal("JSON and no model", TO_MODEL)


def _refusal(kind: str, hint: str) -> Fault:
    return Fault("wrong_format", f"the file is {kind}", hint)
