"""The tools for tests of one's own actors, as docs/embedding.md and their docstrings show them."""

import asyncio
import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vivavoce
from vivavoce import testing
from vivavoce.actors.transcription.client import EngineClient
from vivavoce.actors.transcription.engines.base import SessionOptions
from vivavoce.testing import ScriptedEngine, run_actor, run_virtual, speech

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "src/vivavoce/assets"


@pytest.mark.process
def test_the_example_of_the_page_passes(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/embedding.md").read_text(), re.DOTALL
    )
    (tmp_path / "test_shout.py").write_text(example)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "test_shout.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_examples_of_the_docstrings_run() -> None:
    outcome = doctest.testmod(testing)
    assert outcome.failed == 0
    assert outcome.attempted >= 8


def test_every_public_name_says_what_it_is() -> None:
    for name in testing.__all__:
        found = getattr(testing, name)
        if inspect.isclass(found) or inspect.isfunction(found):
            assert found.__doc__, name


@pytest.mark.process
def test_who_does_not_test_does_not_import_it() -> None:
    probe = (
        "import sys, vivavoce, vivavoce.cli.session;"
        "print([m for m in sys.modules if m == 'vivavoce.testing'])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


# -- the clip


def test_the_clip_is_small_and_says_whose_it_is() -> None:
    assert (ASSETS / "speech.wav").stat().st_size <= 400_000
    assert "public domain" in (ASSETS / "speech-LICENSE.txt").read_text()


def test_the_words_of_the_clip_are_its_text_in_order() -> None:
    clip = speech()
    assert " ".join(word.text for word in clip.words) == clip.text
    edges = [edge for word in clip.words for edge in (word.start, word.end)]
    assert edges == sorted(edges)
    assert edges[-1] < len(clip.samples) == 12 * vivavoce.SAMPLE_RATE
    assert not clip.samples.flags.writeable


def test_words_are_found_wherever_the_clip_stands() -> None:
    clip = speech()
    shifted = np.concatenate([np.zeros(123, np.int16), clip.samples, clip.samples[:30_000]])
    found = clip.words_in(shifted)
    assert found[: len(clip.words)] == tuple(
        vivavoce.Word(text=w.text, start=w.start + 123, end=w.end + 123, probability=0.9)
        for w in clip.words
    )
    assert [word.text for word in found[len(clip.words) :]] == ["I", "believe", "that", "this"]
    assert clip.words_in(shifted[::2]) == ()


# -- one actor alone


class Counting(vivavoce.Actor[int, str]):
    """Tells each number, fails when it is told to, and says how many there were."""

    def __init__(self, fails_at: tuple[int, ...] = ()) -> None:
        super().__init__("counting")
        self.fails_at = list(fails_at)
        self.told = 0

    async def on_message(self, message: int) -> None:
        if message in self.fails_at:
            self.fails_at.remove(message)
            raise RuntimeError(f"no {message}")
        self.told += 1
        await self.emit(f"{message}")

    async def on_stop(self) -> None:
        if self.inbox.closed and not len(self.inbox):
            await self.emit(f"{self.told} in all")


def alone(actor: vivavoce.Actor[Any, Any], *messages: Any, **settings: Any) -> list[Any]:
    return run_virtual(lambda: run_actor(actor, *messages, **settings))


def test_an_actor_alone_lives_from_start_to_stop() -> None:
    numbers = range(200)  # more than its mailbox holds
    assert alone(Counting(), *numbers) == [*map(str, numbers), "200 in all"]


def test_its_failure_is_the_failure_of_the_test() -> None:
    with pytest.raises(vivavoce.ActorFailed, match="no 7") as failed:
        alone(Counting((7,)), *range(200))
    assert isinstance(failed.value.__cause__, RuntimeError)


def test_with_restarts_the_message_is_delivered_once_more() -> None:
    assert alone(Counting((1,)), 0, 1, 2, restarts=1) == ["0", "1", "2", "3 in all"]


def test_one_that_hangs_is_named() -> None:
    class Hangs(vivavoce.Actor[int, int]):
        async def on_message(self, message: int) -> None:
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match="hangs did not come to its end in 60 s"):
        alone(Hangs(), *range(200))


# -- the engine


def test_a_scripted_engine_is_an_engine() -> None:
    engine: EngineClient = ScriptedEngine()
    assert engine.info is None


def test_who_waits_for_an_engine_that_is_killed_is_told() -> None:
    async def scene() -> None:
        engine = ScriptedEngine(exact_s=100.0)
        await engine.start()
        deaths: list[vivavoce.EngineDied] = []
        engine.on_death = deaths.append
        await engine.open(1, SessionOptions())
        await engine.feed(1, bytes(2_000))
        waiting = asyncio.create_task(engine.final(1, 1_000))
        await asyncio.sleep(1)
        engine.die()
        with pytest.raises(vivavoce.EngineDied, match="killed"):
            await waiting
        assert len(deaths) == 1
        assert asyncio.get_running_loop().time() < 10
        with pytest.raises(vivavoce.EngineDied, match="does not run"):
            await engine.feed(1, b"")
        await engine.start()
        assert (engine.starts, engine.sessions) == (2, {})

    run_virtual(scene)
