"""What docs/dictation-text.md promises is so."""

import re
from pathlib import Path

import pytest

from vivavoce.actors.cleanup import Cleaner
from vivavoce.actors.cleanup.language_rules import language_rules
from vivavoce.actors.cleanup.phrases import key_of
from vivavoce.actors.cleanup.rule_names import STAGES, check_rules
from vivavoce.config import load_profile
from vivavoce.config.cleanup import CleanupSettings

PAGE = (Path(__file__).parents[2] / "docs" / "dictation-text.md").read_text(encoding="utf-8")
LANGUAGES = {"English": "en", "Deutsch": "de", "Français": "fr", "Español": "es"}
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("title", LANGUAGES)
def test_every_phrase_in_the_tables_belongs_to_the_rule_beside_it(title: str) -> None:
    rules = {rule.name: rule for rule in language_rules(LANGUAGES[title]).rules}
    rows = re.findall(r"^\| (.+?) \| (.+?) \| `(.+?)` \|$", section(title), re.MULTILINE)
    assert len(rows) > 15
    for said, written, name in rows:
        rule = rules[name]
        phrases = [key_of(phrase) for phrase in said.split(", ") if phrase != "behind digits"]
        assert set(phrases) <= set(rule.say), name
        if name.startswith("punctuation."):
            assert written == f"`{rule.write}`"


def test_the_rule_file_of_the_page_works(tmp_path: Path) -> None:
    (text,) = [block for block in BLOCKS if block.startswith("# rules.yaml")]
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    settings = CleanupSettings(
        spoken_punctuation=True,
        spoken_layout=True,
        spoken_edits=True,
        fillers=True,
        units=True,
        profanity_mask=True,
        rules=str(path),
    )
    cleaner = Cleaner(settings)
    said = "no forget it hi you know smiley face next item 5 parsecs dash heck arrow sign"
    assert cleaner.text(said) == "Hi :-)\n5 pc dash h*** →"
    assert cleaner.text("das ist halt so Punkt", "de") == "Das ist so."


def test_the_profiles_of_the_page_load(tmp_path: Path) -> None:
    blocks = [block for block in BLOCKS if "rules.yaml" not in block]
    assert len(blocks) == 2
    for block in blocks:
        path = tmp_path / "mine.yaml"
        path.write_text(block, encoding="utf-8")
        check_rules(load_profile(path, environ={}).cleanup)


def test_the_page_names_all_stages() -> None:
    assert all(f"`{stage}`" in section("Switching on and off") for stage in STAGES)
