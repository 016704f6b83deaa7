"""The public API, as the README shows it and as other programs use it."""

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.program import MODEL, SPEECH, isolated, read_wave

import vivavoce

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
WHISPER = [
    "transcription.engine=faster-whisper",
    f"transcription.model={MODEL}",
    "transcription.device=cpu",
]
FREEDOM = SPEECH / "utt-007-kal16.wav"  # for pocketsphinx
BOYS = SPEECH / "utt-025-rms.wav"  # for the synthetic-voice Whisper model
SAID = "The boys examined three of them with no result."


def python_examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(python_examples())))
def test_the_readme_examples_run(number: int, tmp_path: Path) -> None:
    shutil.copy(FREEDOM, tmp_path / "talk.wav")
    done = subprocess.run(
        [sys.executable, "-P", "-c", python_examples()[number]],
        cwd=tmp_path,
        env=isolated(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "she has her freedom" in done.stdout.lower()


@pytest.mark.smoke
def test_there_are_examples() -> None:
    assert len(python_examples()) == 3


@pytest.mark.smoke
def test_the_readme_profile_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "mine.yaml"
    path.write_text(example)
    profile = vivavoce.load_profile(path, environ={}, overrides=())
    assert profile.transcription.model == "small.en"
    assert profile.cleanup.replacements == {"viva voce": "vivavoce"}


def samples(name: str = BOYS.name) -> np.ndarray:
    return np.frombuffer(read_wave(SPEECH / name), dtype=np.int16)


@pytest.mark.smoke
async def test_pushed_arrays_become_finals_and_every_sample_is_accounted_for() -> None:
    pcm = samples()
    events = []
    async with vivavoce.Pipeline(
        "captions", source=vivavoce.PushSource(), overrides=WHISPER
    ) as pipeline:

        async def speak() -> None:
            for start in range(0, len(pcm), 1_600):
                await pipeline.feed(pcm[start : start + 1_600].astype(np.float32) / 32_768)
            pipeline.end()

        speaking = asyncio.create_task(speak())
        events = [event async for event in pipeline.events()]
        await speaking
    finals = [event for event in events if isinstance(event, vivavoce.Final)]
    assert [final.text for final in finals] == [SAID]
    assert isinstance(events[-1], vivavoce.EndOfStream)
    ledger = pipeline.statistics().ledger
    assert ledger.balanced
    assert (ledger.captured, ledger.pending) == (len(pcm), 0)


async def test_bad_pushes_are_refused_and_the_pipeline_goes_on() -> None:
    pcm = samples()
    async with vivavoce.Pipeline(
        "captions", source=vivavoce.PushSource(), overrides=WHISPER
    ) as pipeline:
        for bad in (
            np.array([0.0, np.nan], dtype=np.float32),
            np.array([np.inf], dtype=np.float64),
            np.array(["a"]),
            np.zeros((2, 2, 2), dtype=np.int16),
        ):
            with pytest.raises((ValueError, TypeError)) as refused:
                await pipeline.feed(bad)
            assert "\n" not in str(refused.value)
        await pipeline.feed(pcm)
        pipeline.end()
        texts = [e.text async for e in pipeline.events() if isinstance(e, vivavoce.Final)]
    assert texts == [SAID]


async def test_leaving_early_finishes_and_releases_the_engine() -> None:
    import psutil

    async with vivavoce.Pipeline(
        "captions", source=vivavoce.PushSource(), overrides=WHISPER
    ) as pipeline:
        await pipeline.feed(samples())
    ledger = pipeline.statistics().ledger
    assert ledger.pending == 0
    assert ledger.transcribed > 0
    mine = psutil.Process().children(recursive=True)
    assert not [child for child in mine if "engines.host" in " ".join(child.cmdline())]


@pytest.mark.smoke
async def test_a_failing_pipeline_raises_from_the_async_with() -> None:
    async def run() -> None:
        pipeline = vivavoce.Pipeline("offline", overrides=["capture.source=nowhere.wav"])
        async with pipeline:
            async for _ in pipeline.events():
                pass

    with pytest.raises(vivavoce.VivavoceError, match="nowhere"):
        await run()


async def test_a_users_actor_that_fails_is_restarted_and_loses_nothing() -> None:
    class Fragile(vivavoce.Actor):
        name = "fragile"
        failures = 0

        async def on_message(self, message) -> None:
            if isinstance(message, vivavoce.Final) and not self.failures:
                self.failures += 1
                raise RuntimeError("once")
            await self.emit(message)

    pipeline = vivavoce.Pipeline("captions", source=vivavoce.PushSource(), overrides=WHISPER)
    fragile = Fragile()
    pipeline.insert(fragile, after="cleanup")
    async with pipeline:
        await pipeline.feed(samples())
        pipeline.end()
        texts = [e.text async for e in pipeline.events() if isinstance(e, vivavoce.Final)]
    assert texts == [SAID]
    assert fragile.failures == 1
    restarts = pipeline.statistics().counters['vivavoce_actor_restarts_total{actor="fragile"}']
    assert restarts == 1


@pytest.mark.smoke
def test_insert_refuses_what_cannot_be() -> None:
    pipeline = vivavoce.Pipeline("captions", source=vivavoce.PushSource(), overrides=WHISPER)
    for arguments, message in [
        ({"after": "kleanup"}, "no actor 'kleanup'.*cleanup"),
        ({}, "exactly one"),
        ({"before": "capture"}, "source="),
    ]:
        with pytest.raises(ValueError, match=message):
            pipeline.insert(vivavoce.Actor("mine"), **arguments)
    with pytest.raises(ValueError, match="already"):
        pipeline.insert(vivavoce.Actor("vad"), after="vad")


def test_listen_can_be_left_early() -> None:
    captions = vivavoce.listen(overrides=[*WHISPER, f"capture.source={BOYS}", "capture.pace=max"])
    assert next(captions).text == SAID
    captions.close()
