"""Bad input gets one clear line, the right exit code, and never a traceback."""

import wave
from pathlib import Path

import pytest
from support.program import MODEL, SPEECH, WHISPER, run

pytestmark = pytest.mark.process

GOOD = SPEECH / "utt-002-awb.wav"


def make(folder: Path, name: str) -> Path:
    path = folder / name
    if name == "empty.wav":
        path.write_bytes(b"")
    elif name == "noise.wav":
        path.write_bytes(bytes(range(256)) * 40)
    elif name == "text.txt":
        path.write_text("this is no sound\n" * 50)
    elif name == "zero-length.wav":
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16_000)
    elif name == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    "name", ["missing.wav", "empty.wav", "noise.wav", "text.txt", "zero-length.wav", "folder"]
)
def test_a_source_that_is_no_sound(tmp_path: Path, name: str) -> None:
    path = make(tmp_path, name)
    out = run(tmp_path / "home", "--source", str(path), "--engine", "pocketsphinx")
    assert out.code == 1
    assert out.out == ""
    assert len(out.err.splitlines()) == 1, out.err
    assert out.err.startswith("vivavoce: error: ")
    assert name in out.err


@pytest.mark.engine
@pytest.mark.parametrize("header", ["sizes", "truncated"])
def test_a_wave_file_with_a_wrong_header_or_end_gives_what_there_is(
    tmp_path: Path, header: str
) -> None:
    data = bytearray(GOOD.read_bytes())
    if header == "sizes":
        data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    else:
        del data[-2001:]
    path = tmp_path / "odd.wav"
    path.write_bytes(data)
    out = run(tmp_path, "--source", str(path), "--pace", "max", "--format", "jsonl", *WHISPER)
    assert out.code == 0, out.err
    assert out.texts
    out.assert_balanced()
    assert "Traceback" not in out.err


@pytest.mark.parametrize(
    ("arguments", "hints"),
    [
        (["captoins"], ["captoins", "captions"]),
        (["--set", "vad.treshold=0.5"], ["vad.treshold", "threshold"]),
        (["--set", "vad.threshold=loud"], ["vad.threshold", "loud"]),
        (["--set", "vad.threshold=7"], ["vad.threshold", "1"]),
        (["--set", "nonsense"], ["nonsense", "="]),
        (["--engine", "wisper"], ["wisper", "faster-whisper"]),
        (["--set", "transcription.engine=wisper"], ["wisper", "faster-whisper"]),
        (["--frobnicate"], ["--frobnicate"]),
        (["./nowhere.yaml"], ["nowhere.yaml"]),
    ],
)
def test_wrong_usage_or_profile_exits_2(
    tmp_path: Path, arguments: list[str], hints: list[str]
) -> None:
    out = run(tmp_path, *arguments)
    assert out.code == 2, out.err
    assert out.out == ""
    assert "Traceback" not in out.err
    for hint in hints:
        assert hint in out.err


def test_a_yaml_syntax_error_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("vad:\n  threshold: [0.5\ncapture: {}\n")
    out = run(tmp_path, str(path))
    assert out.code == 2
    assert len(out.err.splitlines()) == 1, out.err
    assert "broken.yaml:" in out.err


@pytest.mark.engine
@pytest.mark.parametrize(
    ("model", "hint"), [("base.em", "base.en"), ("no-such-folder/model", "no-such-folder")]
)
def test_an_unknown_model(tmp_path: Path, model: str, hint: str) -> None:
    out = run(tmp_path, "--source", str(GOOD), "--engine", "faster-whisper", "--model", model)
    assert out.code == 1
    assert len(out.err.splitlines()) == 1, out.err
    assert hint in out.err


@pytest.mark.smoke
@pytest.mark.engine
def test_no_network_and_no_model_is_one_line_that_names_the_fix(tmp_path: Path) -> None:
    out = run(tmp_path, "--source", str(GOOD), "--engine", "faster-whisper", "--pace", "max")
    assert out.code == 1
    assert "Traceback" not in out.err
    assert "pocketsphinx" in out.err or "models pull" in out.err


@pytest.mark.engine
def test_auto_without_network_falls_back_to_the_bundled_engine_with_a_warning(
    tmp_path: Path,
) -> None:
    out = run(tmp_path, "--source", str(GOOD), "--pace", "max")
    assert out.code == 0, out.err
    assert out.out == "It is the only way\n"
    assert "pocketsphinx" in out.err


@pytest.mark.engine
@pytest.mark.parametrize("broken", ["model.bin", "tokenizer.json", "config.json"])
def test_a_corrupt_model_directory(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for part in MODEL.iterdir():
        if part.name == broken:
            (folder / part.name).write_bytes(b"not what it should be")
        else:
            (folder / part.name).symlink_to(part)
    out = run(tmp_path, "--source", str(GOOD), "--engine", "faster-whisper", "--model", str(folder))
    assert out.code == 1
    assert len(out.err.splitlines()) == 1, out.err
    assert str(folder) in out.err or broken in out.err


def test_no_microphone_is_one_line(tmp_path: Path) -> None:
    out = run(tmp_path, "--set", "capture.device=no such microphone", "--engine", "pocketsphinx")
    assert out.code == 1
    assert len(out.err.splitlines()) == 1, out.err
    assert out.err.startswith("vivavoce: error: ")
