"""Network: all-MiniLM-L6-v2 spelled out for OpenVINO, with the heads that Prepshelf trained on top of it.

In float32, or with the products of its linear layers in 8-bit integers ("SmoothQuant", Xiao et al. 2023).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from index import DIMENSION

# `import openvino` would bring its model converter, which brings a library that reports usage over the network.
sys.modules.setdefault("openvino.tools.ovc", cast(Any, None))
import openvino as ov  # noqa: E402  # the line above comes first
from openvino import opset13 as op  # noqa: E402

Array = npt.NDArray[np.float32]
Ranges = Mapping[str, tuple[Array, Array]]
"""The lowest and highest value of each channel of linear layers' inputs, by the layer's name."""

HEADS, HEAD_SIZE, LAYERS = 12, 32, 6
EPSILON = 1e-12
MASKED = -1e4  # exp() of it is 0 in float32 and in bfloat16
SMOOTHING = 0.8  # how much of an outlier moves from the input to the weights; 0.5 to 0.9 were tried


@dataclass
class Network:
    """Builds the graph.

    Its inputs are `ids` (texts, pieces), `mask` (texts, pieces) with 1 for a piece and 0 for padding, and, if it reads
    pairs, `types` (texts, pieces) with 1 for a piece of the second text. Its outputs are the last layer's state of
    every piece, (texts, pieces, 384), and what the heads make of it, (texts, pieces, heads), if there are any.
    """

    weights: Mapping[str, Array]
    ranges: Ranges = field(default_factory=dict)  # layers named here compute in 8-bit integers
    paired: bool = False
    inputs: dict[str, Any] = field(default_factory=dict)  # each linear layer's input node, for measuring

    def model(self) -> Any:  # noqa: ANN401  # OpenVINO's
        """Return the whole network."""
        ids, mask = op.parameter([-1, -1], np.int32, "ids"), op.parameter([-1, -1], np.float32, "mask")
        length = op.gather(op.shape_of(ids), _ints(1), _ints(0))
        kinds = self.weights["embeddings.token_type_embeddings.weight"]
        places = self.weights["embeddings.position_embeddings.weight"] + (0 if self.paired else kinds[0])
        x = op.add(
            op.gather(_floats(self.weights["embeddings.word_embeddings.weight"]), ids, _ints(0)),
            op.slice(_floats(places), _ints([0]), op.unsqueeze(length, _ints(0)), _ints([1]), _ints([0])),
        )
        given = [ids, mask]
        if self.paired:
            given.append(op.parameter([-1, -1], np.int32, "types"))
            x = op.add(x, op.gather(_floats(kinds), given[2], _ints(0)))
        x = self._norm(x, "embeddings.LayerNorm")
        hidden = op.multiply(op.subtract(_floats(1), op.unsqueeze(mask, _ints([1, 2]))), _floats(MASKED))
        for layer in range(LAYERS):
            x = self._layer(x, hidden, f"encoder.layer.{layer}.")
        if "heads.weight" not in self.weights:
            return ov.Model([x], given)
        heads = op.matmul(x, _floats(self.weights["heads.weight"]), False, True)
        return ov.Model([x, op.add(heads, _floats(self.weights["heads.bias"]))], given)

    def _layer(self, x: Any, hidden: Any, name: str) -> Any:  # noqa: ANN401
        query, key, value = (name + f"attention.self.{part}" for part in ("query", "key", "value"))
        three = self._linear(x, query, key, value)
        parts = op.transpose(op.reshape(three, _ints([0, 0, 3, HEADS, HEAD_SIZE]), True), _ints([2, 0, 3, 1, 4]))
        q, k, v = (op.squeeze(part, _ints([0])) for part in op.split(parts, _ints(0), 3).outputs())
        # The scale is on the query: with it, and the plain chain below, OpenVINO fuses attention.
        scores = op.matmul(op.multiply(q, _floats(HEAD_SIZE**-0.5)), k, False, True)
        mixed = op.matmul(op.softmax(op.add(scores, hidden), -1), v, False, False)
        joined = op.reshape(op.transpose(mixed, _ints([0, 2, 1, 3])), _ints([0, 0, DIMENSION]), True)
        attended = self._linear(joined, name + "attention.output.dense")
        x = self._norm(op.add(attended, x), name + "attention.output.LayerNorm")
        wide = op.gelu(self._linear(x, name + "intermediate.dense"), "erf")
        return self._norm(op.add(self._linear(wide, name + "output.dense"), x), name + "output.LayerNorm")

    def _norm(self, x: Any, name: str) -> Any:  # noqa: ANN401
        x = op.mvn(x, _ints([-1]), True, EPSILON, "inside_sqrt")
        return op.add(op.multiply(x, _floats(self.weights[f"{name}.weight"])), _floats(self.weights[f"{name}.bias"]))

    def _linear(self, x: Any, *names: str) -> Any:  # noqa: ANN401
        """Return the layers' outputs side by side: one product is quicker than three."""
        weight = np.concatenate([self.weights[f"{name}.weight"] for name in names])
        bias = np.concatenate([self.weights[f"{name}.bias"] for name in names])
        self.inputs[names[0]] = x
        if names[0] in self.ranges:
            product = _product_in_8_bits(x, weight, *self.ranges[names[0]])
        else:
            product = op.matmul(x, _floats(weight), False, True)
        return op.add(product, _floats(bias))


def _product_in_8_bits(x: Any, weight: Array, low: Array, high: Array) -> Any:  # noqa: ANN401
    """Return x @ weight.T with both sides as 8-bit integers.

    Channels with outliers are scaled down in x and up in the weight first, so that one scale does for all of x; the
    weight has one a row.
    """
    smooth = np.maximum(high, -low) ** SMOOTHING / np.abs(weight).max(axis=0) ** (1 - SMOOTHING)
    bottom, top = float((low / smooth).min()), float((high / smooth).max())
    step = (top - bottom) / 255
    bottom = round(bottom / step) * step  # zero must be one of the 256 levels
    edges = _floats(bottom), _floats(bottom + 255 * step)
    x = op.fake_quantize(op.multiply(x, _floats(1 / smooth)), *edges, *edges, 256)
    scale = np.abs(weight * smooth).max(axis=1, keepdims=True) / 127
    levels = op.constant(np.round(weight * smooth / scale).astype(np.int8))
    return op.matmul(x, op.multiply(op.convert(levels, "f32"), _floats(scale)), False, True)


def measure(
    weights: Mapping[str, Array], batches: Iterable[Sequence[npt.NDArray[Any]]], *, paired: bool = False
) -> Ranges:
    """Return the range of each linear layer's input over some batches, of all but the feed-forward's second.

    That one takes GELU's output, whose few large values 8 bits cannot hold: quantised too, it costs as much agreement
    as all the others together.
    """
    network = Network(weights, paired=paired)
    whole = network.model()
    nodes = {name: x for name, x in network.inputs.items() if "attention" in name or "intermediate" in name}
    ends = [end(x, _ints([0, 1])) for x in nodes.values() for end in (op.reduce_min, op.reduce_max)]
    probe = ov.Core().compile_model(ov.Model(ends, whole.get_parameters()), "CPU", settings(exact=True))
    seen = [list(probe(list(batch)).values()) for batch in batches]
    return {
        name: (np.min([s[2 * i] for s in seen], axis=0), np.max([s[2 * i + 1] for s in seen], axis=0))
        for i, name in enumerate(nodes)
    }


def settings(*, exact: bool) -> dict[str, Any]:
    """Return how OpenVINO is to compute what is not int8: in float32, or bfloat16 where the processor has it."""
    # One stream of all cores: as quick as two of one each, and quicker for one question.
    return {"EXECUTION_MODE_HINT": "ACCURACY" if exact else "PERFORMANCE", "PERFORMANCE_HINT": "LATENCY"}


def machine() -> str:
    """Return what a compiled network depends on: OpenVINO's version and the processor."""
    core = ov.Core()
    abilities = ",".join(sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")))
    return f"{ov.get_version()} {core.get_property('CPU', 'FULL_DEVICE_NAME')} {abilities}"


class Compiled:
    """A network ready to run on the CPU. Threads may share it: it computes a batch at a time."""

    def __init__(self, network: Network, *, exact: bool) -> None:
        self._request = ov.Core().compile_model(network.model(), "CPU", settings(exact=exact)).create_infer_request()
        self._heads = "heads.weight" in network.weights
        self._lock = threading.Lock()

    @contextmanager
    def run(self, *given: npt.NDArray[Any]) -> Iterator[tuple[Array, Array]]:
        """Give the states and what the heads make of them for ids, mask and types; they last as long as the block."""
        with self._lock:
            self._request.infer(list(given), share_inputs=True)
            states = self._request.get_output_tensor(0).data
            yield states, self._request.get_output_tensor(1).data if self._heads else states[:, :, :0]


def _floats(values: Any) -> Any:  # noqa: ANN401
    return op.constant(np.require(values, np.float32, ["C", "W"]), shared_memory=True)


def _ints(values: Any) -> Any:  # noqa: ANN401
    return op.constant(np.asarray(values, np.int64))
