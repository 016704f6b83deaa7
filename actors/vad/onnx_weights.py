"""Reads tensors out of an ONNX file: as much of the format as a known network needs.

An ONNX file is one protocol buffer, a ``ModelProto`` (https://github.com/onnx/onnx,
``onnx/onnx.proto``). On the wire a message is a row of fields: a key (field number · 8 + wire type,
as a varint), then a varint, a length and so many bytes, or 4 or 8 bytes (Protocol Buffers
documentation, "Encoding"). Packages that read all of it weigh more than the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Weights: TypeAlias = npt.NDArray[np.float32]

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_INPUT, _NODE_OPERATOR = 1, 4
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_DATA = 1, 2, 8, 9
_FLOAT32 = 1


class NotUnderstood(Exception):  # noqa: N818 - a state of the file, told on by who reads it
    """These bytes are no ONNX file, or one of a kind that is not read here."""


class OnnxFile:
    """The float32 tensors that a file stores, and what feeds its operators.

    Tensors are views of ``content``; copy what is to outlive it.

    Raises:
        NotUnderstood: it is not an ONNX file.
    """

    def __init__(self, content: bytes) -> None:
        self._tensors: dict[str, Weights] = {}
        self._inputs: dict[str, list[str]] = {}
        try:
            for number, graph in _fields(memoryview(content)):
                if number == _MODEL_GRAPH and isinstance(graph, memoryview):
                    self._read_graph(graph)
        except (IndexError, ValueError) as error:
            raise NotUnderstood(f"its bytes break off or are damaged ({error})") from error

    def tensor(self, name: str, *shape: int) -> Weights:
        """The tensor called ``name``.

        Raises:
            NotUnderstood: there is none, or it has another shape.
        """
        found = self._tensors.get(name)
        if found is None:
            raise NotUnderstood(f"it holds no tensor {name!r}")
        if found.shape != shape:
            raise NotUnderstood(f"its tensor {name!r} has the shape {found.shape}, not {shape}")
        return found

    def inputs(self, operator: str) -> list[str]:
        """What the only node of the kind ``operator`` is fed with, by name.

        Raises:
            NotUnderstood: there is no such node.
        """
        if operator not in self._inputs:
            raise NotUnderstood(f"it has no operator {operator!r}")
        return self._inputs[operator]

    def _read_graph(self, graph: memoryview) -> None:
        for number, value in _fields(graph):
            if not isinstance(value, memoryview):
                continue
            if number == _GRAPH_NODE:
                node = list(_fields(value))
                kinds = [_text(part) for field, part in node if field == _NODE_OPERATOR]
                inputs = [_text(part) for field, part in node if field == _NODE_INPUT]
                self._inputs.update(dict.fromkeys(kinds, inputs))
            elif number == _GRAPH_INITIALIZER:
                self._read_tensor(value)

    def _read_tensor(self, tensor: memoryview) -> None:
        shape: list[int] = []
        name, kind, data = "", 0, memoryview(b"")
        for number, value in _fields(tensor):
            if number == _TENSOR_SHAPE:
                shape += [value] if isinstance(value, int) else _varints(value)
            elif number == _TENSOR_TYPE and isinstance(value, int):
                kind = value
            elif number == _TENSOR_NAME:
                name = _text(value)
            elif number == _TENSOR_DATA and isinstance(value, memoryview):
                data = value
        if kind == _FLOAT32:
            self._tensors[name] = np.frombuffer(data, dtype="<f4").reshape(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire_type = key & 7
        if wire_type == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if wire_type == _BYTES:
            length, at = _varint(message, at)
        elif wire_type in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire_type == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a field of unknown wire type {wire_type}")
        if at + length > len(message):
            raise ValueError("a field is longer than what it is in")
        yield key >> 3, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at ``at``, seven bits a byte, lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def _varints(packed: memoryview) -> list[int]:
    numbers: list[int] = []
    at = 0
    while at < len(packed):
        number, at = _varint(packed, at)
        numbers.append(number)
    return numbers


def _text(value: int | memoryview) -> str:
    return str(value, "utf-8", "replace") if isinstance(value, memoryview) else ""
