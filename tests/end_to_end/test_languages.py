"""Languages as a user gives them: understood, or refused in one line before anything is heard."""

from pathlib import Path

import pytest
from support.program import Outcome, run
from support.shared import shared

pytestmark = [pytest.mark.process, pytest.mark.engine]


def captions(home: Path, model: str, *settings: str) -> Outcome:
    sets = [word for one in settings for word in ("--set", f"transcription.{one}")]
    return run(
        home,
        *("run", "captions", "--source", str(shared("speech", "real", "jfk.wav"))),
        *("--pace", "max", "--format", "jsonl", "--model", str(shared("models", model)), *sets),
    )


@pytest.mark.parametrize("code", ["en-US", "English", "auto"])
@pytest.mark.parametrize("model", ["whisper-tiny.en", "whisper-base"])
def test_english_is_understood(tmp_path: Path, model: str, code: str) -> None:
    told = captions(tmp_path, model, f"language={code}")
    assert told.code == 0, told.err
    assert {final["language"] for final in told.finals} == {"en"}
    assert "country" in " ".join(told.texts)
    told.assert_balanced()


@pytest.mark.parametrize(("code", "right"), [("German", "de"), ("zh-CN", "zh")])
def test_another_language_reaches_the_model(tmp_path: Path, code: str, right: str) -> None:
    told = captions(tmp_path, "whisper-base", f"language={code}")
    assert told.code == 0, told.err
    assert {final["language"] for final in told.finals} == {right}
    assert all(final["words"] for final in told.finals)


@pytest.mark.parametrize("setting", ["language=jp", "language=en,de", "languages=[en, klingon]"])
def test_what_is_no_language_is_refused_before_anything_is_heard(
    tmp_path: Path, setting: str
) -> None:
    for model in ("whisper-tiny.en", "whisper-base"):
        told = captions(tmp_path, model, setting)
        assert (told.code, told.out) == (2, "")
        assert len(told.err.splitlines()) == 1, told.err


@pytest.mark.parametrize(
    ("model", "setting", "words"),
    [
        ("whisper-tiny.en", "language=de", "knows only English"),
        ("whisper-tiny.en", "languages=[en, de]", "knows only English"),
        ("whisper-tiny.en", "task=translate", "knows only English"),
        ("whisper-base", "language=yue", "does not know 'yue'"),
        ("whisper-base", "languages=[zh, yue]", "does not know 'yue'"),
    ],
)
def test_what_the_model_turns_out_not_to_know_is_refused(
    tmp_path: Path, model: str, setting: str, words: str
) -> None:
    told = captions(tmp_path, model, setting)
    assert told.code == 1
    assert not told.finals
    assert words in told.err
    assert len(told.err.splitlines()) == 1, told.err
