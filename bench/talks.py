"""What ``stream`` and ``throughput`` play: one recording, or a set of them one after the other."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import human_speech
from bench.human_speech import Recording, Reference, SpokenWord, sentences_of
from bench.options import DeveloperOptions
from bench.unbroken import unbroken
from vivavoce.bench.child import recording
from vivavoce.bench.sound import write
from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.messages import SAMPLE_RATE

LEAD_IN_S = 4.0
"""Silence before the first recording, in which the engine loads."""

GAP_S = 3.0
"""Silence behind each recording: more than ends what is being said."""

_SAMPLE_BYTES = 2


class RecordingError(VivavoceError):
    """The recording, or what was spoken in it, cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class JoinedRecording:
    """A recording within what is played; all times count from the beginning of that.

    ``reference.seconds`` is where the silence behind it ends.
    """

    name: str
    kind: str
    start: float
    end: float
    reference: Reference

    @property
    def spoken(self) -> bool:
        """Whether anybody speaks in it."""
        return bool(self.reference.words)


@dataclass(frozen=True, slots=True)
class Talk:
    """A sound file, mono 16 kHz int16: a lead-in, then recordings with silence behind each.

    ``lead_in`` is a file of the lead-in alone; ``duration_s`` is that of the recordings alone.
    """

    path: Path
    lead_in: Path
    title: str
    language: str
    pieces: tuple[JoinedRecording, ...]

    @property
    def duration_s(self) -> float:
        """Seconds of all recordings, without the silences around them."""
        return sum(piece.end - piece.start for piece in self.pieces)

    @property
    def length_s(self) -> float:
        """Seconds of the file."""
        return self.pieces[-1].end + GAP_S

    def number_at(self, seconds: float) -> int:
        """Which of the pieces a time belongs to; a silence is shared by its neighbours."""
        borders = [piece.start - GAP_S / 2 for piece in self.pieces[1:]]
        return bisect_right(borders, seconds)


@contextmanager
def prepared(options: DeveloperOptions, *, at_least_s: float = 0.0) -> Iterator[Talk]:
    """What the options name, in a folder that goes away again.

    Args:
        options: name a recording, or a set of them.
        at_least_s: a single recording is played until it is so long.

    Raises:
        RecordingError: a recording is no mono 16 kHz sound, or nobody knows its words.
        SpeechSetError: there is no set of recordings, or nothing of it is wanted.
    """
    if options.takes_a_set:
        title, sounds = _set(options)
    else:
        title, sounds = _single(options)
        seconds = len(sounds[0].pcm) / _SAMPLE_BYTES / SAMPLE_RATE
        sounds *= max(1, math.ceil(at_least_s / seconds))
    with TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        yield joined(title, options.language, sounds, Path(folder))


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording in memory: mono 16 kHz int16."""

    name: str
    kind: str
    pcm: bytes
    reference: Reference


def joined(title: str, language: str, sounds: Sequence[Sound], folder: Path) -> Talk:
    """Write the recordings one after the other into a file of ``folder``."""
    lead_in, gap = _silence(LEAD_IN_S), _silence(GAP_S)
    pieces, audio, at = [], [lead_in], LEAD_IN_S
    for sound in sounds:
        end = at + len(sound.pcm) / _SAMPLE_BYTES / SAMPLE_RATE
        reference = replace(sound.reference.later(at), seconds=end + GAP_S)
        pieces.append(JoinedRecording(sound.name, sound.kind, at, end, reference))
        audio += [sound.pcm, gap]
        at = end + GAP_S
    write(folder / "talk.wav", b"".join(audio))
    write(folder / "lead-in.wav", lead_in)
    return Talk(
        path=folder / "talk.wav",
        lead_in=folder / "lead-in.wav",
        title=title,
        language=language,
        pieces=tuple(pieces),
    )


def _silence(seconds: float) -> bytes:
    return bytes(round(seconds * SAMPLE_RATE) * _SAMPLE_BYTES)


def _set(options: DeveloperOptions) -> tuple[str, list[Sound]]:
    if options.unbroken or options.recording:
        raise RecordingError(
            "--unbroken and --recording name one recording, --speech a set of them"
        )
    folder = options.speech or human_speech.DEFAULT
    found = human_speech.select(
        human_speech.load(folder), options.wanted_kinds, (options.language,)
    )
    if options.quick:
        found = _shortest(found)
    kinds = ", ".join(dict.fromkeys(one.kind for one in found))
    title = f"{len(found)} recordings ({kinds})"
    return title, [Sound(one.name, one.kind, pcm_of(one.path), one.reference) for one in found]


def _shortest(recordings: Sequence[Recording]) -> tuple[Recording, ...]:
    """Of each kind the shortest."""
    ordered = sorted(recordings, key=lambda one: one.reference.seconds, reverse=True)
    return tuple({one.kind: one for one in ordered}.values())


def _single(options: DeveloperOptions) -> tuple[str, list[Sound]]:
    source = options.recording or recording(long=not options.quick)
    reference, kind = _reference(source)
    pcm = pcm_of(source)
    if options.unbroken:
        pcm, reference = _without_pauses(source, pcm, reference, 60 * options.unbroken)
    title = f"{source.name}{' without pauses' if options.unbroken else ''}"
    return title, [Sound(source.name, kind, pcm, reference)]


def _without_pauses(
    source: Path, pcm: bytes, reference: Reference, seconds: float
) -> tuple[bytes, Reference]:
    words = [{"word": word.text, "start": word.start, "end": word.end} for word in reference.words]
    try:
        pcm, placed = unbroken(pcm, words, seconds, SAMPLE_RATE)
    except ValueError as error:
        raise RecordingError(
            f"cannot take the pauses out of {source}: its words need a start and an end in seconds "
            f"({error!r})"
        ) from error
    found = tuple(SpokenWord(word["word"], word["start"], word["end"]) for word in placed)
    return pcm, replace(reference, words=found, sentences=sentences_of(found))


def _reference(source: Path) -> tuple[Reference, str]:
    """Look at what is needed now: nobody wants to learn of a bad file after the run."""
    if not source.is_file():
        raise RecordingError(f"cannot measure {source}: there is no such file")
    refs = source.parent / "refs.json"
    try:
        items: list[dict[str, Any]] = json.loads(refs.read_bytes())["items"]
        found = next((item for item in items if item["file"] == source.name), None)
        reference = human_speech.reference_of(found) if found else None
    except OSError as error:
        raise RecordingError(
            f"cannot measure {source}: {refs}, where its words and word times belong, cannot be "
            f"read ({error.strerror})"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"cannot measure {source}: {refs} is no list of words and word times ({error!r})"
        ) from error
    if found is None or reference is None or not reference.words:
        raise RecordingError(
            f"cannot measure {source}: {refs} has no words and word times for it; it needs an item "
            "with file and words (each with word and end)"
        )
    return reference, str(found.get("kind", ""))


def pcm_of(source: Path) -> bytes:
    """The samples of a mono 16 kHz sound file, as int16.

    Raises:
        RecordingError: it cannot be decoded, or has another form.
    """
    import av
    import av.error

    try:
        with av.open(str(source)) as file:
            stream = file.streams.audio[0]
            form = (stream.rate, stream.channels)
            if form != (SAMPLE_RATE, 1):
                raise RecordingError(
                    f"cannot measure {source}: it has {form[0]} Hz and {form[1]} channels; mono "
                    "16 kHz is needed"
                )
            to_int16 = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
            frames = [one for frame in file.decode(stream) for one in to_int16.resample(frame)]
            frames += to_int16.resample(None)
    except (OSError, IndexError, av.error.FFmpegError) as error:
        raise RecordingError(
            f"cannot measure {source}: it is no sound file that can be decoded ({error})"
        ) from error
    pcm = b"".join(frame.to_ndarray().tobytes() for frame in frames)
    if not pcm:
        raise RecordingError(f"cannot measure {source}: there is no sound in it")
    return pcm
