"""Languages of a profile: what is normalised, and what is refused in one line that helps."""

from pathlib import Path

import pytest

from vivavoce.config import Profile, ProfileError, load_profile
from vivavoce.config.conditions import with_conditions
from vivavoce.config.languages import LANGUAGES, language_code
from vivavoce.config.schema import TranscriptionSettings

MULTILINGUAL = "transcription.model=base"


def load(*overrides: str, profile: Path | None = None, **environ: str) -> TranscriptionSettings:
    return load_profile(
        profile, environ=environ, overrides=[MULTILINGUAL, *overrides]
    ).transcription


def refused(*overrides: str, profile: Path | None = None, **environ: str) -> str:
    with pytest.raises(ProfileError) as error:
        load(*overrides, profile=profile, **environ)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_table_is_whispers_own() -> None:
    tokenizer = pytest.importorskip("faster_whisper.tokenizer")
    assert set(LANGUAGES) == set(tokenizer._LANGUAGE_CODES)
    assert len(set(LANGUAGES.values())) == 100


@pytest.mark.parametrize(
    ("given", "code"),
    [
        *((code, "en") for code in ("en", "EN", "En", " en ", "English", "english", "ENGLISH")),
        *((code, "en") for code in ("en-US", "en_GB", "EN-us", "en-001", "en_US.UTF-8")),
        ("de-CH", "de"),
        ("German", "de"),
        ("pt-BR", "pt"),
        ("zh-CN", "zh"),
        ("zh-Hant-TW", "zh"),
        ("sr_Latn", "sr"),
        ("Mandarin", "zh"),
        ("haitian  creole", "ht"),
        ("Haitian", "ht"),
        ("no", "no"),
        ("haw", "haw"),
        ("yue-HK", "yue"),
        ("auto", None),
        (" AUTO ", None),
    ],
)
def test_what_is_clear_is_normalised(given: str, code: str | None) -> None:
    assert (
        load(f'transcription.language="{given}"', "transcription.model=large-v3").language == code
    )


@pytest.mark.parametrize(("code", "name"), LANGUAGES.items())
def test_every_code_and_name_is_known(code: str, name: str) -> None:
    assert language_code(code) == language_code(name) == language_code(name.upper()) == code


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("xx", ""),
        ("klingon", ""),
        ("e", ""),
        ("", ""),
        ("en-", ""),
        ("en-klingon", ""),
        ("-US", ""),
        ("42", ""),
        ("en,de", "transcription.languages: [en, de]"),
        ("en de", "transcription.languages: [en, de]"),
        ("english please", "did you mean 'en' (English)?"),
        ("Germn", "did you mean 'de' (German)?"),
        ("jp", "did you mean 'ja' (Japanese)?"),
        ("jp-JP", "did you mean 'ja' (Japanese)?"),
        ("cz", "did you mean 'cs' (Czech)?"),
        ("eng", "did you mean 'en' (English)?"),
        ("Deutsch", "did you mean 'de' (German)?"),
    ],
)
def test_what_is_not_clear_is_refused_with_what_is_near(given: str, hint: str) -> None:
    line = refused(f"transcription.language='{given}'")
    assert line.startswith("--set transcription.language=")
    assert f"transcription.language: {given!r}" in line
    assert hint in line
    assert bool(hint) is ("did you mean" in line or "languages:" in line)
    assert "expected" in line


def test_every_layer_goes_through_it(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text("transcription:\n  language: German\n")
    assert load(profile=profile).language == "de"
    assert load(profile=profile, VIVAVOCE_TRANSCRIPTION__LANGUAGE="fr-CA").language == "fr"
    assert load("transcription.language=auto", profile=profile).language is None
    assert "VIVAVOCE_TRANSCRIPTION__LANGUAGE" in refused(VIVAVOCE_TRANSCRIPTION__LANGUAGE="jp")
    profile.write_text("transcription:\n  language: jp\n")
    assert f"{profile}:2: transcription.language: 'jp'" in refused(profile=profile)


def test_conditions_go_through_it() -> None:
    under = "power.low_battery.settings.transcription.language"
    profile = load_profile(environ={}, overrides=[MULTILINGUAL, f"{under}=French"])
    found = with_conditions(profile, on_battery=False, low_battery=True, under_pressure=False)
    assert found.transcription.language == "fr"
    assert f"{under}: 'jp'" in refused(f"{under}=jp")


def test_languages_to_choose_among() -> None:
    assert load("transcription.languages=[EN, German, en-GB]").languages == ["en", "de"]
    assert load("transcription.languages=[]").languages == []
    both = load("transcription.languages=[en, de]", "transcription.language=English")
    assert (both.language, both.languages) == ("en", ["en", "de"])
    assert load("transcription.languages=[en, de]", "transcription.language=auto").language is None
    assert load("transcription.languages=[de-AT]").language == "de", "there is nothing to choose"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["languages=[en, jp]"], ["languages", "'jp'", "did you mean 'ja'"]),
        (["languages=[en, auto]"], ["languages", "'auto'", "expected"]),
        (["languages=[en, de]", "language=fr"], ["language", "'fr'", "languages", "en, de"]),
        (["languages=en"], ["languages", "expected `array`"]),
    ],
)
def test_wrong_lists_are_refused(overrides: list[str], words: list[str]) -> None:
    line = refused(*(f"transcription.{one}" for one in overrides))
    assert all(word in line for word in words), line


@pytest.mark.parametrize("model", ["base.en", "tiny.en", "distil-small.en"])
def test_english_models_take_english_alone(model: str) -> None:
    of = f"transcription.model={model}"
    for given in ("en", "EN", "en-US", "English"):
        assert load(of, f"transcription.language={given}").language == "en"
    assert load(of, "transcription.language=auto").language is None
    assert load(of, "transcription.languages=[en]").language == "en"
    for setting in ("language=de", "languages=[en, de]", "task=translate"):
        line = refused(of, f"transcription.{setting}")
        assert f"transcription.{setting.partition('=')[0]}: " in line
        assert f"{model!r} knows only English" in line
        assert "use a model such as" in line
    assert f"{model!r} knows only English" in refused(
        f"transcription.draft={model}", "transcription.language=de"
    )


def test_the_default_model_is_checked_as_any_other() -> None:
    with pytest.raises(ProfileError, match=r"base\.en.*knows only English"):
        load_profile(environ={}, overrides=["transcription.language=de"])


def test_a_directory_is_not_judged_by_its_name() -> None:
    found = load("transcription.model=./models/mine.en", "transcription.language=de")
    assert found.language == "de"


def test_older_models_know_no_cantonese() -> None:
    for model in ("large-v3", "large-v3-turbo", "turbo", "auto", "./mine"):
        of = f"transcription.model={model}"
        assert load(of, "transcription.language=Cantonese").language == "yue"
    for setting in ("language=yue", "languages=[en, yue]"):
        line = refused("transcription.model=large-v2", f"transcription.{setting}")
        assert "'large-v2' does not know 'yue'" in line


def test_pocketsphinx_knows_only_english() -> None:
    of = "transcription.engine=pocketsphinx"
    assert load(of, "transcription.language=en-US").language == "en"
    for setting in ("language=de", "languages=[en, de]", "task=translate"):
        assert "pocketsphinx knows only English" in refused(of, f"transcription.{setting}")


def test_tasks() -> None:
    assert load().task == Profile().transcription.task == "transcribe"
    assert load("transcription.task=translate").task == "translate"
    assert "did you mean 'translate'" in refused("transcription.task=translation")
