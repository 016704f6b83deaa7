"""What a Whisper model costs, from its dimensions alone: arithmetic, memory traffic, memory. Pure.

The time of a final is modelled as in a roofline: the encoder (and the keys and values that the
decoder makes of its output once) is bound by arithmetic, each step of the decoder by reading its
weights from memory. Two figures of a machine turn that into seconds: useful FLOP/s and bytes/s.
A model that was measured scales them, so that what matters is the ratio between two models.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, BinaryIO

from msgspec import Meta, Struct

POSITIONS_PER_SECOND = 50
FULL_POSITIONS = 1_500
FINAL_SECONDS = 6.0
"""Length of the utterance that stands for all: a sentence."""
PARTIAL_MARGIN_SECONDS = 2.56
TOKENS_PER_SECOND = 4.0
"""Fast speech is about 3 words a second, 1.3 tokens each."""

_PROCESS_BYTES = 190e6  # the interpreter, CTranslate2, PyAV and the tokenizer, measured
_STORED_BYTES = 2  # of a weight in a model file (float16), held while it is converted
_FIXED_FLOPS = 6e9  # features, the wire, word times in Python: as long as this much arithmetic
_STEP_BYTES = 25e6  # the same for each step: probabilities of all tokens, the search, calls
_TAIL_TOKENS = 6  # a partial decodes only what follows the agreed words


class Dimensions(Struct, frozen=True, kw_only=True):
    """The public figures of a Whisper architecture."""

    encoder_layers: int
    decoder_layers: int
    width: int
    vocabulary: int
    mels: int = 80

    @property
    def heads(self) -> int:
        """Attention heads: 64 wide in every Whisper model."""
        return max(1, self.width // 64)

    @property
    def parameters(self) -> int:
        """Weights, without the small biases and norms."""
        d = self.width
        convolutions = 3 * self.mels * d + 3 * d * d
        positions = (FULL_POSITIONS + 448) * d
        layers = 12 * self.encoder_layers + 16 * self.decoder_layers
        return layers * d * d + self.vocabulary * d + convolutions + positions


class MachineSpeed(Struct, frozen=True, kw_only=True):
    """Useful arithmetic and memory speed of the engine on a machine: FLOP/s and bytes/s."""

    flops: Annotated[float, Meta(gt=0)]
    bandwidth: Annotated[float, Meta(gt=0)]


class Cost(Struct, frozen=True, kw_only=True):
    """Seconds of a final of :data:`FINAL_SECONDS` of speech, seconds of a partial, bytes."""

    final_s: Annotated[float, Meta(ge=0)]
    partial_s: Annotated[float, Meta(ge=0)]
    memory_bytes: Annotated[float, Meta(ge=0)]

    @property
    def real_time_factor(self) -> float:
        """Seconds of work for a second of speech."""
        return self.final_s / FINAL_SECONDS


def encode_flops(dimensions: Dimensions, positions: int) -> float:
    """Arithmetic of the encoder over ``positions`` (20 ms each), and of the decoder's memory.

    A layer has 12 d² weights, each used once per position (a multiplication and an addition), and
    attention that compares every position with every other (Vaswani et al. 2017, section 3.2).
    """
    d = dimensions.width
    convolutions = 2 * 3 * d * (2 * dimensions.mels + d) * positions
    layer = 24 * d * d * positions + 4 * positions * positions * d
    memory = 4 * d * d * positions * dimensions.decoder_layers
    return float(convolutions + layer * dimensions.encoder_layers + memory)


def decode_bytes(dimensions: Dimensions, positions: int, *, weight_bytes: float = 1.0) -> float:
    """What one step of the decoder reads: its weights, and the keys and values of the audio.

    Of a layer's 16 d² weights, 2 d² are used only once for the memory (:func:`encode_flops`).
    CTranslate2 lets all beams share what is read, so their number hardly matters.
    """
    d = dimensions.width
    weights = 14 * d * d * dimensions.decoder_layers + d * dimensions.vocabulary
    memory = 2 * 4 * d * positions * dimensions.decoder_layers
    return float(weights * weight_bytes + memory)


def memory_bytes(dimensions: Dimensions, *, weight_bytes: float = 1.0) -> float:
    """Peak memory of an engine process: itself, the weights as stored, and the attention scores."""
    weights = dimensions.parameters * max(weight_bytes, _STORED_BYTES)
    scores = 4 * dimensions.heads * FULL_POSITIONS**2
    return _PROCESS_BYTES + weights + scores


def cost(dimensions: Dimensions, speed: MachineSpeed, *, weight_bytes: float = 1.0) -> Cost:
    """The cost of a model on a machine of that speed."""
    trimmed = round((FINAL_SECONDS + PARTIAL_MARGIN_SECONDS) * POSITIONS_PER_SECOND)
    tokens = round(FINAL_SECONDS * TOKENS_PER_SECOND)

    def seconds(positions: int, steps: int) -> float:
        arithmetic = _FIXED_FLOPS + encode_flops(dimensions, positions)
        step = _STEP_BYTES + decode_bytes(dimensions, positions, weight_bytes=weight_bytes)
        traffic = step * steps
        return arithmetic / speed.flops + traffic / speed.bandwidth

    return Cost(
        final_s=seconds(FULL_POSITIONS, tokens),
        partial_s=seconds(trimmed, _TAIL_TOKENS),
        memory_bytes=memory_bytes(dimensions, weight_bytes=weight_bytes),
    )


def scaled(
    measured: Cost, of: Dimensions, to: Dimensions, speed: MachineSpeed, *, weight_bytes: float
) -> Cost:
    """The cost of a model on the machine where another was measured: by the ratio of the two.

    ``speed`` only weighs arithmetic against memory traffic; the measurement sets the scale.
    """
    known = cost(of, speed, weight_bytes=weight_bytes)
    wanted = cost(to, speed, weight_bytes=weight_bytes)
    return Cost(
        final_s=measured.final_s * wanted.final_s / known.final_s,
        partial_s=measured.partial_s * wanted.partial_s / known.partial_s,
        memory_bytes=wanted.memory_bytes,
    )


def _sizes() -> Mapping[str, Dimensions]:
    def size(encoder: int, decoder: int, width: int, vocabulary: int, mels: int = 80) -> Dimensions:
        return Dimensions(
            encoder_layers=encoder,
            decoder_layers=decoder,
            width=width,
            vocabulary=vocabulary,
            mels=mels,
        )

    found = {}
    for name, layers, width in (
        ("tiny", 4, 384),
        ("base", 6, 512),
        ("small", 12, 768),
        ("medium", 24, 1024),
    ):
        found[name] = size(layers, layers, width, 51_865)
        found[name + ".en"] = size(layers, layers, width, 51_864)
    found["large-v1"] = found["large-v2"] = size(32, 32, 1280, 51_865)
    found["large-v3"] = found["large"] = size(32, 32, 1280, 51_866, 128)
    found["large-v3-turbo"] = found["turbo"] = size(32, 4, 1280, 51_866, 128)
    found["distil-small.en"] = size(12, 4, 768, 51_864)
    found["distil-medium.en"] = size(24, 2, 1024, 51_864)
    found["distil-large-v2"] = size(32, 2, 1280, 51_865)
    found["distil-large-v3"] = found["distil-large-v3.5"] = size(32, 2, 1280, 51_866, 128)
    return found


SIZES: Mapping[str, Dimensions] = _sizes()
"""Whisper's sizes (Radford et al. 2022, table 1; the model cards for turbo and distil-whisper)."""


def read_dimensions(folder: Path) -> Dimensions | None:
    """The dimensions of a CTranslate2 Whisper model, from the index of its ``model.bin``.

    Only names and shapes are read, not the weights. None where the file is not such a model.
    """
    try:
        with (folder / "model.bin").open("rb") as file:
            shapes = _shapes(file)
        width, mels = shapes["encoder/conv1/weight"][:2]
        return Dimensions(
            encoder_layers=_layers(shapes, "encoder/layer_"),
            decoder_layers=_layers(shapes, "decoder/layer_"),
            width=width,
            vocabulary=shapes["decoder/embeddings/weight"][0],
            mels=mels,
        )
    except (OSError, struct.error, KeyError, ValueError, UnicodeDecodeError):
        return None


def _layers(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> int:
    rests = [name.removeprefix(prefix) for name in shapes if name.startswith(prefix)]
    found = {rest.split("/")[0] for rest in rests if rest[:1].isdigit()}  # not `layer_norm`
    if not found:
        raise ValueError(f"no {prefix}")
    return len(found)


def _shapes(file: BinaryIO) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables, aliases among them (CTranslate2's binary version 6)."""

    def read(layout: str) -> tuple[int, ...]:
        size = struct.calcsize(layout)
        return struct.unpack(layout, file.read(size))

    def text() -> str:
        (length,) = read("<H")
        return file.read(length).rstrip(b"\0").decode("ascii")

    (version,) = read("<I")
    if version < 5 or text() != "WhisperSpec":
        raise ValueError("not a Whisper model of CTranslate2")
    _revision, count = read("<II")
    shapes: dict[str, tuple[int, ...]] = {}
    for _ in range(min(count, 100_000)):
        name = text()
        (rank,) = read("<B")
        shapes[name] = read(f"<{rank}I")
        _kind, stored = read("<BI")
        file.seek(stored, 1)
    (aliases,) = read("<I")
    for _ in range(min(aliases, 100_000)):
        alias = text()
        shapes[alias] = shapes[text()]
    return shapes
