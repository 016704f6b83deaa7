"""Every setting has its place in the table of effects, and every component of the log its name."""

import ast
from pathlib import Path

import msgspec
import pytest

from vivavoce.config import Profile, load_profile
from vivavoce.config.components import COMPONENTS
from vivavoce.config.effects import _TABLE, Effect, effect_of, every_setting, keep_until_restart
from vivavoce.config.fields import field_type

ROOT = Path(__file__).parents[2]


def test_every_setting_of_the_schema_is_classified() -> None:
    settings = list(every_setting())
    assert len(settings) > 80
    assert ("transcription", "hold_back_words") in settings
    assert [".".join(path) for path in settings if effect_of(path) is None] == []


def test_the_table_names_only_settings_that_exist() -> None:
    assert [path for path in _TABLE if field_type(tuple(path.split("."))) is None] == []
    assert effect_of(("capture", "nonsense")) is None


@pytest.mark.parametrize(
    ("path", "effect"),
    [
        ("capture.source", Effect.NEXT_START),
        ("metrics.listen", Effect.NEXT_START),
        ("transcription.model", Effect.ENGINE),
        ("transcription.partial_interval_ms", Effect.AT_ONCE),
        ("cleanup.replacements", Effect.NEXT_UTTERANCE),
        ("vad.threshold", Effect.NEXT_SILENCE),
        ("power.idle.block_ms", Effect.AT_ONCE),
    ],
)
def test_some_effects(path: str, effect: Effect) -> None:
    assert effect_of(tuple(path.split("."))) is effect


def test_what_takes_effect_at_the_next_start_stays_as_it_runs() -> None:
    def load(*overrides: str) -> Profile:
        return load_profile(environ={}, overrides=overrides)

    running = load("captions.format=jsonl", "supervisor.backoff_ms=7")
    new = load("captions.format=srt", "captions.colour=never", "vad.threshold=0.6")
    kept = keep_until_restart(running, new)
    assert (kept.captions.format, kept.supervisor.backoff_ms) == ("jsonl", 7)
    assert (kept.captions.colour, kept.vad.threshold) == ("never", 0.6)
    assert msgspec.structs.replace(kept, captions=new.captions, supervisor=new.supervisor) == new


@pytest.mark.thorough
def test_the_list_of_components_is_that_of_the_loggers_in_the_source() -> None:
    used = set()
    for room in ("pipeline", "actors", "src/vivavoce", "bench"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "get_logger":
                    (name,) = node.args
                    assert isinstance(name, ast.Constant), f"{path}: a logger's name is a constant"
                    used.add(name.value)
    assert used == set(COMPONENTS), "config/components.py lists what `log.levels` knows"
