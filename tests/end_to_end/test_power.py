"""Power modes of the real program: the engine really goes, and no word is lost when it comes."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest
from support.fed import FedProgram, fed
from support.program import MODEL, SPEECH, WHISPER, Outcome, read_wave, run

import vivavoce
from vivavoce.pipeline.messages import PowerMode

pytestmark = pytest.mark.engine

SLEEPY = [
    *("--set", "power.listening_after_s=0.3"),
    *("--set", "power.idle_after_s=0.6"),
    *("--set", "power.park_after_s=0.9"),
    *("--set", "power.confirm_s=3"),
]
TALK = ["utt-002-awb.wav", "utt-025-rms.wav", "utt-021-rms.wav"]


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> Path:
    """Utterances between silences in which everything falls asleep."""
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    noise = np.random.default_rng(4).normal(0, 4, 16_000 * 10).astype("<i2").tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        for number, name in enumerate(TALK):
            out.writeframes(noise[: 2 * (80_000 + 3_333 * number)])
            out.writeframes(read_wave(SPEECH / name))
        out.writeframes(noise[: 2 * 80_000])
    return path


def modes(outcome: Outcome | FedProgram) -> list[str]:
    return [event["mode"] for event in outcome.of_type("power")]


@pytest.mark.pace
def test_an_engine_that_was_parked_hears_every_word(talk: Path, tmp_path: Path) -> None:
    arguments = ["--source", str(talk), "--format", "jsonl", *WHISPER]
    arguments += ["--set", "vad.end_silence_ms=640"]  # else it is silent for too short a time
    awake = run(tmp_path, *arguments, "--set", "power.mode=active")
    sleepy = run(tmp_path, *arguments, *SLEEPY)
    assert sleepy.code == awake.code == 0, sleepy.err
    assert modes(awake) == []
    assert len(awake.texts) == len(TALK)
    for before, after in zip(awake.finals, sleepy.finals, strict=True):
        assert (before["text"], before["start"], before["end"]) == (
            after["text"],
            after["start"],
            after["end"],
        )
    assert sleepy.assert_balanced()["dropped"] == 0
    # On a busy machine it sleeps so late that modes are passed over.
    assert modes(sleepy).count("parked") >= len(TALK)
    assert sleepy.events[-1]["type"] == "end", "nothing comes behind the end"


def test_parked_no_engine_process_is_alive(tmp_path: Path) -> None:
    with fed(tmp_path, *WHISPER, *SLEEPY) as program:
        program.say(read_wave(SPEECH / TALK[1]) + bytes(64_000))
        program.wait_for_event("final")
        program.say(bytes(64_000))
        program.wait_for(lambda: "parked" in modes(program), "it does not go to sleep")
        program.wait_for(lambda: not program.engines, "the engine lives on")


@pytest.mark.pace
def test_a_forced_mode_in_the_profile_is_where_silence_is_spent(talk: Path, tmp_path: Path) -> None:
    arguments = ["--source", str(talk), "--format", "jsonl", *WHISPER]
    outcome = run(tmp_path, *arguments, "--set", "power.mode=parked")
    assert set(modes(outcome)) == {"parked", "listening", "active"}
    assert modes(outcome)[0] == "parked"
    assert len(outcome.texts) == len(TALK)
    assert "examined three of them" in outcome.texts[1]


def test_recordings_that_are_read_ahead_have_no_power_modes(talk: Path, tmp_path: Path) -> None:
    arguments = ["--source", str(talk), "--pace", "max", "--format", "jsonl", *WHISPER, *SLEEPY]
    outcome = run(tmp_path, *arguments)
    assert modes(outcome) == []
    assert len(outcome.texts) == len(TALK)


@pytest.mark.smoke
async def test_a_program_can_force_a_mode_while_it_runs(tmp_path: Path) -> None:
    pipeline = vivavoce.Pipeline(
        source=vivavoce.PushSource(),
        overrides=["transcription.engine=faster-whisper", f"transcription.model={MODEL}"],
    )
    said = np.frombuffer(read_wave(SPEECH / "utt-025-rms.wav"), dtype=np.int16)
    heard: list[vivavoce.Caption] = []

    async def until(kind: type, mode: str | None = None) -> None:
        async for event in events:
            heard.append(event)
            if isinstance(event, kind) and (mode is None or event.mode == mode):
                return

    async with asyncio.timeout(60), pipeline:
        events = pipeline.events()
        await pipeline.feed(np.zeros(16_000, dtype=np.int16))
        pipeline.force_power("parked")
        await until(vivavoce.PowerChanged, "parked")
        assert pipeline.power_mode is PowerMode.PARKED
        await pipeline.feed(said)
        await pipeline.feed(np.zeros(32_000, dtype=np.int16))  # a long silence
        await until(vivavoce.Final)
        await until(vivavoce.PowerChanged, "parked")
        pipeline.force_power(None)
        await until(vivavoce.PowerChanged, "active")
        pipeline.end()
        await pipeline.wait()
    final = next(event for event in heard if isinstance(event, vivavoce.Final))
    assert final.text == "The boys examined three of them with no result."
    with pytest.raises(ValueError, match="sleepy"):
        pipeline.force_power("sleepy")
