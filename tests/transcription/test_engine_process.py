"""Real engine processes: exact finals, trimmed partials, death, memory, bad models."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.program import MODEL, SPEECH, read_wave

from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    EngineSpec,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.models import REPOSITORIES, cached_model
from vivavoce.pipeline.metrics import Metrics

pytestmark = pytest.mark.engine

WHISPER = EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu")
SPHINX = EngineSpec(engine="pocketsphinx")
BOYS = SPEECH / "utt-025-rms.wav"


class Running:
    def __init__(self, spec: EngineSpec) -> None:
        self.engine = EngineProcess(spec, metrics=Metrics())

    async def __aenter__(self) -> EngineProcess:
        await self.engine.start()
        return self.engine

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()


async def final_of(engine: EngineProcess, path: Path, session: int = 1) -> str:
    await engine.open(session, SessionOptions(language="en"))
    await engine.feed(session, read_wave(path))
    text = (await engine.exact(session)).text
    await engine.close(session)
    return text


@pytest.mark.smoke
async def test_finals_equal_faster_whispers_own_and_can_be_repeated() -> None:
    from faster_whisper import WhisperModel

    pcm = np.frombuffer(read_wave(BOYS), dtype=np.int16).astype(np.float32) / 32_768
    model = WhisperModel(str(MODEL), device="cpu", compute_type="int8")
    segments, _ = model.transcribe(
        pcm, language="en", beam_size=5, word_timestamps=True, condition_on_previous_text=False
    )
    expected = "".join(segment.text for segment in segments).strip()
    async with Running(WHISPER) as engine:
        await engine.open(1, SessionOptions(language="en"))
        audio = read_wave(BOYS)
        for start in range(0, len(audio), 3_200):  # piece by piece, as it is spoken
            await engine.feed(1, audio[start : start + 3_200])
        first = await engine.exact(1)
        await engine.partial(1)
        assert (await engine.exact(1)).text == first.text == expected
        assert [word.text for word in first.words] == expected.split()
        assert 0.0 < first.confidence <= 1.0


async def test_a_trimmed_partial_reads_as_the_final_and_costs_a_fraction() -> None:
    async with Running(WHISPER) as engine:
        await engine.open(1, SessionOptions(language="en"))
        await engine.feed(1, read_wave(BOYS))
        partial, final = await engine.partial(1), await engine.exact(1)
    assert partial.text == final.text
    # No timing is asserted; the engine's own figure must be there for the policy to adapt to.
    assert partial.decode_s > 0


async def test_silence_and_next_to_nothing_give_an_empty_text() -> None:
    async with Running(WHISPER) as engine:
        for number, samples in enumerate((0, 1, 1_000, 48_000)):
            await engine.open(number, SessionOptions(language="en"))
            await engine.feed(number, bytes(2 * samples))
            assert (await engine.partial(number)).text == ""
            assert (await engine.exact(number)).text == ""


async def test_advance_keeps_positions() -> None:
    async with Running(WHISPER) as engine:
        await engine.open(1, SessionOptions(language="en"))
        await engine.feed(1, bytes(64_000) + read_wave(BOYS))
        whole = await engine.exact(1)
        await engine.advance(1, 32_000)
        rest = await engine.exact(1)
    assert rest.samples == whole.samples
    assert rest.words[-1].end > 32_000
    assert abs(rest.words[-1].end - whole.words[-1].end) < 16_000


async def test_pocketsphinx_final_does_not_depend_on_history_or_partials() -> None:
    async with Running(SPHINX) as engine:
        first = await final_of(engine, BOYS, 1)
        await final_of(engine, SPEECH / "utt-010-slt.wav", 2)
        await engine.open(3, SessionOptions())
        audio = read_wave(BOYS)
        for start in range(0, len(audio), 32_000):
            await engine.feed(3, audio[start : start + 32_000])
            await engine.partial(3)
        third = await engine.exact(3)
    assert first == third.text == "the boys examined three of them with no result"
    assert [word.text for word in third.words] == third.text.split()


async def test_pocketsphinx_hears_a_human(tmp_path: Path) -> None:
    async with Running(SPHINX) as engine:
        assert "never been surpassed" in await final_of(engine, SPEECH / "LJ001-0008.wav")


@pytest.mark.smoke
async def test_a_killed_engine_is_noticed_at_once_and_can_be_started_again() -> None:
    async with Running(WHISPER) as engine:
        text = await final_of(engine, BOYS)
        await engine.open(2, SessionOptions(language="en"))
        await engine.feed(2, read_wave(BOYS))
        asking = asyncio.create_task(engine.exact(2))
        await asyncio.sleep(0.02)
        os.kill(engine.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            with pytest.raises(EngineDied, match="SIGKILL") as died:
                await asking
        assert died.value.returncode == -signal.SIGKILL
        assert not engine.alive
        with pytest.raises(EngineDied):
            await engine.exact(2)
        await engine.start()
        assert await final_of(engine, BOYS) == text


async def test_stop_leaves_no_process_and_is_idempotent() -> None:
    engine = EngineProcess(SPHINX, metrics=Metrics())
    await engine.start()
    process = psutil.Process(engine.pid)
    await engine.stop()
    await engine.stop()
    assert not process.is_running()


async def test_a_cancelled_request_does_no_harm() -> None:
    async with Running(WHISPER) as engine:
        await engine.open(1, SessionOptions(language="en"))
        await engine.feed(1, read_wave(BOYS))
        asking = asyncio.create_task(engine.exact(1))
        await asyncio.sleep(0.02)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert (await engine.exact(1)).text == await final_of(engine, BOYS, 2)


async def test_an_unknown_session_is_an_error_and_the_engine_lives_on() -> None:
    async with Running(SPHINX) as engine:
        with pytest.raises(EngineError, match="no session 9"):
            await engine.exact(9)
        assert engine.alive


def test_the_engine_ends_when_its_parent_is_killed() -> None:
    code = (
        "import asyncio,sys\n"
        "from vivavoce.actors.transcription.engine_process import EngineProcess\n"
        "from vivavoce.actors.transcription.engines.base import EngineSpec\n"
        "from vivavoce.pipeline.metrics import Metrics\n"
        "async def main():\n"
        "    engine = EngineProcess(EngineSpec(engine='pocketsphinx'), metrics=Metrics())\n"
        "    await engine.start(); print(engine.pid, flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    assert not psutil.wait_procs([child], timeout=10)[1]


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("base.em", "model_not_found", "did you mean 'base.en'"),
        ("./nowhere", "model_not_found", "nowhere"),
        ("base.en", "model_not_found", "does not answer"),
    ],
)
async def test_models_that_are_not_there(model, kind, words, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    engine = EngineProcess(EngineSpec(engine="faster-whisper", model=model), metrics=Metrics())
    with pytest.raises(EngineError, match=words) as refused:
        await engine.start()
    assert refused.value.kind == kind
    assert not engine.alive


async def test_a_model_in_the_cache_never_touches_the_network(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    folder = tmp_path / "hub" / ("models--" + REPOSITORIES["tiny.en"].replace("/", "--"))
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    shutil.copytree(MODEL, folder / "snapshots" / "abc")
    assert cached_model("tiny.en", os.environ) == folder / "snapshots" / "abc"
    spec = EngineSpec(engine="faster-whisper", model="tiny.en", device="cpu")
    async with Running(spec) as engine:
        assert (await final_of(engine, BOYS)).startswith("The boys")


@pytest.mark.smoke
def test_the_names_are_those_that_faster_whisper_knows() -> None:
    from faster_whisper.utils import available_models

    assert set(available_models()) == set(REPOSITORIES)


@pytest.mark.smoke
def test_the_parent_never_imports_the_model_stack() -> None:
    code = (
        "import asyncio,sys\n"
        "import vivavoce\n"
        f"list(vivavoce.listen('offline', overrides=['capture.source={BOYS}',"
        " 'capture.pace=max']))\n"
        "heavy = {'ctranslate2','faster_whisper','pocketsphinx','huggingface_hub','tokenizers'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
