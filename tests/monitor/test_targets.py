"""Findings, and advice that names a setting which exists and may be set so."""

import pytest

from vivavoce.actors.monitor.advice import _RULES, recommend, smaller_model
from vivavoce.actors.monitor.leaks import Growth, TypeGrowth
from vivavoce.actors.monitor.slopes import Slope
from vivavoce.actors.monitor.targets import FAULTS, TARGETS, Facts, Judge
from vivavoce.config import load_profile
from vivavoce.config.monitoring import TargetSettings
from vivavoce.config.schema import Profile

GROWTH = Growth(slope=Slope(value=6.0, low=5.0, high=7.0), hours=4.0)
BAD = Facts(
    at=100.0,
    partial_p95_s=1.5,
    final_p95_s=2.5,
    lag_s=4.2,
    loop_lag_p999_s=0.04,
    main_bytes=200_000_000,
    engine_bytes=900_000_000,
    listening_cpu_percent=3.0,
    idle_cpu_percent=2.0,
    leak=GROWTH,
    objects=GROWTH,
    growing_types=(TypeGrowth(name="app.Kept", count=9_000, more=8_000),),
    drain_percent_per_hour=20.0,
    lost_samples=16_000,
    dropped={"slow": 12, "slower": 30},
    stalled={"deaf": 7.0, "deafer": 9.0},
    engine_hangs=1,
    engine_restarts=2,
    actor_restarts=1,
    memory_short_s=12.0,
    model="small.en",
    real_time_factor=1.4,
)
ALL = TargetSettings(engine_memory_mb=500.0, battery_percent_per_hour=10.0)


def advised(facts: Facts, *overrides: str) -> list[str]:
    profile = load_profile("captions", environ={}, overrides=overrides)
    findings = Judge().judge(facts, ALL)
    return [one.text for one in recommend(findings, facts, profile)]


def test_every_setting_in_targets_is_judged() -> None:
    assert set(TARGETS) == set(TargetSettings.__struct_fields__)
    assert set(TARGETS) | set(FAULTS) == set(_RULES)


def test_everything_bad_is_found_with_its_unit() -> None:
    found = {one.name: one for one in Judge().judge(BAD, ALL)}
    assert set(found) == set(TARGETS) | set(FAULTS)
    assert (found["lag_s"].measured, found["lag_s"].target, found["lag_s"].unit) == (4.2, 3.0, "s")
    assert found["partial_ms"].measured == 1_500
    assert found["main_memory_mb"].measured == 200
    assert found["lost_audio"].measured == 1.0
    assert found["dropped_events"].measured == 42
    assert found["stalled_subscriber"].measured == 9.0


def test_a_hang_is_not_told_as_a_crash_too() -> None:
    (hang,) = Judge().judge(Facts(engine_hangs=1, engine_restarts=1), ALL)
    assert (hang.name, hang.measured) == ("engine_hangs", 1)
    assert "did not answer" in hang.what
    both = Judge().judge(Facts(engine_hangs=1, engine_restarts=3), ALL)
    assert [(one.name, one.measured) for one in both] == [
        ("engine_hangs", 1),
        ("engine_restarts", 2),
    ]


def test_who_is_to_blame_is_named() -> None:
    found = {one.name: one.what for one in Judge().judge(BAD, ALL)}
    assert found["dropped_events"] == "events lost by slow readers ('slower' 30, 'slow' 12)"
    both = "subscribers 'deaf', 'deafer' do not read and hold up the pipeline"
    assert found["stalled_subscriber"] == both
    (one,) = Judge().judge(Facts(stalled={"screen": 6.0}), ALL)
    assert one.what == "subscriber 'screen' does not read and holds up the pipeline"


def test_what_to_do_about_a_reader_is_said_by_its_name() -> None:
    (text,) = advised(Facts(stalled={"screen": 6.0}))
    assert text.startswith("subscriber 'screen' does not read and holds up the pipeline (for 6 s):")
    assert "Overload.DROP_OLDEST" in text
    (text,) = advised(Facts(stalled={"events": 6.0}))
    assert "pipeline.events()" in text
    assert "buffer_events=False" in text
    (text,) = advised(Facts(dropped={"slow": 12, "slower": 30}))
    assert "let 'slower' read faster" in text


def test_nothing_known_is_nothing_found() -> None:
    assert Judge().judge(Facts(), ALL) == ()
    assert Judge().judge(Facts(engine_bytes=10**12), TargetSettings()) == (), "no target"


def test_just_on_target_is_on_target() -> None:
    assert Judge().judge(Facts(lag_s=3.0, main_bytes=120_000_000), ALL) == ()


def test_a_finding_remembers_since_when_until_it_is_mended() -> None:
    judge = Judge()
    assert judge.judge(Facts(at=10, lag_s=5), ALL)[0].since == 10
    assert judge.judge(Facts(at=20, lag_s=6), ALL)[0].since == 10
    assert judge.judge(Facts(at=30, lag_s=1), ALL) == ()
    assert judge.judge(Facts(at=40, lag_s=5), ALL)[0].since == 40


def test_the_advice_for_lag_names_the_speed_and_two_ways_out() -> None:
    first, second = advised(Facts(lag_s=4.2, model="small.en", real_time_factor=1.4))
    assert first == (
        "lag 4.2 s in the last minute: model small.en decodes at 1.4× real time here: "
        "try transcription.model: base.en (the next smaller model)"
    )
    assert "try transcription.partials: false" in second


def test_a_fast_model_is_not_blamed_for_lag() -> None:
    texts = advised(Facts(lag_s=4.2, model="small.en", real_time_factor=0.1))
    assert "transcription.partials: false" in texts[0]
    (only,) = advised(
        Facts(lag_s=4.2, model="small.en", real_time_factor=0.1),
        "transcription.partials=false",
        "transcription.beam_size=1",
    )
    assert "base.en" in only, "what else is left"


def test_advice_that_is_followed_is_not_given_again() -> None:
    facts = Facts(final_p95_s=3.0, model="tiny.en")
    assert "beam_size: 1" in advised(facts)[0]
    assert not any("beam_size" in text for text in advised(facts, "transcription.beam_size=1"))


def test_a_leak_names_the_types() -> None:
    (text,) = advised(Facts(leak=GROWTH, growing_types=BAD.growing_types))
    assert "6 MB/h over the last 4.0 h" in text
    assert "app.Kept (+8,000)" in text
    (text,) = advised(Facts(leak=GROWTH))
    assert "native library" in text


def test_no_setting_is_advised_twice() -> None:
    findings = Judge().judge(BAD, ALL)
    settings = [one.setting for one in recommend(findings, BAD, Profile()) if one.setting]
    assert len(settings) == len(set(settings))


WORST = (
    "capture.ring_s=600",
    "vad.gate=false",
    "transcription.final_context=full",
    "transcription.partial_context=full",
    "transcription.partial_interval_ms=900",
    "transcription.overload_ladder=false",
    "transcription.compute_type=float32",
    "transcription.threads=1",
    "power.idle.detector=true",
    "power.idle.block_ms=32",
    "power.listening.block_ms=32",
)


@pytest.mark.parametrize("overrides", [(), WORST], ids=["as shipped", "at its worst"])
@pytest.mark.parametrize("name", sorted(_RULES))
def test_every_advice_can_be_followed(name: str, overrides: tuple[str, ...]) -> None:
    overrides = ("transcription.model=small.en", *overrides)
    profile = load_profile("captions", environ={}, overrides=overrides)
    (finding,) = (one for one in Judge().judge(BAD, ALL) if one.name == name)
    advice = recommend([finding], BAD, profile)
    assert advice, f"no advice for {name}"
    for one in advice:
        assert "\n" not in one.text
        if one.setting:
            changed = load_profile(
                "captions",
                environ={},
                overrides=[*overrides, f"{one.setting}={one.value}"],
            )
            assert changed != profile, f"{one.setting}: {one.value} changes nothing"
            assert f"{one.setting}: {one.value}" in one.text


@pytest.mark.parametrize(
    ("model", "smaller"),
    [
        ("small.en", "base.en"),
        ("medium", "small"),
        ("large-v3", "medium"),
        ("tiny.en", None),
        ("/models/mine", None),
        ("", None),
    ],
)
def test_the_next_smaller_model(model: str, smaller: str | None) -> None:
    assert smaller_model(model) == smaller
