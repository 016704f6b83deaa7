"""What a recording that is read ahead is decoded with."""

import msgspec

from vivavoce.chain import as_played
from vivavoce.config import Profile, load_profile


def test_a_recording_is_decoded_as_whole_as_it_can_be() -> None:
    played = as_played(load_profile("captions", environ={}))
    assert not played.transcription.partials
    assert played.transcription.draft is None
    assert played.transcription.longest_window_ms == 29_800
    assert (played.vad.pre_roll_ms, played.vad.hangover_ms) == (1_000, 1_000)
    assert played.vad.end_silence_ms == 3_000
    assert msgspec.convert(msgspec.to_builtins(played), Profile) == played, "it fits the schema"


def test_what_the_profile_asks_for_beyond_that_holds() -> None:
    settings = (
        "transcription.longest_window_ms=12000",
        "vad.pre_roll_ms=1500",
        "vad.hangover_ms=1200",
        "vad.end_silence_ms=5000",
    )
    played = as_played(load_profile("captions", environ={}, overrides=settings))
    assert played.transcription.longest_window_ms == 12_000
    assert (played.vad.pre_roll_ms, played.vad.hangover_ms) == (1_500, 1_200)
    assert played.vad.end_silence_ms == 5_000
