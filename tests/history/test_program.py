"""The whole program keeps what was said; and one switch turns that off."""

import io
import json
import wave
from pathlib import Path

import pytest
from support.program import SPEECH, WHISPER, run

from vivavoce.actors.history.reading import Reader

RECORDING = str(SPEECH / "utt-002-awb.wav")
KEEP = ["--set", "history.enabled=true", "--set", "history.audio=true"]


@pytest.mark.engine
def test_what_was_said_is_found_again_with_its_sound(tmp_path: Path) -> None:
    arguments = ["run", "--source", RECORDING, "--pace", "max", "--format", "jsonl", *WHISPER]
    said = run(tmp_path, *arguments, *KEEP)
    assert said.code == 0, said.err
    kept = json.loads(run(tmp_path, "history", "list", "--json").out)
    assert [row["text"] for row in reversed(kept)] == said.texts
    for row, final in zip(reversed(kept), said.finals, strict=True):
        assert (row["start"], row["end"]) == (final["start"], final["end"])
        assert (row["engine"], row["profile"]) == ("faster-whisper", "captions")
        assert row["sound"]
    with Reader(tmp_path / "data" / "vivavoce" / "history.sqlite3") as reader:
        sound = reader.wav(kept[0]["id"])
    assert sound is not None
    with wave.open(io.BytesIO(sound)) as replayed, wave.open(RECORDING) as original:
        start, end = (round(kept[0][key] * 16_000) for key in ("start", "end"))
        count = replayed.getnframes()
        assert abs(count - (end - start)) <= 8, "times are told in milliseconds"
        original.setpos(start)
        assert replayed.readframes(count) == original.readframes(count)

    # One switch: nothing at all is written.
    before = {part: part.stat().st_mtime_ns for part in (tmp_path / "data").rglob("*.sqlite3")}
    assert before
    again = run(tmp_path, *arguments, *KEEP, "--set", "persistence=false")
    assert again.texts == said.texts
    assert before == {part: part.stat().st_mtime_ns for part in before}
