"""Silero in NumPy against onnxruntime running the same file, and files that are not that file."""

import time
import wave

import numpy as np
import onnxruntime
import pytest
from support.program import SPEECH

from vivavoce.actors.vad.onnx_weights import NotUnderstood, OnnxFile
from vivavoce.actors.vad.silero import FRAME, DetectorMissing, Silero, weights_path

RECORDINGS = sorted(path.name for path in SPEECH.glob("*.wav"))
SECONDS = 16_000


def recording(name: str) -> np.ndarray:
    with wave.open(str(SPEECH / name)) as source:
        return np.frombuffer(source.readframes(source.getnframes()), dtype=np.int16)


def made(name: str) -> np.ndarray:
    random = np.random.default_rng(3)
    count = 6 * SECONDS
    return {
        "silence": np.zeros(count),
        "noise": random.normal(0, 3_000, count),
        "faint noise": random.normal(0, 2, count),
        "full scale": np.where(np.arange(count) // 57 % 2, 32_767, -32_768),
        "full-scale noise": random.choice([-32_768, 32_767], count),
        "offset": np.full(count, 20_000),
    }[name].astype(np.int16)


def by_onnxruntime(pcm: np.ndarray) -> list[float]:
    session = onnxruntime.InferenceSession(str(weights_path()), providers=["CPUExecutionProvider"])
    h = c = np.zeros((1, 1, 128), dtype=np.float32)
    audio = np.concatenate([np.zeros(64), pcm / 32768]).astype(np.float32)
    result = []
    for at in range(0, len(pcm) - FRAME + 1, FRAME):
        heard = audio[None, at : at + 64 + FRAME]
        out, h, c = session.run(None, {"input": heard, "h": h, "c": c})
        result.append(float(out[0]))
    return result


def by_us(pcm: np.ndarray) -> list[float]:
    detector = Silero()
    return [
        detector.probability(pcm[at : at + FRAME]) for at in range(0, len(pcm) - FRAME + 1, FRAME)
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("name", RECORDINGS)
def test_it_agrees_with_onnxruntime_on_speech(name: str) -> None:
    pcm = recording(name)
    ours = by_us(pcm)
    assert max(ours) > 0.9
    np.testing.assert_allclose(ours, by_onnxruntime(pcm), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["silence", "noise", "faint noise", "full scale", "full-scale noise", "offset"]
)
def test_it_agrees_with_onnxruntime_on_everything_else(name: str) -> None:
    pcm = made(name)
    np.testing.assert_allclose(by_us(pcm), by_onnxruntime(pcm), rtol=0, atol=1e-5)


def test_what_is_missing_of_a_short_frame_is_silence() -> None:
    pcm = recording("utt-025-rms.wav")[16_000:17_024].copy()
    short, whole = Silero(), Silero()
    probability = [short.probability(pcm[:FRAME]), short.probability(pcm[FRAME : FRAME + 100])]
    pcm[FRAME + 100 :] = 0
    assert probability == [whole.probability(pcm[:FRAME]), whole.probability(pcm[FRAME:])]


def test_only_the_calling_thread_works() -> None:
    detector = Silero()
    pcm = recording("utt-025-rms.wav")[16_000:16_512]
    detector.probability(pcm)
    everyone, mine = time.process_time(), time.thread_time()
    for _ in range(400):
        detector.probability(pcm)
    mine, everyone = time.thread_time() - mine, time.process_time() - everyone
    assert everyone - mine < 0.2 * mine


def _with(content: bytes, tmp_path) -> Silero:
    path = tmp_path / "silero.onnx"
    path.write_bytes(content)
    return Silero(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"not a protocol buffer at all",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"decoder.conv1d.bias", b"decoder.conv1d.else"),
        lambda content: content.replace(b"\x22\x04LSTM", b"\x22\x04GRU_"),
        lambda content: content.replace(b"onnx::LSTM_210", b"onnx::LSTM_211"),
        lambda content: b"\xff" * 1_000,
        lambda content: b"\x0b\x00",
    ],
)
def test_another_file_is_refused_in_one_line(damage, tmp_path) -> None:
    with pytest.raises(DetectorMissing, match=r"faster-whisper>=1\.2") as refused:
        _with(damage(weights_path().read_bytes()), tmp_path)
    assert "\n" not in str(refused.value)
    assert "silero.onnx" in str(refused.value)


def test_a_damaged_file_is_refused_or_read_but_nothing_else(tmp_path) -> None:
    content = bytearray(weights_path().read_bytes()[:3_000])
    random = np.random.default_rng(5)
    for _ in range(300):
        damaged = bytearray(content)
        for at in random.integers(0, len(content), 5):
            damaged[at] = random.integers(0, 256)
        try:
            OnnxFile(bytes(damaged))
        except NotUnderstood:
            continue
