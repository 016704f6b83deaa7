"""The page on subtitles: its table is that of the program, and its profile loads."""

import re
from pathlib import Path

import msgspec

from vivavoce.config import load_profile
from vivavoce.config.schema import SubtitleSettings

PAGE = (Path(__file__).parents[2] / "docs" / "subtitles.md").read_text()


def test_the_table_of_settings_is_that_of_the_program() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    assert rows == {
        name: str(value) for name, value in msgspec.structs.asdict(SubtitleSettings()).items()
    }


def test_the_profile_of_the_page_loads(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(text)
    subtitles = load_profile(tmp_path / "mine.yaml", environ={}).captions.subtitles
    assert subtitles == SubtitleSettings(line_characters=37, characters_per_second=15)
