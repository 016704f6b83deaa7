"""What the page on power says is what the defaults are."""

import re
from pathlib import Path

import pytest

from vivavoce.config import load_profile
from vivavoce.config.power import PowerSettings
from vivavoce.pipeline.messages import PowerMode

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "power.md").read_text()
ROWS = {
    cells[0].strip("`"): cells
    for line in PAGE.partition("## What it costs")[0].splitlines()
    if line.startswith("| `")
    and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 6
}


def test_every_mode_has_its_row() -> None:
    assert list(ROWS) == [str(mode) for mode in PowerMode]


@pytest.mark.parametrize("mode", list(PowerMode))
def test_a_row_says_what_the_mode_means(mode) -> None:
    _, _, blocks, detector, engine, microphone = ROWS[mode]
    settings = getattr(PowerSettings(), mode)
    if mode is not PowerMode.CLOSED:
        assert blocks == f"{settings.block_ms} ms"
    assert (detector == "awake") == settings.detector
    assert (engine == "loaded") == (settings.engine == "resident")
    assert (microphone == "open") == (settings.microphone == "open")


def test_a_row_says_when_it_is_entered() -> None:
    settings = PowerSettings()
    assert f"{settings.listening_after_s:g} s of silence" in ROWS["listening"][1]
    assert settings.idle_after_s == 60
    assert "1 minute" in ROWS["idle"][1]
    assert settings.park_after_s == 600
    assert "10 minutes" in ROWS["parked"][1]
    assert settings.close_after_s is None
    assert "never" in ROWS["closed"][1]


def test_the_example_is_a_profile(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "mine.yaml"
    path.write_text(example)
    power = load_profile(path, environ={}).power
    assert (power.park_after_s, power.close_after_s, power.reopen_after_s) == (120, 3_600, 600)
    assert power.listening.block_ms == 32
    assert power.listening.detector


def test_the_battery_does_what_the_page_says() -> None:
    settings = PowerSettings().on_battery.settings
    assert settings == {
        "transcription": {"draft": None, "partial_interval_ms": 500},
        "power": {"park_after_s": 60.0},
    }
