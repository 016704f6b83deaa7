"""Speech without a pause: cut at words, at the same latency for ever, and nothing lost."""

import asyncio
import statistics
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.scene import Scene, finals, only, play
from support.talk import Listener, ends_at, talk, words

from vivavoce.actors.vad.segmenter import Frame, Segmenter
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import EndReason, Final, Partial, SpeechAudio

MINUTES = 10
SECONDS = 60 * MINUTES


@pytest.fixture(scope="module")
def long_speech() -> Scene:
    async def script(scene: Scene) -> None:
        await scene.utterance(SECONDS)

    scene = Scene(Listener(), sound=talk)
    play(scene, script)
    return scene


def all_events(scene: Scene) -> list[Any]:
    return [event for _, event in scene.events]


def test_finals_cover_the_speech_without_a_hole_or_an_overlap(long_speech: Scene) -> None:
    said = finals(all_events(long_speech))
    assert said[0].start == 0
    assert said[-1].end == SECONDS * RATE
    assert [f.start for f in said[1:]] == [f.end for f in said[:-1]]
    assert [f.utterance for f in said] == list(range(1, len(said) + 1))
    lengths = [(f.end - f.start) / RATE for f in said]
    assert max(lengths) <= 16
    assert min(lengths[:-1]) >= 2
    summary = long_speech.context.ledger.summary()
    assert (summary.transcribed, summary.pending) == (SECONDS * RATE, 0)


def test_no_word_is_lost_repeated_or_halved_at_a_cut(long_speech: Scene) -> None:
    said = finals(all_events(long_speech))
    assert len(said) > 40
    assert " ".join(f.text for f in said) == words(0, 2 * SECONDS)
    assert all(f.text.endswith(".") for f in said[:-1]), "cut where a sentence ends"
    for final in said:
        for spoken in final.words:
            assert final.start <= spoken.start < spoken.end <= final.end


def test_stable_words_stay_and_are_those_of_the_final(long_speech: Scene) -> None:
    stable: dict[int, str] = {}
    for partial in only(all_events(long_speech), Partial):
        assert (partial.stable + " ").startswith(stable.get(partial.utterance, ""))
        stable[partial.utterance] = partial.stable
    assert all(final.corrected == 0 for final in finals(all_events(long_speech)))
    shared = long_speech.counter("stable_words")
    assert shared <= 2 * SECONDS, "words behind a cut are counted once"
    assert shared > 1.8 * SECONDS


def shown_latencies(scene: Scene, first: int, last: int) -> list[float]:
    """Seconds from the end of each word to the first time that it was shown whole."""
    shown: dict[str, float] = {}
    for at, event in scene.events:
        text = ""
        if isinstance(event, Partial):
            text = f"{event.stable} {event.tail}"
        elif isinstance(event, Final):
            text = event.text
        for one in text.split():
            shown.setdefault(one, at)
    return [shown[words(n, n + 1)] - ends_at(n) for n in range(first, last)]


def test_the_last_minute_is_as_fast_as_the_first(long_speech: Scene) -> None:
    # The engine starts meanwhile: the first two seconds are not counted.
    first = shown_latencies(long_speech, 4, 120)
    last = shown_latencies(long_speech, 2 * SECONDS - 120, 2 * SECONDS - 4)
    assert statistics.median(last) == pytest.approx(statistics.median(first), abs=0.03)
    assert max(last) <= max(first) + 0.1
    assert statistics.median(first) < 0.35


def test_from_a_cut_to_its_final_is_no_longer_in_the_end(long_speech: Scene) -> None:
    behind = [
        (at - final.end / RATE, final)
        for at, final in long_speech.events
        if isinstance(final, Final)
    ]
    early = [wait for wait, final in behind if final.end < 180 * RATE]
    late = [wait for wait, final in behind if final.end > (SECONDS - 180) * RATE][:-1]
    assert statistics.mean(late) == pytest.approx(statistics.mean(early), rel=0.1)
    cuts = [final.latency for _, final in behind[:-1]]
    assert all(latency.endpoint == 0.0 for latency in cuts)
    assert all(not latency.speculative for latency in cuts)
    assert behind[-1][1].latency.endpoint == pytest.approx(0.64)
    assert long_speech.counter("window_cuts") == len(cuts)
    assert long_speech.gauge("overload_rung") == 0


def test_a_partial_costs_the_same_in_the_end(long_speech: Scene) -> None:
    asked = [samples for kind, samples in long_speech.engine.calls if kind == "partial"]
    assert max(asked) <= 16 * RATE, "what was cut off is not heard again"
    assert long_speech.engine.left_open == []


@pytest.mark.parametrize("forced", [True, False])
def test_a_partial_is_told_the_words_that_are_stable(forced: bool) -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(5.0)

    scene = Scene(Listener(), sound=talk, forced_prefix=forced)
    play(scene, script)
    told = scene.engine.prefixes
    assert max(len(prefix) for prefix in told) == (9 if forced else 0)


def test_an_endpoint_during_the_search_for_a_cut_needs_no_cut() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(14.4)
        await asyncio.sleep(5.0)

    scene = Scene(Listener(search_s=2.0), sound=talk, speculative_finals=False)
    (final,) = finals(play(scene, script))
    assert (final.start, final.end) == (RATE, RATE + int(14.4 * RATE))
    assert final.latency.total < 0.5
    assert [kind for kind, _ in scene.engine.calls].count("final") == 1
    assert scene.engine.cancelled[-1][0] == "partial", "the search is given up"


@pytest.mark.parametrize(("search_s", "final_s"), [(2.0, 0.2), (2.0, 2.0), (0.05, 2.0)])
def test_speech_that_ends_before_the_place_of_the_cut(search_s: float, final_s: float) -> None:
    async def script(scene: Scene) -> None:
        await scene.begin()
        await scene.say(15.1)
        end = scene.at - 5 * RATE
        await scene.end(EndReason.MAX_LENGTH, end=end)
        scene.at = end
        await scene.begin()
        await scene.say(6.0)
        await scene.end()

    engine = Listener(search_s=search_s, final_s=final_s)
    scene = Scene(engine, sound=talk, speculative_finals=False)
    first, second = finals(play(scene, script))
    assert first.end == second.start == int(10.1 * RATE)
    assert scene.context.ledger.summary().pending == 0


@pytest.mark.parametrize("back", [2.2, 4.2, 7.2])
@pytest.mark.parametrize("waits", [0.0, 0.3, 3.0])
def test_the_vad_cuts_before_a_place_that_was_cut_already(back: float, waits: float) -> None:
    """It knows nothing of words: what it sends again is not transcribed again."""

    async def script(scene: Scene) -> None:
        await scene.begin()
        await scene.say(14.2)
        await asyncio.sleep(waits)
        sent = scene.at
        end = sent - int(back * RATE)
        await scene.end(EndReason.MAX_LENGTH, end=end)
        scene.at = end
        await scene.begin()
        # At once, in pieces that do not end where the first ended.
        while scene.at < sent - 1_000:
            pcm = talk(scene.at, 1_500)
            await scene.inbox.send(SpeechAudio(utterance=scene.number, start=scene.at, pcm=pcm))
            scene.at += 1_500
        scene.context.ledger.capture(max(sent, scene.at))
        await scene.say(6.0)
        await scene.end()

    scene = Scene(Listener(), sound=talk, speculative_finals=False)
    said = finals(play(scene, script))
    assert [f.start for f in said] == [0, *(f.end for f in said[:-1])]
    assert said[-1].end == scene.at
    text = " ".join(f.text for f in said).split()
    assert len(text) > 35
    assert text[:-1] == words(0, len(text) - 1).split()
    summary = scene.context.ledger.summary()
    assert (summary.transcribed, summary.pending) == (scene.at, 0)
    assert [f.utterance for f in said] == list(range(1, len(said) + 1))


@pytest.mark.thorough
@pytest.mark.parametrize("longest_s", [12, 15, 17, 20, 31])
def test_the_windows_and_the_longest_utterance_of_the_vad_together(longest_s: int) -> None:
    """Both cut the same speech, each where it likes."""
    segmenter = Segmenter(VadSettings(max_utterance_ms=longest_s * 1_000))

    async def script(scene: Scene) -> None:
        for start in range(0, 120 * RATE, 512):
            pcm = talk(start, 512)
            level = float(np.abs(pcm.astype(np.int64)).mean())
            scene.context.ledger.capture(start + 512)
            for decision in segmenter.push(Frame(start, pcm, 0.9, level)):
                await scene.inbox.send(decision)
            scene.context.stream.start()
            await asyncio.sleep(512 / RATE)
        scene.at = 120 * RATE
        for decision in segmenter.interrupt(scene.at, EndReason.END_OF_STREAM):
            await scene.inbox.send(decision)

    scene = Scene(Listener(search_s=0.3, final_s=0.8), sound=talk)
    said = finals(play(scene, script))
    assert " ".join(f.text for f in said) == words(0, 240), "and no empty sliver between two cuts"
    assert [f.start for f in said] == [0, *(f.end for f in said[:-1])]
    assert scene.context.ledger.summary().transcribed == 120 * RATE


def test_where_no_word_is_known_the_quietest_place_is_cut() -> None:
    class Deaf(Listener):
        def hear(self, samples, cost):
            return super().hear(samples[:0], cost)

    async def script(scene: Scene) -> None:
        await scene.utterance(40.0)

    scene = Scene(Deaf(), sound=talk)
    first, second = finals(play(scene, script))
    assert 20 * RATE < first.end == second.start <= 28 * RATE
    assert talk(first.end, 1)[0] == 0


def test_an_endpoint_behind_a_cut_is_no_overload() -> None:
    """When the first part is done the rest is long, has ended, and was not begun before."""

    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.utterance(22.0)
        await scene.silence(3.0)

    scene = Scene(Listener(final_s=1.0), sound=talk, partials=False)
    events = play(scene, script)
    assert len(finals(events)) >= 2
    assert scene.context.metrics.gauges()["vivavoce_overload_rung_highest"] == 0
    assert not any(cheap for _, _, cheap in scene.engine.finals)


def test_in_a_pause_a_long_utterance_is_decoded_whole_before_it_is_cut() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(1.0)
        await scene.begin()
        await scene.say(13.9)
        end = scene.at
        await scene.pause()
        await scene.say(0.3)
        await asyncio.sleep(0.3)
        await scene.end(end=end)

    scene = Scene(Listener(final_s=0.3), sound=talk, partials=False)
    (final,) = finals(play(scene, script))
    assert final.latency.speculative
    assert scene.counter("window_cuts") == 0


def test_what_was_heard_behind_a_cut_is_shown_again_at_once(long_speech: Scene) -> None:
    shown = 0
    for (at, event), (then, following) in pairwise(long_speech.events):
        if not isinstance(event, Final) or event.latency.endpoint or event.end == SECONDS * RATE:
            continue
        if isinstance(following, Partial) and then - at < 0.01:
            shown += 1
            assert following.utterance == event.utterance + 1
            assert following.start == event.end
            text = f"{following.stable} {following.tail}".split()
            first = next(n for n in range(2 * SECONDS) if ends_at(n) > event.end / RATE)
            assert " ".join(text) == words(first, first + len(text))
    assert shown >= 0.9 * (len(finals(all_events(long_speech))) - 1)
