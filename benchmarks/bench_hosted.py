"""How long does a hosted model take for a round of 6,000 x 800, sandbox included, beside its library alone?

PYTHONPATH=platform:. python benchmarks/bench_hosted.py
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import time
from itertools import pairwise

import lightgbm
import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper

from tournament.hosted.formats import recognise
from workers.sandbox.forking import fork_server_of
from workers.sandbox.runner import of_rounds, run
from workers.sandbox.verdict import try_to_escape

ROWS, FEATURES, REPEATS, LIMIT = 6_000, 800, 5, 2.0
NAMES = tuple(f"feature_{place}" for place in range(FEATURES))


def seconds(deed):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        deed()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def trees(features, target, count=500, leaves=31):
    options = {"num_leaves": leaves, "learning_rate": 0.05, "verbose": -1, "num_threads": 1, "max_bin": 5}
    return lightgbm.train(options, lightgbm.Dataset(features, target), count)


def layers(rng, widths=(FEATURES, 256, 64, 1)):
    return [(rng.normal(size=(a, b)) / a**0.5, rng.normal(size=b)) for a, b in pairwise(widths)]


def as_onnx(weights):
    nodes, held, last = [], [], "x"
    for place, (weight, bias) in enumerate(weights):
        held += [numpy_helper.from_array(v.astype(np.float32), f"{n}{place}") for n, v in (("w", weight), ("b", bias))]
        end = place == len(weights) - 1
        nodes.append(helper.make_node("Gemm", [last, f"w{place}", f"b{place}"], ["y" if end else f"h{place}"]))
        nodes += [] if end else [helper.make_node("Relu", [f"h{place}"], [f"r{place}"])]
        last = f"r{place}"
    width = weights[0][0].shape[0]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", w]) for n, w in (("x", width), ("y", 1))]
    graph = helper.make_graph(nodes, "mlp", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnx.ModelProto.SerializeToString(model)


def as_safetensors(weights):
    tensors = {}
    for place, (weight, bias) in enumerate(weights):
        tensors |= {f"layers.{place}.weight": np.ascontiguousarray(weight.T, np.float32)}
        tensors |= {f"layers.{place}.bias": bias.astype(np.float32)}
    config = {"architecture": "mlp", "features": FEATURES}
    return safetensors.numpy.save(tensors, metadata={"regatta": json.dumps(config)})


def small(rng):
    """A round of the demonstration's size, where loading the library is most of a fresh run."""
    features = rng.integers(0, 5, (2_000, 60)).astype(np.float32)
    work = of_rounds(features[:150], [f"Column_{place}" for place in range(60)])
    booster = trees(features, features[:, 0] + rng.normal(size=2_000), 120, 15).model_to_string().encode()
    models = {"LightGBM, 120 trees": booster, "ONNX, 60-16-8-1": as_onnx(layers(rng, (60, 16, 8, 1)))}
    print("150 rows x 60 features")
    for name, data in models.items():
        start = fork_server_of(recognise(data)).start
        run(data, work, start=start)
        forked = seconds(lambda data=data, start=start: run(data, work, start=start))
        print(f"{name:34} {'':9} {seconds(lambda data=data: run(data, work)):9.3f} {forked:9.3f}")


def main():
    rng = np.random.default_rng(0)
    features = rng.integers(0, 5, (ROWS, FEATURES)).astype(np.float32)
    target = features[:, 0] * features[:, 1] + rng.normal(size=ROWS)
    booster, weights = trees(features, target), layers(rng)
    session = onnxruntime.InferenceSession(as_onnx(weights), providers=["CPUExecutionProvider"])
    work = of_rounds(features, NAMES)

    print(f"{ROWS:,} rows x {FEATURES} features, one core; seconds, median of {REPEATS}")
    print(f"{'model':34} {'library':>9} {'fresh':>9} {'forked':>9}   largest difference")
    native = {
        "LightGBM, 500 trees": (booster.model_to_string().encode(), lambda: booster.predict(features, num_threads=1)),
        "ONNX, 800-256-64-1": (as_onnx(weights), lambda: session.run(None, {"x": features})[0][:, 0]),
        "safetensors, the same network": (as_safetensors(weights), lambda: session.run(None, {"x": features})[0][:, 0]),
    }
    for name, (data, alone) in native.items():
        apart = np.abs(run(data, work).values - alone()).max()
        took = seconds(lambda data=data: run(data, work))
        start = fork_server_of(recognise(data)).start
        run(data, work, start=start)  # the library is loaded
        forked = seconds(lambda data=data, start=start: run(data, work, start=start))
        size = f"({len(data) / 1e6:.1f} MB)"
        print(f"{name:34} {seconds(alone):9.3f} {took:9.3f} {forked:9.3f}   {apart:.1e}  {size}")
        if took > LIMIT:
            raise SystemExit(f"{name} takes {took:.2f} s, the limit is {LIMIT} s")
    small(rng)
    print(f"a worker's attempts to escape at its start: {seconds(try_to_escape):.2f} s")


if __name__ == "__main__":
    main()
