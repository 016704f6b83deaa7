"""Power modes and changed settings: a detector that sleeps changes nothing but what it costs."""

import wave

import msgspec
import numpy as np
import pytest
from support.listening import Listening
from support.program import SPEECH

from vivavoce.config.power import ModeSettings
from vivavoce.config.schema import Profile, VadSettings
from vivavoce.pipeline.messages import (
    EndReason,
    PowerMode,
    SpeechEnded,
    SpeechStarted,
)
from vivavoce.pipeline.power import Power, PowerEvent

AWAKE = Power(mode=PowerMode.LISTENING, settings=ModeSettings(detector=True))
ASLEEP = Power(mode=PowerMode.IDLE, settings=ModeSettings(detector=False))
ONSET, STARTED, ENDED = PowerEvent.ONSET, PowerEvent.SPEECH_STARTED, PowerEvent.SPEECH_ENDED


def recording(name: str) -> np.ndarray:
    with wave.open(str(SPEECH / name)) as source:
        return np.frombuffer(source.readframes(source.getnframes()), dtype=np.int16)


def scene() -> np.ndarray:
    """Some talk, with quiet seconds between and around it, in a faint noise."""
    random = np.random.default_rng(4)
    parts = [np.zeros(3 * 16_000)]
    for name in ("utt-025-rms.wav", "LJ001-0008.wav", "utt-007-kal16.wav"):
        parts += [recording(name) / 2, np.zeros(random.integers(4_000, 60_000))]
    pcm = np.concatenate(parts)
    return (pcm + random.normal(0, 20, len(pcm))).astype(np.int16)


async def listening(power: Power | None = None, settings: VadSettings | None = None) -> Listening:
    found = Listening(settings, block=8_192)
    await found.actor.on_start()
    if power is not None:
        await found.actor.on_power(power)
    return found


def same(messages: list, others: list) -> bool:
    def plain(message: object) -> object:
        values = msgspec.structs.asdict(message)  # type: ignore[type-var]
        if "pcm" in values:
            values["pcm"] = values["pcm"].tobytes()
        return type(message), values

    return [plain(message) for message in messages] == [plain(message) for message in others]


def utterances(messages: list) -> list[tuple[int, int]]:
    return [(m.start, m.end) for m in messages if isinstance(m, SpeechEnded)]


@pytest.fixture(scope="module")
def undisturbed() -> list:
    import asyncio

    async def main() -> list:
        awake = await listening()
        await awake.hear(scene(), 512)
        return await awake.end()

    return asyncio.run(main())


@pytest.mark.parametrize("block", [512, 700, 2_048, 8_192, 20_000, 10**9])
async def test_idle_hears_the_very_same_as_if_it_had_been_awake(block, undisturbed) -> None:
    idle = await listening(ASLEEP)
    await idle.hear(scene(), block)
    messages = await idle.end()
    assert len(utterances(messages)) >= 3
    assert same(messages, undisturbed)
    assert idle.loaded >= 3  # it slept between


@pytest.mark.parametrize("seed", range(6))
async def test_whenever_the_mode_changes_the_same_is_heard(seed: int, undisturbed) -> None:
    random = np.random.default_rng(seed)
    pcm = scene()
    moody = await listening()
    at = 0
    while at < len(pcm):
        await moody.actor.on_power(ASLEEP if random.random() < 0.7 else AWAKE)
        count = int(random.choice([300, 512, 1_024, 8_192, 16_000]))
        await moody.hear(pcm[at : at + count])
        at += count
    assert same(await moody.end(), undisturbed)
    assert moody.told.count(STARTED) == moody.told.count(ENDED) >= 3


async def test_without_a_gate_in_the_profile_it_is_used_in_idle_nevertheless() -> None:
    pcm = scene()
    always = VadSettings(gate=False)
    awake, idle = await listening(settings=always), await listening(ASLEEP, always)
    await awake.hear(pcm)
    await idle.hear(pcm)
    assert awake.context.metrics.counter("vivavoce_vad_gated_frames_total").value == 0
    assert idle.context.metrics.counter("vivavoce_vad_gated_frames_total").value > 100
    found, expected = utterances(await idle.end()), utterances(await awake.end())
    assert len(found) == len(expected)
    assert np.abs(np.array(found) - np.array(expected)).max() <= 2 * 512


@pytest.mark.thorough
@pytest.mark.parametrize("above_db", [30, 10])
async def test_idle_finds_in_noise_what_the_detector_alone_finds(above_db: int) -> None:
    random = np.random.default_rng(above_db)
    alone, idle = await listening(settings=VadSettings(gate=False)), await listening(ASLEEP)
    for name in ("utt-025-rms.wav", "utt-010-slt.wav", "LJ001-0004.wav", "utt-002-awb.wav"):
        speech = recording(name).astype(float)
        speech *= 32_768 * 10 ** ((above_db - 65) / 20) / speech[np.abs(speech) > 200].std()
        pcm = np.concatenate([np.zeros(6 * 16_000), speech, np.zeros(2 * 16_000)])
        pcm = pcm + random.normal(0, 32_768 * 10 ** (-65 / 20), len(pcm))
        await alone.hear(pcm.astype(np.int16))
        await idle.hear(pcm.astype(np.int16))
    expected, found = utterances(await alone.end()), utterances(await idle.end())
    assert len(found) == len(expected) == 4
    late = [start - wanted for (start, _), (wanted, _) in zip(found, expected, strict=True)]
    assert max(late) <= 64 * 16  # of 320 ms of pre-roll
    assert idle.context.metrics.counter("vivavoce_vad_gated_frames_total").value > 300


async def test_silence_in_idle_never_wakes_the_detector() -> None:
    idle = await listening(ASLEEP)
    noise = np.random.default_rng(0).normal(0, 3, 60 * 16_000).astype(np.int16)
    await idle.hear(noise)
    assert idle.loaded == 0
    assert idle.told == []
    await idle.end()
    assert idle.context.ledger.summary().silence == len(noise)


async def test_an_onset_is_told_before_the_speech_and_everything_in_pairs() -> None:
    idle = await listening(ASLEEP)
    await idle.hear(scene())
    await idle.end()
    assert idle.told[:3] == [ONSET, STARTED, ENDED]
    speech = [event for event in idle.told if event is not ONSET]
    assert speech == [STARTED, ENDED] * (len(speech) // 2)


async def test_awake_no_onset_is_told() -> None:
    awake = await listening(AWAKE)
    await awake.hear(scene())
    await awake.end()
    assert ONSET not in awake.told
    assert awake.loaded == 1


async def test_the_onset_is_told_before_the_detector_is_loaded() -> None:
    idle = await listening(ASLEEP)
    order: list[str] = []
    idle.context.power.listen(lambda event: order.append(event.value))
    load = idle.actor._make_detector
    idle.actor._make_detector = lambda: (order.append("loaded"), load())[1]
    await idle.hear(scene()[: 5 * 16_000])
    assert order[:3] == ["onset", "loaded", "speech_started"]


async def test_a_detector_that_hears_an_utterance_stays_until_it_has_ended() -> None:
    awake = await listening(AWAKE)
    pcm = scene()
    await awake.hear(pcm[: 4 * 16_000 + 8_000])
    assert awake.told == [STARTED]
    await awake.actor.on_power(ASLEEP)
    assert awake.actor._detector is not None
    await awake.hear(np.zeros(3 * 16_000, dtype=np.int16))
    assert awake.told == [STARTED, ENDED]
    assert awake.actor._detector is None


async def speaking() -> Listening:
    found = await listening(AWAKE)
    await found.hear(scene()[: 4 * 16_000 + 8_000])
    assert found.told == [STARTED]
    return found


async def test_an_utterance_that_a_gap_ends_is_told() -> None:
    found = await speaking()
    await found.lose(1_000)
    assert found.told == [STARTED, ENDED]


async def test_an_utterance_that_the_stream_ends_in_is_told() -> None:
    found = await speaking()
    (ended,) = [m for m in await found.end() if isinstance(m, SpeechEnded)]
    assert ended.reason is EndReason.END_OF_STREAM
    await found.actor.on_stop()
    assert found.told == [STARTED, ENDED]


async def test_an_utterance_that_a_restart_gives_up_is_told() -> None:
    found = await speaking()
    await found.actor.on_restart(RuntimeError("test"))
    await found.actor.on_stop()
    assert found.told == [STARTED, ENDED]


async def test_an_utterance_that_is_open_when_the_actor_stops_is_told() -> None:
    found = await speaking()
    await found.actor.on_stop()
    assert found.told == [STARTED, ENDED]


# -- changed settings


async def test_changed_settings_hold_from_the_next_silence_on() -> None:
    before, after = VadSettings(), VadSettings(pre_roll_ms=64, end_silence_ms=1_000)
    pcm = scene()
    reference = await listening()
    await reference.hear(pcm)
    first, second = utterances(await reference.end())[:2]
    changed = await listening(settings=before)
    inside = (first[0] + first[1]) // 2
    await changed.hear(pcm[:inside])
    await changed.actor.on_profile(Profile(vad=after))
    await changed.hear(pcm[inside:])
    found = utterances(await changed.end())
    assert found[0] == first  # as it began
    assert found[1][0] - second[0] == (640 - 64) * 16


@pytest.mark.parametrize("block", [512, 700, 8_192])
async def test_settings_change_at_a_sample_not_at_a_block(block: int) -> None:
    pcm = scene()
    results = []
    for size in (512, block):
        found = await listening()
        await found.hear(pcm[:20_480], size)
        await found.actor.on_profile(Profile(vad=VadSettings(pre_roll_ms=500, gate_margin_db=8)))
        await found.hear(pcm[20_480:], size)
        messages = await found.end()
        results.append(messages)
        starts = [m.start for m in messages if isinstance(m, SpeechStarted)]
        assert starts[0] >= 0
        pieces = utterances(messages)
        silence = found.context.ledger.summary().silence
        assert silence + sum(end - start for start, end in pieces) == len(pcm)
    assert same(*results)


async def test_a_profile_that_says_the_same_changes_nothing() -> None:
    found = await listening()
    await found.actor.on_profile(Profile())
    assert found.actor._changed is None
