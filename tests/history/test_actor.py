"""The history actor, from captions to rows, and the sound that goes with them."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.history.actor import HistoryActor
from vivavoce.actors.history.keeper import AudioBook, AudioKeeper
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.recorder import Recorder
from vivavoce.actors.history.sound import from_wav, to_wav
from vivavoce.config.cell import ProfileCell
from vivavoce.config.history import HistorySettings
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.messages import (
    Final,
    Focus,
    Gap,
    GapReason,
    Partial,
    RecordingEnded,
    RecordingStarted,
    Revision,
    SpeechAudio,
    SpeechStarted,
    Word,
)
from vivavoce.pipeline.metrics import Metrics

SECOND = 16_000


WANTED = Profile(history=HistorySettings(enabled=True))


def final(utterance: int, text: str, **more) -> Final:
    start = utterance * 2 * SECOND
    return Final(utterance=utterance, start=start, end=start + SECOND, text=text, **more)


def rows(path: Path):
    with Reader(path) as reader:
        return list(reader.every())


@pytest.fixture
async def kept(path: Path):
    """An actor on a recorder, and a way to end both."""
    recorder = Recorder(path, lambda: HistorySettings(keep_days=None), Metrics())
    await recorder.open()
    book = AudioBook(20.0)
    context = ActorContext(settings=ProfileCell(WANTED))
    context.stream.start()
    context.stream.wall_start = 1_777_000_000.25
    actor = HistoryActor(recorder, lambda: "dictation", book, context)
    await actor.on_start()
    yield actor, recorder, book
    await recorder.close()


async def test_a_final_with_all_that_is_known_of_it(kept, path: Path) -> None:
    actor, recorder, book = kept
    pcm = np.arange(10 * SECOND, dtype=np.int32).astype(np.int16)
    book.write(0, pcm)
    words = (
        Word(text=" hello", start=0, end=9, probability=1),
        Word(text="um", start=9, end=20, probability=1),
    )
    await actor.on_message(
        final(
            1,
            "Hello.",
            words=words,
            engine="faster-whisper",
            model="base.en",
            language="en",
            confidence=0.5,
            focus=Focus(window="1", application="firefox"),
        )
    )
    await actor.on_message(final(2, "Later", focus=Focus(window="2", application="XTerm")))
    recorder.deliver(Delivery(utterance=2, outcome=Outcome.TYPED, back_end="xdotool"))
    await recorder.close()
    one, two = rows(path)
    assert (one.began, one.ended) == (1_777_000_002_250, 1_777_000_003_250)
    assert one.session_began == 1_777_000_000_250
    assert (one.text, one.heard) == ("Hello.", "hello um")
    assert (one.engine, one.model, one.language) == ("faster-whisper", "base.en", "en")
    assert (one.profile, one.confidence) == ("dictation", 0.5)
    assert (one.application, two.application) == ("firefox", "XTerm")
    assert (two.outcome, two.back_end) == ("typed", "xdotool")
    with Reader(path) as reader:
        sound = reader.wav(one.id)
    assert sound is not None
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    assert (from_wav(sound) == pcm[2 * SECOND : 3 * SECOND]).all()


async def test_only_what_was_said_is_kept(kept, path: Path) -> None:
    actor, recorder, _ = kept
    for message in (
        final(0, ""),
        final(1, "  "),
        Partial(utterance=2, revision=1, start=0, end=9, stable="a", tail="b"),
        Gap(start=0, end=9, reason=GapReason.OVERRUN),
        RecordingStarted(start=0),
        RecordingEnded(start=0, end=10**6),
        final(3, "kept"),
        Revision(utterance=3, text="kept, revised"),
        Revision(utterance=0, text="there were words, after all", engine="better"),
    ):
        await actor.on_message(message)
    await recorder.close()
    assert [(row.utterance, row.text) for row in rows(path)] == [
        (3, "kept, revised"),
        (0, "there were words, after all"),
    ]
    assert rows(path)[1].engine == "better"


async def test_scratch_that_and_cancel(kept, path: Path) -> None:
    actor, recorder, _ = kept
    await actor.on_message(final(1, "stays"))
    await actor.on_message(final(2, "taken back"))
    await actor.on_message(final(3, "", retracts=1))  # nothing but "scratch that"
    await actor.on_message(final(4, "cancelled"))
    await actor.on_message(RecordingEnded(start=8 * SECOND, end=10 * SECOND, cancelled=True))
    await actor.on_message(Revision(utterance=4, text="cancelled is cancelled"))
    await recorder.close()
    assert [(row.text, row.retracted) for row in rows(path)] == [
        ("stays", False),
        ("taken back", True),
    ]


async def test_a_final_that_is_delivered_twice_is_kept_once(kept, path: Path) -> None:
    actor, recorder, book = kept
    book.write(0, np.ones(10 * SECOND, np.int16))
    for _ in range(2):
        await actor.on_message(final(1, "once"))
    await recorder.close()
    (row,) = rows(path)
    assert row.sound


async def test_the_keeper_passes_everything_on_as_it_came() -> None:
    book, out = AudioBook(10.0), Channel(8)
    keeper = AudioKeeper(book)
    keeper.send_to(out)
    messages = [
        SpeechStarted(utterance=1, start=100, at=900),
        SpeechAudio(utterance=1, start=100, pcm=np.arange(800, dtype=np.int16)),
        RecordingEnded(start=0, end=2_000),
    ]
    for message in messages:
        await keeper.on_message(message)
        assert out.receive_nowait() is message
    taken = book.take(150, 160)
    assert taken is not None
    assert taken.tolist() == list(range(50, 60))
    assert book.take(50, 160) is None
    assert book.take(880, 901) is None
    assert book.take(200, 200) is None


@pytest.mark.thorough
@given(
    st.lists(st.tuples(st.integers(-60, 60), st.integers(1, 130)), min_size=1, max_size=30),
    st.integers(0, 2_000),
    st.integers(1, 150),
)
@settings(max_examples=300, deadline=None)
def test_the_book_gives_back_what_was_written_or_nothing(blocks, at: int, length: int) -> None:
    """Against a book that forgets nothing: each sample's value is its own index."""
    book = AudioBook(100 / SECOND)
    heard: set[int] = set()
    end = 200
    for shift, size in blocks:
        start = max(0, end + shift)  # overlapping, adjoining, or after a pause
        book.write(start, np.arange(start, start + size).astype(np.int16))
        heard |= set(range(start, start + size))
        end = max(end, start + size)
    newest = sorted(heard)[-1]
    taken = book.take(at, at + length)
    if taken is not None:
        assert taken.tolist() == list(range(at, at + length))
        assert set(range(at, at + length)) <= heard
    assert book.take(newest, newest + 1) is not None
    assert len(book._ring) == 100


def test_damaged_sound_is_told() -> None:
    for data in (b"", b"RIFF", to_wav(np.zeros(9, np.int16))[:30]):
        with pytest.raises(ValueError, match="damaged"):
            from_wav(data)
    assert from_wav(to_wav(np.array([1, -2, 3], np.int16))).tolist() == [1, -2, 3]


async def test_nothing_is_kept_from_when_the_profile_says_so(path: Path) -> None:
    name = "dictation"
    recorder = Recorder(path, lambda: HistorySettings(keep_days=None), Metrics())
    await recorder.open()
    cell = ProfileCell(WANTED)
    actor = HistoryActor(recorder, lambda: name, context=ActorContext(settings=cell))
    await actor.on_message(final(1, "before"))
    cell.put(Profile(history=HistorySettings(enabled=True), persistence=False))
    await actor.on_message(final(2, "secret"))
    cell.put(WANTED)
    name = "another"
    await actor.on_message(final(3, "behind"))
    await recorder.close()
    assert [(row.text, row.profile) for row in rows(path)] == [
        ("before", "dictation"),
        ("behind", "another"),
    ]
