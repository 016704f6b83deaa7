"""`vivavoce models recommend` and `model: auto`, as a user has them."""

import json
from pathlib import Path

import pytest
from support.program import MODEL, SPEECH, isolated, run

pytestmark = pytest.mark.process

UTTERANCE = str(SPEECH / "utt-007-kal16.wav")


def have(home: Path, name: str) -> None:
    """Put the small test model where the hub would keep ``name``."""
    hub = Path(isolated(home)["HF_HOME"]) / "hub" / f"models--Systran--faster-whisper-{name}"
    (hub / "refs").mkdir(parents=True)
    (hub / "refs" / "main").write_text("abc")
    (hub / "snapshots").mkdir()
    (hub / "snapshots" / "abc").symlink_to(MODEL)


def test_without_a_model_it_is_an_estimate_and_says_so(tmp_path: Path) -> None:
    told = run(tmp_path, "models", "recommend")
    assert told.code == 0, told.err
    assert told.err == ""
    for name in ("tiny.en", "base.en", "small.en", "large-v3"):
        assert name in told.out
    assert "measured" not in told.out.replace("to measure", "")
    assert "Estimated from the speed of the processor: `vivavoce models pull" in told.out
    assert told.out.count("→") == 1
    data = json.loads(run(tmp_path, "models", "recommend", "--json").out)
    # A busy machine is measured anew each time, so the two may differ in what they choose.
    assert any(f"→ {one['name']}" in told.out for one in data["models"])
    assert data["command"] == f"vivavoce --model {data['model']}"
    assert [one["name"] for one in data["models"] if one["chosen"]] == [data["model"]]


@pytest.mark.engine
def test_a_model_that_is_here_is_measured_once(tmp_path: Path) -> None:
    chosen = run(tmp_path, "models", "recommend", str(MODEL), "--json")
    assert chosen.code == 0, chosen.err
    first = json.loads(chosen.out)["models"][0]
    assert first["source"] == "measured"
    assert first["here"]
    assert 0 < first["real_time_factor"] < 20
    again = run(tmp_path, "models", "recommend", "--models", f"{MODEL},base.en", "--json")
    own, base = json.loads(again.out)["models"]
    for figure in ("source", "real_time_factor", "partial_s", "memory_bytes"):
        assert own[figure] == first[figure]
    assert (base["source"], base["basis"]) == ("estimated", f"from {MODEL}")
    assert base["real_time_factor"] > own["real_time_factor"]
    fresh = run(tmp_path, "models", "recommend", "--fresh", str(MODEL), "--json")
    assert json.loads(fresh.out)["models"][0]["real_time_factor"] != first["real_time_factor"]


def test_wrong_names_are_one_line(tmp_path: Path) -> None:
    wrong = run(tmp_path, "models", "recommend", "smal.en")
    assert wrong.code == 1
    assert "did you mean 'small.en'" in wrong.err
    empty = run(tmp_path, "models", "recommend", str(tmp_path))
    assert empty.code == 1
    assert "holds no CTranslate2 Whisper model" in empty.err
    for told in (wrong, empty):
        assert len(told.err.splitlines()) == 1


def test_other_languages_have_other_models(tmp_path: Path) -> None:
    data = json.loads(run(tmp_path, "models", "recommend", "--language", "de", "--json").out)
    assert not data["model"].endswith(".en")
    assert "transcription.language=de" in data["command"]


def test_a_language_is_checked_as_the_setting_is(tmp_path: Path) -> None:
    told = json.loads(run(tmp_path, "models", "recommend", "--language", "de-CH", "--json").out)
    assert "transcription.language=de" in told["command"]
    for line in (["models", "recommend"], ["clean", "hello"]):
        wrong = run(tmp_path, *line, "--language", "jp")
        assert wrong.code == 2
        assert "did you mean 'ja' (Japanese)?" in wrong.err


def test_doctor_says_what_auto_would_be(tmp_path: Path) -> None:
    findings = json.loads(run(tmp_path, "doctor", "--json").out)
    (found,) = [one for one in findings if one["check"] == "model: auto"]
    assert found["text"].startswith("would be ")
    assert "real time" in found["text"]
    assert "models recommend" in found["fix"]


@pytest.mark.engine
@pytest.mark.parametrize("offline", ["true", "false"])
def test_auto_runs_with_what_is_here_where_nothing_can_be_fetched(tmp_path, offline) -> None:
    have(tmp_path, "tiny.en")
    heard = run(
        tmp_path,
        *("--model", "auto", "--set", "transcription.language=en", "--source", UTTERANCE),
        *("--pace", "max", "--format", "jsonl", "--set", "log.level=info"),
        *("--set", "transcription.device=cpu", "--set", f"transcription.offline={offline}"),
    )
    assert heard.code == 0, heard.err
    assert {final["model"] for final in heard.finals} == {"tiny.en"}
    assert "model: auto is tiny.en: " in heard.err
    heard.assert_balanced()


def test_a_draft_cannot_be_auto(tmp_path: Path) -> None:
    wrong = run(tmp_path, "profiles", "show", "captions", "--set", "transcription.draft=auto")
    assert wrong.code == 2
    assert "transcription.draft: only `model` can be chosen by itself" in wrong.err
