"""Silero and the gate, on real recordings."""

import json
import wave

import numpy as np
import pytest
from support.program import SPEECH

from vivavoce.actors.vad.gate import EnergyGate, level_dbfs
from vivavoce.actors.vad.silero import FRAME, Silero, weights_path


def recording(name: str) -> np.ndarray:
    with wave.open(str(SPEECH / name)) as source:
        return np.frombuffer(source.readframes(source.getnframes()), dtype=np.int16)


def frames(pcm: np.ndarray) -> list[np.ndarray]:
    return [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME + 1, FRAME)]


def test_probabilities_are_those_of_faster_whispers_own_silero() -> None:
    from faster_whisper.vad import get_vad_model

    pcm = recording("utt-025-rms.wav")
    pcm = pcm[: len(pcm) // FRAME * FRAME]
    ours = Silero()
    streamed = [ours.probability(frame) for frame in frames(pcm)]
    whole = np.asarray(get_vad_model()(pcm.astype(np.float32) / 32768)).reshape(-1)
    np.testing.assert_allclose(streamed, whole, atol=2e-3)


def test_reset_forgets() -> None:
    detector = Silero()
    pcm = frames(recording("utt-025-rms.wav"))
    first = [detector.probability(frame) for frame in pcm[:40]]
    detector.reset()
    assert [detector.probability(frame) for frame in pcm[:40]] == first


def test_finding_the_weights_imports_nothing() -> None:
    import subprocess
    import sys

    probe = (
        "import sys; from vivavoce.actors.vad.silero import weights_path; weights_path();"
        "assert 'faster_whisper' not in sys.modules and 'onnxruntime' not in sys.modules"
    )
    subprocess.run([sys.executable, "-P", "-c", probe], check=True, timeout=60)
    assert weights_path().is_file()


@pytest.mark.thorough
@pytest.mark.parametrize(("quieter_db", "offset"), [(0, 0), (30, 0), (20, 300)])
def test_the_gate_never_closes_on_what_silero_hears(quieter_db: int, offset: int) -> None:
    pcm = (recording("talk-2-rms.wav") / 10 ** (quieter_db / 20) + offset).astype(np.int16)
    gate, detector = EnergyGate(6.0), Silero()
    heard = missed = closed = 0
    for frame in frames(pcm):
        speech = detector.probability(frame) >= 0.5
        passes = gate.passes(level_dbfs(frame))
        heard += speech
        missed += speech and not passes
        closed += not passes
    assert heard > 800
    assert missed <= heard * 0.002
    assert closed > 100  # and it is of use


def test_the_gate_learns_a_noise_and_closes_on_it() -> None:
    random = np.random.default_rng(1)
    gate = EnergyGate(6.0)
    passed = [gate.passes(level_dbfs(random.normal(0, 300, FRAME).astype(np.int16)))
              for _ in range(2000)]  # fmt: skip
    assert not any(passed[-200:])


def test_levels() -> None:
    assert level_dbfs(np.zeros(FRAME, dtype=np.int16)) == -100
    assert level_dbfs(np.zeros(0, dtype=np.int16)) == -100
    assert level_dbfs(np.ones(1, dtype=np.int16)) == -100
    full = np.tile(np.array([-32768, 32767], dtype=np.int16), FRAME // 2)
    assert level_dbfs(full) == pytest.approx(0, abs=1e-3)
    assert level_dbfs(full // 4 + 20_000) == pytest.approx(level_dbfs(full // 4), abs=1e-2)


def test_references_are_there() -> None:
    assert json.loads((SPEECH / "refs.json").read_text())["items"]
