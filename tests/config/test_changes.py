"""What is told about a change of the profile."""

import pytest

from vivavoce.config import Profile, load_profile
from vivavoce.config.changes import changes

DESCRIPTION = load_profile(environ={}).description


def load(*overrides: str) -> Profile:
    return load_profile(environ={}, overrides=overrides)


def told(before: list[str], after: list[str]) -> list[str]:
    return [str(change) for change in changes(load(*before), load(*after))]


def test_what_is_the_same_is_no_change() -> None:
    assert changes(load(), load()) == []
    assert told(["vad.threshold=0.5"], []) == []


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ([], ["transcription.partial_interval_ms=400"],
         "transcription.partial_interval_ms: 250 → 400"),
        ([], ["transcription.draft=tiny.en"], 'transcription.draft: null → "tiny.en"'),
        ([], ["capture.device=[a, b]"], 'capture.device: null → ["a","b"]'),
        ([], ["log.levels.capture=info"], 'log.levels.capture: not set → "info"'),
        (["log.levels.capture=info"], [], 'log.levels.capture: "info" → not set'),
        ([], ["power.idle.block_ms=256"], "power.idle.block_ms: 512 → 256"),
        ([], ["power.on_battery.settings.power.park_after_s=5"],
         "power.on_battery.settings.power.park_after_s: 60.0 → 5"),
        ([], [f"description={'x' * 100}"], f'description: "{DESCRIPTION[:39]}… → "{"x" * 39}…'),
    ],
)  # fmt: skip
def test_a_change_names_the_setting_and_both_values(before, after, line) -> None:
    assert told(before, after) == [line]


def test_changes_come_in_the_order_of_the_schema() -> None:
    lines = told([], ["power.idle_after_s=7", "vad.threshold=0.6", "capture.ring_s=9"])
    assert [line.split(".")[0] for line in lines] == ["capture", "vad", "power"]


def test_a_persons_own_words_are_not_told() -> None:
    after = [
        "transcription.initial_prompt=secret",
        "transcription.hotwords=secret",
        "cleanup.replacements={secret: word}",
        "power.low_battery.settings.transcription.hotwords=secret",
    ]
    lines = told([], after)
    assert len(lines) == 4
    assert not any("secret" in line for line in lines)
