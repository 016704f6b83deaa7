"""Which rule did what, and all rules there are."""

import pytest

from vivavoce.actors.cleanup import Cleaner, Step
from vivavoce.actors.cleanup.listing import all_rules
from vivavoce.actors.cleanup.rule_names import rule_names
from vivavoce.config.cleanup import CleanupSettings

CLEANER = Cleaner(
    CleanupSettings(
        spoken_punctuation=True,
        spoken_layout=True,
        spoken_edits=True,
        fillers=True,
        units=True,
        profanity_mask=True,
        vocabulary=["New York"],
        replacements={"brb": "be right back"},
    )
)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Hello, comma, you", [("punctuation.comma", "Hello, comma,", "Hello,")]),
        ("A um b", [("fillers.um", "A um", "A")]),
        ("Go new line b", [("layout.new_line", "Go new line", "Go\n")]),
        ("One. Two scratch that", [("edits.scratch_that", "One. Two scratch that", "One.")]),
        ("A 5 percent", [("units.percent", "5 percent", "5%")]),
        ("In new york", [("vocabulary", "new york", "New York")]),
        ("Now brb", [("replacements", "brb", "be right back")]),
        ("Oh shit", [("profanity.shit", "shit", "s***")]),
        (
            "now  i , see",
            [
                ("tidy.whitespace", "  ", " "),
                ("tidy.spacing", "i ,", "i,"),
                ("tidy.sentence_case", "now", "Now"),
                ("tidy.sentence_case", "i,", "I,"),
            ],
        ),
        ("Nothing to do.", []),
        ("New York", []),
    ],
)
def test_each_change_is_told_with_its_rule(text: str, steps: list[tuple[str, str, str]]) -> None:
    assert CLEANER.explain(text) == [Step(*step) for step in steps]


def test_every_rule_that_is_told_has_a_name_that_can_be_switched_off() -> None:
    told = CLEANER.explain("um  so brb comma 5 percent new line i all caps go new york shit , ok")
    assert len({step.rule for step in told}) > 8
    assert {step.rule for step in told} <= rule_names()


@pytest.mark.parametrize("language", ["en", "de", "pl"])
def test_the_list_tells_what_is_on(language: str) -> None:
    settings = CleanupSettings(fillers=True, without=["fillers.hmm", "fillers.hm", "tidy.spacing"])
    rules = {rule.name: rule for rule in all_rules(settings, language)}
    assert set(rules) <= rule_names()
    assert rules["tidy.sentence_case"].on
    assert not rules["tidy.spacing"].on
    assert not rules["numbers"].on
    if language == "pl":
        assert not any(name.startswith("fillers.") for name in rules)
        return
    assert not rules["fillers.hmm" if language == "en" else "fillers.hm"].on
    assert rules["fillers.um" if language == "en" else "fillers.aeh"].on
    assert not rules["punctuation.comma"].on
    assert rules["punctuation.comma"].writes == ","
