"""docs/monitoring.md says what is so."""

import re
from pathlib import Path

from vivavoce.actors.monitor.prometheus import BOUNDS
from vivavoce.actors.monitor.targets import FAULTS
from vivavoce.actors.monitor.words import WORDS
from vivavoce.cli import COMMANDS
from vivavoce.config.monitoring import TargetSettings

PAGE = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()


def test_every_target_is_there_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
    defaults = TargetSettings()
    assert set(rows) == set(TargetSettings.__struct_fields__)
    for name, told in rows.items():
        default = getattr(defaults, name)
        assert told == ("–" if default is None else f"{default:g}"), name


def test_every_fault_is_there() -> None:
    table = PAGE.partition("| fault | what happened |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(FAULTS)


def test_every_name_is_one_that_is_served() -> None:
    names = set(re.findall(r"vivavoce_[a-z_]+", PAGE))
    assert names
    assert names <= set(WORDS)


def test_commands_exist() -> None:
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            program, command, *_ = line.split()
            assert program == "vivavoce"
            assert command in COMMANDS


def test_buckets_reach_from_a_millisecond_to_ten_seconds() -> None:
    assert len(BOUNDS) == 12
    assert list(BOUNDS) == sorted(BOUNDS)
