"""Speeds: kept in a file, and what `model: auto` makes of them."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from support.program import MODEL
from support.speeds import FAST, ON_CPU, SLOW, measurement

from vivavoce.actors.transcription import auto_model
from vivavoce.actors.transcription.auto_model import candidates, choose_model, resolve_model
from vivavoce.actors.transcription.model_choice import CANDIDATES
from vivavoce.actors.transcription.speed_cache import (
    Calibration,
    Conditions,
    SpeedCache,
    conditions,
)
from vivavoce.actors.transcription.whisper_costs import (
    MachineSpeed,
)
from vivavoce.config.schema import LogSettings, TranscriptionSettings
from vivavoce.pipeline.log import LogSink, use_sink


class Told:
    """A text stream that keeps what was logged to it."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.fixture
def told() -> Told:
    stream = Told()
    use_sink(LogSink(lambda: LogSettings(level="info"), stream))
    return stream


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


def put_in_cache(environ: dict[str, str], name: str) -> Path:
    """Put the small test model where the hub would keep ``name``."""
    hub = Path(environ["XDG_CACHE_HOME"]) / "huggingface" / "hub"
    folder = hub / f"models--Systran--faster-whisper-{name}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / "abc").symlink_to(MODEL)
    return folder / "snapshots" / "abc"


# -- the file


def test_what_was_measured_counts_only_where_everything_is_the_same(environ, tmp_path) -> None:
    own = tmp_path / "own"
    shutil.copytree(MODEL, own)
    cache = SpeedCache(environ)
    where = conditions(ON_CPU)
    cache.add_measurement(measurement(environ, str(own), 0.5))
    cache.add_measurement(measurement(environ, str(own), 0.7))
    again = SpeedCache(environ)
    assert [one.cost.final_s for one in again.measurements(where)] == [0.7]
    for change in ({"threads": 77}, {"processor": "abacus"}, {"versions": "ctranslate2 1"}):
        assert again.measurements(msgspec.structs.replace(where, **change)) == []
    (own / "model.bin").write_bytes(b"another model")
    assert again.measurements(where) == []


@pytest.mark.thorough
def test_the_file_is_bounded_and_replaced_whole(environ) -> None:
    cache = SpeedCache(environ)
    where = conditions(ON_CPU)
    for threads in range(1, 200):
        other = msgspec.structs.replace(where, threads=threads)
        cache.add_calibration(Calibration(conditions=other, speed=SLOW))
        cache.add_measurement(measurement(environ, "base.en", 1.0, conditions=other))
    assert cache.path.stat().st_size < 200_000
    assert [path.name for path in cache.path.parent.iterdir()] == ["speed.json"]
    kept = SpeedCache(environ)
    assert kept.calibration(msgspec.structs.replace(where, threads=199)) == SLOW
    assert kept.calibration(msgspec.structs.replace(where, threads=1)) is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"measurements": [{}]}', b" " * 2_000_000],
    ids=["empty", "cut", "binary", "list", "wrong", "huge"],
)
def test_a_damaged_file_is_ignored_with_a_warning_and_mended(environ, told, damage) -> None:
    cache = SpeedCache(environ)
    cache.add_calibration(Calibration(conditions=conditions(ON_CPU), speed=SLOW))
    cache.path.write_bytes(damage)
    read = SpeedCache(environ)
    assert read.calibration(conditions(ON_CPU)) is None
    assert told.text.count("\n") == 1
    assert "speed.json is damaged" in told.text
    read.add_calibration(Calibration(conditions=conditions(ON_CPU), speed=SLOW))
    assert SpeedCache(environ).calibration(conditions(ON_CPU)) == SLOW


def test_nonsense_figures_are_damage(environ, told) -> None:
    cache = SpeedCache(environ)
    cache.add_calibration(Calibration(conditions=conditions(ON_CPU), speed=SLOW))
    contents = json.loads(cache.path.read_bytes())
    contents["calibrations"][0]["speed"]["flops"] = -1
    cache.path.write_text(json.dumps(contents))
    assert SpeedCache(environ).calibration(conditions(ON_CPU)) is None
    assert "damaged" in told.text


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path, told) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    cache = SpeedCache({"XDG_CACHE_HOME": str(tmp_path / "cache")})
    cache.add_calibration(Calibration(conditions=conditions(ON_CPU), speed=SLOW))
    assert "cannot be written" in told.text


# -- model: auto


def calibrated(environ: dict[str, str], speed: MachineSpeed, settings=ON_CPU) -> None:
    fresh = Calibration(conditions=conditions(settings), speed=speed)
    SpeedCache(environ).add_calibration(fresh)


async def test_auto_becomes_a_name_and_says_why(environ, told) -> None:
    calibrated(environ, SLOW)
    slow = await resolve_model(ON_CPU, environ=environ)
    assert slow.model == "tiny.en"
    assert "model: auto is tiny.en: " in told.text
    assert "(estimated)" in told.text
    calibrated(environ, FAST)
    fast = await resolve_model(ON_CPU, environ=environ)
    assert fast == msgspec.structs.replace(ON_CPU, model=fast.model)
    assert CANDIDATES["en"].index(fast.model) > 2


async def test_other_models_and_engines_are_left_alone(environ) -> None:
    for settings in (
        TranscriptionSettings(model="small.en"),
        TranscriptionSettings(model="auto", engine="pocketsphinx"),
    ):
        assert await resolve_model(settings, environ=environ) is settings


async def test_auto_uses_what_was_measured(environ) -> None:
    put_in_cache(environ, "base.en")
    calibrated(environ, FAST)
    cache = SpeedCache(environ)
    cache.add_measurement(measurement(environ, "base.en", 30.0))
    choice = await choose_model(ON_CPU, environ=environ)
    verdict = {one.cost.name: one for one in choice.verdicts}
    assert verdict["base.en"].reason == "too slow here: 5× real time"
    assert choice.model == "tiny.en"
    assert choice.cost.basis == "from base.en"


async def test_offline_auto_takes_only_what_is_here(environ) -> None:
    put_in_cache(environ, "tiny.en")
    calibrated(environ, FAST)
    offline = msgspec.structs.replace(ON_CPU, offline=True)
    assert (await resolve_model(offline, environ=environ)).model == "tiny.en"
    assert (await resolve_model(ON_CPU, environ=environ)).model != "tiny.en"


async def test_auto_without_a_language_takes_a_model_that_knows_them_all(environ) -> None:
    any_language = msgspec.structs.replace(ON_CPU, language=None)
    calibrated(environ, SLOW, any_language)
    assert (await resolve_model(any_language, environ=environ)).model == "tiny"
    put_in_cache(environ, "small.en")
    assert candidates(None, environ) == [*CANDIDATES["all"], "small.en"]


@pytest.mark.parametrize(("others_share", "times"), [(0.0, 1), (0.6, 3)])
async def test_the_processor_is_measured_once_when_it_is_quiet(
    environ, monkeypatch, others_share, times
) -> None:
    runs = []

    async def counted(threads: int, *, python: str | None) -> tuple[MachineSpeed, float]:
        runs.append(threads)
        return SLOW, others_share

    monkeypatch.setattr(auto_model, "calibrate", counted)
    two = msgspec.structs.replace(ON_CPU, threads=2)
    for _ in range(3):
        await resolve_model(two, environ=environ)
    assert runs == [2] * times
    choice = await choose_model(two, environ=environ, fresh=True)
    assert len(runs) == times + 1
    assert choice.cost.busy is (times == 3)


def test_the_conditions_name_what_a_speed_depends_on() -> None:
    where = conditions(msgspec.structs.replace(ON_CPU, threads=3, compute_type="float32"))
    assert isinstance(where, Conditions)
    assert where.threads == 3
    assert where.processor
    assert (where.device, where.compute_type) == ("cpu", "float32")
    assert "ctranslate2 " in where.versions
