"""The VAD actor on real recordings: words kept whole, noise kept out, samples settled."""

import json
import wave

import numpy as np
import pytest
from support.listening import Listening
from support.program import SPEECH

from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.messages import (
    EndReason,
    Gap,
    GapReason,
    SpeechAudio,
    SpeechEnded,
    SpeechStarted,
)


def recording(name: str) -> np.ndarray:
    with wave.open(str(SPEECH / name)) as source:
        return np.frombuffer(source.readframes(source.getnframes()), dtype=np.int16)


def utterances(messages: list) -> list[SpeechEnded]:
    return [message for message in messages if isinstance(message, SpeechEnded)]


@pytest.mark.thorough
async def test_no_word_of_the_talk_is_cut_or_lost() -> None:
    listening = await Listening().start()
    await listening.hear(recording("talk-2-rms.wav"))
    messages = await listening.end()
    listening.settle(messages)
    items = {item["file"]: item for item in json.loads((SPEECH / "refs.json").read_text())["items"]}
    found = utterances(messages)
    outside = []
    for word in items["talk-2-rms.wav"]["words"]:
        # The synthesiser's word times include its own silence: the middle must be inside.
        middle = (word["start"] + word["end"]) / 2 * 16_000
        if sum(u.start <= middle < u.end for u in found) != 1:
            outside.append(word)
    assert outside == []
    assert 5 <= len(found) <= 25


async def test_blocks_of_any_size_give_the_same_utterances() -> None:
    pcm = recording("utt-010-slt.wav")
    results = []
    for block in (512, 333, 2048, 5000):
        listening = await Listening().start()
        await listening.hear(pcm, block)
        results.append([(u.start, u.end, u.at) for u in utterances(await listening.end())])
    assert results[0]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("kind", ["silence", "white", "hum"])
async def test_noise_is_no_utterance(kind: str) -> None:
    random = np.random.default_rng(7)
    count = 16_000 * 8
    pcm = {
        "silence": np.zeros(count),
        "white": random.normal(0, 400, count),
        "hum": 1500 * np.sin(2 * np.pi * 50 * np.arange(count) / 16_000),
    }[kind].astype(np.int16)
    listening = await Listening().start()
    await listening.hear(pcm)
    messages = await listening.end()
    assert utterances(messages) == []
    listening.settle(messages)


async def covered(pcm: np.ndarray, settings: VadSettings) -> np.ndarray:
    """For each sample whether it lies in an utterance."""
    listening = await Listening(settings).start()
    await listening.hear(pcm)
    inside = np.zeros(len(pcm), dtype=bool)
    for utterance in utterances(await listening.end()):
        inside[utterance.start : utterance.end] = True
    return inside


@pytest.mark.thorough
async def test_the_gate_costs_no_speech_that_is_hardly_louder_than_the_noise() -> None:
    speech = recording("talk-2-rms.wav") / 10
    noise = np.random.default_rng(0).normal(0, 32768 * 10 ** (-45 / 20), len(speech))
    pcm = (speech + noise).astype(np.int16)
    alone = await covered(pcm, VadSettings(gate=False))
    gated = await covered(pcm, VadSettings(gate_margin_db=6.0))
    assert alone.mean() > 0.7
    assert (alone & ~gated).mean() < 0.02


async def test_a_gap_ends_the_utterance_and_is_passed_on_in_its_place() -> None:
    pcm = recording("utt-025-rms.wav")
    listening = await Listening().start()
    await listening.hear(pcm[: 16_000 * 2])
    await listening.lose(8_000)
    await listening.hear(pcm[16_000 * 2 :])
    messages = await listening.end()
    listening.settle(messages)
    gap = next(number for number, m in enumerate(messages) if isinstance(m, Gap))
    assert messages[gap - 1].reason is EndReason.GAP
    assert messages[gap - 1].end == 16_000 * 2
    assert all(
        m.start >= messages[gap].end for m in messages[gap + 1 :] if isinstance(m, SpeechStarted)
    )


async def test_a_restart_gives_up_what_was_held_as_a_gap_and_goes_on() -> None:
    pcm = recording("utt-025-rms.wav")
    listening = await Listening().start()
    await listening.hear(pcm[:30_000], block=700)
    await listening.actor.on_restart(RuntimeError("test"))
    await listening.hear(pcm[30_000:], block=700)
    messages = await listening.end()
    gaps = [m for m in messages if isinstance(m, Gap)]
    assert all(gap.reason is GapReason.ACTOR_RESTARTED for gap in gaps)
    assert utterances(messages)[0].reason is EndReason.GAP
    numbers = [m.utterance for m in messages if isinstance(m, SpeechStarted)]
    assert numbers == sorted(set(numbers))
    listening.settle(messages)


async def test_capture_is_not_delayed_by_loading_the_detector() -> None:
    listening = await Listening().start()
    assert listening.actor._detector is None
    await listening.hear(recording("utt-025-rms.wav"))
    assert any(isinstance(m, SpeechAudio) for m in await listening.end())
