"""Sentences out of windows: the actor on a virtual clock, with an engine that hears sentences."""

import asyncio
import itertools

import msgspec
import pytest
from support.scene import Scene, finals, only, play
from support.talk import PERIOD, SENTENCE, Listener, talk, words

from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import EndReason, Final, Gap, Partial

SENTENCE_S = SENTENCE * PERIOD / RATE
BEGIN = SENTENCE * PERIOD
"""So long it is silent first: the engine is loaded, and the first word begins a sentence."""


def talking(engine: Listener | None = None, **settings: object) -> Scene:
    return Scene(engine or Listener(), sound=talk, **settings)


async def stretch(scene: Scene, seconds: float) -> None:
    await scene.silence(SENTENCE_S)
    await scene.utterance(seconds)


def said_in(scene: Scene, seconds: float) -> list[Final]:
    return finals(play(scene, lambda scene: stretch(scene, seconds)))


def check_finals(said: list[Final], begin: int, end: int) -> None:
    """They lie one behind the other, each in the window that it was decoded in."""
    assert [final.utterance for final in said] == list(range(1, len(said) + 1))
    assert (said[0].start, said[-1].end) == (begin, end)
    assert all(before.end == after.start for before, after in itertools.pairwise(said))
    for final in said:
        assert final.window is not None
        begin, end = final.window
        assert begin <= final.start < final.end <= end <= begin + 28 * RATE
    assert [final.ends_stretch for final in said] == [False] * (len(said) - 1) + [True]


def is_sentence(final: Final) -> bool:
    return final.text.startswith("W") and final.text.endswith(".")


def test_sentences_become_final_while_somebody_goes_on_speaking() -> None:
    scene = talking()
    said = said_in(scene, 42.0)
    check_finals(said, BEGIN, BEGIN + 42 * RATE)
    assert " ".join(final.text for final in said) == words(7, 91)
    assert [len(final.text.split()) for final in said] == [SENTENCE] * 12
    # Each before the one behind it has ended.
    for at, final in zip(scene.shown_at(Final), said, strict=True):
        assert at - final.end / RATE < SENTENCE_S
    assert scene.context.ledger.summary().pending == 0


def test_without_partials_all_sentences_come_when_the_stretch_ends() -> None:
    scene = talking(partials=False)
    said = said_in(scene, 21.0)
    check_finals(said, BEGIN, BEGIN + 21 * RATE)
    assert [final.text for final in said] == [
        words(at, at + SENTENCE) for at in range(7, 49, SENTENCE)
    ]
    assert {final.window for final in said} == {(BEGIN, BEGIN + 21 * RATE)}
    assert len(scene.engine.exacts) == 1
    assert len(set(scene.shown_at(Final))) == 1


def test_a_full_window_is_decoded_and_its_last_sentence_carried_into_the_next() -> None:
    scene = talking(partials=False)
    said = said_in(scene, 60.0)
    check_finals(said, BEGIN, BEGIN + 60 * RATE)
    assert " ".join(final.text for final in said) == words(7, 127)
    assert all(is_sentence(final) for final in said[:-1])
    first = said[0].window
    assert first == (BEGIN, BEGIN + 28 * RATE)
    carried = next(final for final in said if final.window != first)
    assert carried.window[0] == carried.start < first[1] < carried.window[1]
    assert len(scene.engine.exacts) == 3


class Endless(Listener):
    """Hears no sentence end."""

    def hear(self, samples, cost):
        heard = super().hear(samples, cost)
        return msgspec.structs.replace(
            heard,
            text=heard.text.replace(".", "").lower(),
            words=tuple(
                msgspec.structs.replace(word, text=word.text.strip(".").lower())
                for word in heard.words
            ),
        )


@pytest.mark.parametrize("partials", [True, False])
def test_a_full_window_without_a_sentence_ends_in_its_longest_pause(partials: bool) -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        for seconds, pause in ((10.0, 1.0), (8.0, 0.5), (4.0, 0.3), (20.0, 0.0)):
            await scene.say(seconds)
            if pause:
                await scene.hesitate(pause)
        await scene.end()

    said = finals(play(talking(Endless(), partials=partials), script))
    length = (10 + 1 + 8 + 4 + 20) * RATE + 8 * RATE // 10
    check_finals(said, BEGIN, BEGIN + length)
    # Of the pauses of its second half that of half a second is the longest.
    pause = BEGIN + 19 * RATE
    assert pause <= said[0].end <= pause + RATE // 2
    assert len(said) == 2


@pytest.mark.parametrize(("words_behind", "settled"), [(0, 0), (1, 0), (3, 1)])
def test_in_a_pause_a_sentence_is_final_once_a_second_of_the_next_was_heard(
    words_behind: int, settled: int
) -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        await scene.say(SENTENCE_S + words_behind * PERIOD / RATE)
        await scene.pause()
        await asyncio.sleep(3.0)
        in_the_pause.append(len(scene.shown_at(Final)))
        await scene.end()

    in_the_pause: list[int] = []
    scene = talking()
    said = finals(play(scene, script))
    assert in_the_pause == [settled]
    assert " ".join(final.text for final in said) == words(7, 14 + words_behind)
    assert len(said) == (1 if words_behind == 0 else 2)


def test_what_is_behind_a_sentence_stays_stable_and_has_the_next_number() -> None:
    scene = talking()
    stable: dict[int, list[str]] = {}
    number, carried = 0, 0
    for event in play(scene, lambda scene: stretch(scene, 42.0)):
        if isinstance(event, Final):
            number = event.utterance
            carried += len(stable.get(number, [])) > SENTENCE
        elif isinstance(event, Partial):
            assert event.utterance == number + 1
            now = event.stable.split()
            before = stable.get(event.utterance, [])
            assert now[: len(before)] == before
            stable[event.utterance] = now
    assert carried, "a partial showed the beginning of the next sentence as stable, too"
    assert len(stable) == 12
    # The first partial behind a final shows what was shown behind the sentence before it.
    assert scene.counter("corrected_words") == 0


def test_partials_are_numbered_anew_with_each_sentence() -> None:
    events = play(talking(), lambda scene: stretch(scene, 21.0))
    revisions: dict[int, list[int]] = {}
    for partial in only(events, Partial):
        revisions.setdefault(partial.utterance, []).append(partial.revision)
    assert len(revisions) == 6
    for counted in revisions.values():
        assert counted == list(range(1, len(counted) + 1))


def test_a_hesitation_inside_a_sentence_ends_nothing() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        await scene.say(2.0)
        await scene.hesitate(1.0)
        await scene.say(4.5)
        await scene.end()

    scene = talking()
    said = finals(play(scene, script))
    assert said[0].text.split()[0] == "W7"
    assert len(said[0].text.split()) > 4, "what is before and behind the pause are one sentence"
    check_finals(said, BEGIN, BEGIN + 7 * RATE + RATE // 2)


def test_the_last_sentence_says_that_the_stretch_has_ended_and_so_does_the_next_stretch() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        for _ in range(2):
            await scene.utterance(2 * SENTENCE_S)
            await scene.silence(SENTENCE_S)

    said = finals(play(talking(), script))
    assert [final.ends_stretch for final in said] == [False, True] * 2
    assert [final.utterance for final in said] == [1, 2, 3, 4]


def test_decodings_are_spaced_by_what_they_cost() -> None:
    """A share of a fifth: one that takes a second of the engine comes every five seconds."""
    times = {}
    for cost in (0.1, 1.0, 2.0):
        scene = talking(Listener(exact_s=cost))
        said = said_in(scene, 84.0)
        assert " ".join(final.text for final in said) == words(7, 175)
        times[cost] = scene.engine.exacts_at
        waits = [later - earlier for earlier, later in itertools.pairwise(times[cost][:-1])]
        assert min(waits) >= cost / 0.2 - 0.01
    assert len(times[0.1]) > len(times[1.0]) > len(times[2.0])


def test_a_cancel_discards_what_has_no_final_yet() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        await scene.say(30.0)
        await scene.end(EndReason.CANCELLED)

    scene = talking()
    events = play(scene, script)
    said, gaps = finals(events), only(events, Gap)
    assert len(said) >= 6
    assert [(gap.start, gap.end) for gap in gaps] == [(said[-1].end, BEGIN + 30 * RATE)]
    assert scene.context.ledger.summary().pending == 0


@pytest.mark.parametrize("kind", ["partial", "exact"])
def test_an_engine_that_dies_between_sentences_costs_a_delay_only(kind: str) -> None:
    calm = said_in(talking(), 35.0)
    engine = Listener()
    scene = talking(engine)

    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        for _ in range(5):
            engine.dies_at.append(kind)
            await scene.say(7.0)
        await scene.end()

    said = finals(play(scene, script))
    assert engine.starts == 6
    assert " ".join(f.text for f in said) == " ".join(f.text for f in calm)
    check_finals(said, BEGIN, BEGIN + 35 * RATE)
    assert engine.left_open == []


def test_a_stretch_without_words_has_one_empty_final() -> None:
    class Deaf(Listener):
        def hear(self, samples, cost):
            return super().hear(samples * 0, cost)

    for seconds in (1.0, 60.0):
        scene = talking(Deaf())
        said = said_in(scene, seconds)
        check_finals(said, BEGIN, BEGIN + int(seconds) * RATE)
        assert {final.text for final in said} == {""}
        assert scene.context.ledger.summary().pending == 0


def test_partials_behind_a_window_that_was_lost_hold_none_of_its_words() -> None:
    engine = Endless(exact_s=0.5, partial_s=0.1)
    scene = talking(engine)

    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        await scene.say(27.0)
        engine.errors_at += ["exact"] * 3
        await scene.say(10.0)
        await scene.end()

    events = play(scene, script)
    (gap,) = only(events, Gap)
    assert gap.start == BEGIN
    (final,) = finals(events)
    assert final.text == words(7 + 56, 81).replace(".", "").lower()
    behind = only(events[events.index(gap) :], Partial)
    assert behind
    assert all(partial.start == gap.end for partial in behind)
    assert all(partial.stable.split()[:1] in ([], ["w63"]) for partial in behind)
    assert behind[0].revision == 1


def test_only_the_last_sentence_of_a_stretch_ends_it_though_it_is_divided_into_parts() -> None:
    async def script(scene: Scene) -> None:
        await scene.silence(SENTENCE_S)
        await scene.begin()
        for _ in range(30):
            await scene.say(SENTENCE_S)
            await scene.say(SENTENCE_S)
            await scene.hesitate(1.0)
        await scene.end()

    scene = talking(
        Listener(exact_s=30.0, side_by_side=3),
        partials=False,
        ahead=True,
        side_by_side=3,
        overload_ladder=False,
    )
    said = finals(play(scene, script))
    assert scene.engine.most_exacts > 1
    check_finals(said, BEGIN, scene.at)
    assert len(said) > 50
