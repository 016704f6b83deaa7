"""Speeds: measured by a real engine, and estimated from dimensions."""

import os
import struct
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.program import ASSETS, MODEL, SPEECH, read_wave
from support.speeds import FAST, ON_CPU, SLOW, measurement
from support.waiting import wait_until

from vivavoce.actors.transcription.engines.base import EngineError
from vivavoce.actors.transcription.machine import SharedLoad, calibrate, cuda_device, probe_machine
from vivavoce.actors.transcription.model_choice import choose
from vivavoce.actors.transcription.speed import measure_speed, model_costs
from vivavoce.actors.transcription.speed_cache import SpeedCache, conditions
from vivavoce.actors.transcription.whisper_costs import (
    FINAL_SECONDS,
    SIZES,
    Cost,
    Dimensions,
    MachineSpeed,
    cost,
    encode_flops,
    read_dimensions,
    scaled,
)
from vivavoce.config.schema import TranscriptionSettings


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


# -- the real thing


@pytest.mark.engine
async def test_a_model_is_measured_by_a_real_engine(environ) -> None:
    heard: list[tuple[str, int, int]] = []
    speech = read_wave(SPEECH / "talk-2-rms.wav")
    found = await measure_speed(
        str(MODEL),
        ON_CPU,
        speech,
        environ=environ,
        on_progress=lambda what, done, total: heard.append((what, done, total)),
    )
    assert heard[0] == (str(MODEL), 0, 4)
    assert 0.0 < found.cost.partial_s < found.cost.final_s < 30
    assert 50e6 < found.cost.memory_bytes < 1e9
    assert found.load_s > 0
    assert (found.device, found.compute_type) == ("cpu", "int8")
    assert found.dimensions == read_dimensions(MODEL)
    assert 0.0 <= found.others_share <= 1.0
    SpeedCache(environ).add_measurement(found)
    assert SpeedCache(environ).measurements(conditions(ON_CPU)) == [found]
    with pytest.raises(ValueError, match="6 s of speech"):
        await measure_speed(str(MODEL), ON_CPU, speech[:64_000], environ=environ)


@pytest.mark.engine
async def test_a_model_that_is_not_here_is_not_fetched_to_be_measured(environ, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", environ["XDG_CACHE_HOME"])
    with pytest.raises(EngineError, match="not on this machine"):
        await measure_speed("tiny.en", ON_CPU, bytes(400_000), environ=environ)


@pytest.mark.process
async def test_the_processor_is_measured_in_a_process_of_its_own() -> None:
    speed, others_share = await calibrate(1)
    assert 0.0 <= others_share <= 1.0
    assert speed.flops > 0  # how much is a matter of who else works
    assert speed.bandwidth > 0


def test_this_machine_has_cores_and_memory() -> None:
    here = probe_machine(cuda=True)
    assert here.cores >= 1
    assert 0 < here.available_bytes <= here.total_bytes


@pytest.mark.parametrize(
    ("says", "name"),
    [
        ("echo 'NVIDIA H100, 80GB HBM3, 81559, 80000'", "NVIDIA H100, 80GB HBM3"),
        ("echo 'No devices were found'", None),
        ("exit 9", None),
        ("true", None),
    ],
)
def test_the_driver_tells_of_a_gpu(tmp_path: Path, monkeypatch, says, name) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{says}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    found = cuda_device()
    assert (found.name if found else None) == name
    if found:
        assert found.available_bytes == 80_000 * 2**20


@pytest.mark.parametrize("plugged", [True, False, None])
def test_a_battery_is_noticed(monkeypatch, plugged) -> None:
    battery = SimpleNamespace(power_plugged=plugged)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert probe_machine(cuda=False).on_battery is (plugged is False)


@pytest.mark.process
def test_the_work_of_others_is_noticed() -> None:
    own = SharedLoad(os.getpid())
    began = time.process_time()
    while time.process_time() - began < 0.3:
        pass
    mine = own.others_share()
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        load = SharedLoad(os.getpid())
        wait_until(lambda: load.others_share() > 0, "the work of others is not seen")
        others = load.others_share()
    finally:
        busy.kill()
        busy.wait()
    assert 0.0 <= mine <= 1.0
    assert 0.0 < others <= 1.0


# -- dimensions and costs


def test_the_sizes_have_the_published_parameters() -> None:
    # Millions, counted from the published weights (for distil-whisper and turbo: the model cards).
    published = {"tiny": 37.8, "base": 72.6, "small": 241.7, "medium": 764, "large-v2": 1543}
    published |= {"large-v3-turbo": 809, "distil-large-v3": 756, "distil-small.en": 166}
    for name, millions in published.items():
        assert SIZES[name].parameters / 1e6 == pytest.approx(millions, rel=0.005), name


def test_dimensions_are_read_from_a_model_and_from_nothing_else(tmp_path: Path) -> None:
    expected = Dimensions(encoder_layers=4, decoder_layers=3, width=256, vocabulary=3766)
    assert read_dimensions(MODEL) == expected
    assert read_dimensions(ASSETS / "speech") is None
    weights = tmp_path / "model.bin"
    for damaged in (b"", b"\x06\0\0\0", (MODEL / "model.bin").read_bytes()[:5_000], bytes(4_000)):
        weights.write_bytes(damaged)
        assert read_dimensions(tmp_path) is None
    weights.write_bytes(struct.pack("<IH", 6, 12) + b"WhisperSpec\0" + b"\xff" * 200)
    assert read_dimensions(tmp_path) is None


@given(st.sampled_from(sorted(SIZES)), st.integers(1, 1_499))
def test_work_grows_with_the_audio(name: str, positions: int) -> None:
    size = SIZES[name]
    assert encode_flops(size, positions) < encode_flops(size, positions + 1)


@pytest.mark.parametrize("speed", [FAST, SLOW])
def test_larger_models_cost_more_and_trimmed_partials_less(speed: MachineSpeed) -> None:
    costs = [cost(SIZES[name], speed) for name in ("tiny", "base", "small", "medium", "large-v3")]
    for smaller, larger in pairwise(costs):
        assert smaller.final_s < larger.final_s
        assert smaller.partial_s < larger.partial_s
        assert smaller.memory_bytes < larger.memory_bytes
    assert all(one.partial_s < one.final_s / 2 for one in costs[1:])
    # Turbo's small decoder makes it faster than the model that it comes from.
    assert cost(SIZES["turbo"], speed).final_s < costs[-1].final_s


@given(st.sampled_from(sorted(SIZES)), st.sampled_from(sorted(SIZES)), st.floats(0.01, 100))
def test_a_measured_model_scales_to_itself_and_there_and_back(a: str, b: str, final_s) -> None:
    known = Cost(final_s=final_s, partial_s=final_s / 4, memory_bytes=3e8)
    there = scaled(known, SIZES[a], SIZES[b], SLOW, weight_bytes=1.0)
    back = scaled(there, SIZES[b], SIZES[a], SLOW, weight_bytes=1.0)
    assert back.final_s == pytest.approx(known.final_s)
    assert back.partial_s == pytest.approx(known.partial_s)


def test_estimates_come_from_the_most_similar_measurement(environ) -> None:
    measured = [measurement(environ, "tiny.en", 0.1), measurement(environ, "small.en", 3.0)]
    found = model_costs(
        ["tiny.en", "medium.en", "base.en"], measured, FAST, ON_CPU, environ=environ
    )
    tiny, medium, base = found
    assert tiny.source == "measured"
    assert tiny.real_time_factor == pytest.approx(0.1 / FINAL_SECONDS)
    assert medium.source == base.source == "estimated"
    assert medium.basis == "from small.en"
    assert base.basis == "from tiny.en"
    assert 2 * 3.0 < medium.real_time_factor * FINAL_SECONDS < 5 * 3.0
    assert not any(one.here for one in found)


def test_without_measurements_the_processor_decides_and_a_gpu_only_if_told(environ) -> None:
    (on_cpu,) = model_costs(["small.en"], (), SLOW, ON_CPU, environ=environ)
    assert on_cpu.basis == "from the speed of the processor"
    with_gpu = TranscriptionSettings(device="cuda")
    (on_gpu,) = model_costs(["small.en"], (), SLOW, with_gpu, environ=environ)
    assert on_gpu.device == "cuda"
    assert on_gpu.real_time_factor < on_cpu.real_time_factor
    own, nothing = str(MODEL), str(ASSETS / "speech")
    found = model_costs([own, nothing], (), SLOW, ON_CPU, environ=environ)
    assert [one.name for one in found] == [own]
    assert found[0].languages == "en"


def test_a_measurement_on_a_busy_machine_is_marked(environ) -> None:
    busy = measurement(environ, "tiny.en", 0.1, others_share=0.5)
    tiny, base = model_costs(["tiny.en", "base.en"], [busy], FAST, ON_CPU, environ=environ)
    assert tiny.busy
    assert base.busy
    choice = choose(probe_machine(cuda=False), [tiny, base])
    assert choice.reason.endswith("while the machine was busy)")
