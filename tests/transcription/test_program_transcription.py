"""The program itself: drafts with revisions, and noise through the pipeline."""

import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import sounds
from support.program import MODEL, WHISPER, join_waves, run

import vivavoce
from vivavoce.pipeline.messages import Final, Partial, Revision

pytestmark = pytest.mark.engine


def recording(path: Path, pcm: bytes) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(pcm)
    return path


def test_drafts_are_revised_on_the_wire_and_written_once_elsewhere(tmp_path: Path) -> None:
    source = join_waves(tmp_path / "two.wav", "utt-002-awb.wav", "utt-034-slt.wav")
    draft = ["--set", f"transcription.draft={MODEL}", "--set", "transcription.threads=1"]

    def play(kind: str):
        (tmp_path / kind).mkdir()
        return run(tmp_path / kind, "--source", str(source), "--format", kind, *WHISPER, *draft)

    with ThreadPoolExecutor() as pool:
        jsonl, text, srt = pool.map(play, ("jsonl", "text", "srt"))
    assert jsonl.code == text.code == srt.code == 0, jsonl.err + text.err + srt.err

    kinds = [(event["type"], event.get("utterance")) for event in jsonl.events]
    revisions = jsonl.of_type("revision")
    assert len(jsonl.finals) == len(revisions) == 2
    for final, revision in zip(jsonl.finals, revisions, strict=True):
        number = final["utterance"]
        assert kinds.index(("revision", number)) > kinds.index(("final", number))
        assert revision["utterance"] == number
        assert revision["text"] == final["text"], "the same model says the same"
        assert revision["words"] == final["words"]
    assert kinds[-1][0] == "end"
    jsonl.assert_balanced()

    expected = [revision["text"] for revision in revisions]
    assert [line for line in text.out.splitlines() if line] == expected
    assert srt.out.count(" --> ") == 2
    for line in expected:
        assert srt.out.count(line) == 1


NOISES: dict[str, Callable[[float], bytes]] = {
    "silence": sounds.silence,
    "quiet white": lambda s: sounds.white(s, 30),
    "white": lambda s: sounds.white(s, 1_000),
    "loud white": lambda s: sounds.white(s, 10_000),
    "pink": lambda s: sounds.pink(s, 3_000),
    "keyboard": lambda s: sounds.keyboard(s, 5_000),
    "loud keyboard": lambda s: sounds.keyboard(s, 20_000),
}


@pytest.mark.parametrize("detector", ["silero", "open"])
async def test_noise_through_the_whole_pipeline_is_no_caption(
    tmp_path: Path, detector: str
) -> None:
    """3, 8 and 20 s of each; also where the detector takes everything for speech."""
    pcm = b"".join(
        make(seconds) + sounds.silence(1.5)
        for make in NOISES.values()
        for seconds in ((3, 8, 20) if detector == "silero" else (4,))
    )
    source = recording(tmp_path / "noise.wav", pcm)
    overrides = [
        f"capture.source={source}",
        "capture.pace=max",
        "transcription.engine=faster-whisper",
        f"transcription.model={MODEL}",
        "transcription.device=cpu",
    ]
    if detector == "open":
        overrides += ["vad.threshold=0.000002", "vad.release_threshold=0.000001", "vad.gate=false"]
        overrides += ["transcription.longest_window_ms=12000"]
    said = []
    utterances = 0
    async with vivavoce.Pipeline("captions", overrides=overrides) as pipeline:
        async for event in pipeline.events():
            if isinstance(event, Final):
                utterances += 1
                said += [event.text] if event.text else []
            elif isinstance(event, Partial):
                said += [event.stable + event.tail]
            elif isinstance(event, Revision) and event.text:
                said += [event.text]
    assert said == []
    assert utterances >= 3 if detector == "open" else utterances <= 5, utterances
