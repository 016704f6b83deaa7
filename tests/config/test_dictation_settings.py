"""Trigger, injection, history and applications: what cannot be together is one line."""

import pytest

from vivavoce.config import Profile, ProfileError, load_profile
from vivavoce.config.derived import derived
from vivavoce.config.for_application import ApplicationProfiles, for_application


def load(*overrides: str) -> Profile:
    return load_profile(environ={}, overrides=overrides)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["injection.backend=command"], "injection.command: the back end `command` needs one"),
        (["injection.backend=file"], "injection.file: the back end `file` needs the path"),
        (["injection.backend=[]"], "injection.backend: an empty list"),
        (["injection.backend=keyboard"], "injection.backend"),
        (["injection.live=true", "transcription.partials=false"], "injection.live: words are"),
        (
            ["persistence=false", "injection.backend=file", "injection.file=/tmp/x"],
            "injection.backend: file: persistence is false",
        ),
        (
            ["injection.backend=[clipboard, stdout]", "captions.format=jsonl"],
            "captions.format: jsonl: the back end `stdout` writes its lines to the same output",
        ),
        (["history.audio=true"], "history.audio: there is no history"),
        (
            ["trigger.mode=hold", "capture.source=a.wav", "capture.pace=max"],
            "trigger.mode: hold: nobody can press a key",
        ),
        (
            ["trigger.hotkey=f9", "trigger.cancel_hotkey=f9"],
            "trigger.cancel_hotkey: 'f9': is the same",
        ),
        (["control.instance=../x"], "control.instance"),
        (['applications=[{"match": "x", "settings": {"vad": {}}}]'], "only cleanup and injection"),
        (
            ['applications=[{"match": "x", "settings": {"injection": {"newlines": "entr"}}}]'],
            "for 'x': injection.newlines: 'entr': expected one of enter",
        ),
        (['applications=[{"settings": {}}]'], "match"),
    ],
)
def test_mistakes(overrides: list[str], words: str) -> None:
    with pytest.raises(ProfileError) as refused:
        load(*overrides)
    assert words in str(refused.value)
    assert str(refused.value).isprintable()


def test_settings_of_an_application_lie_over_the_profile() -> None:
    profile = load(
        "injection.timeout_ms=700",
        'applications=[{"match": "*Term*", "settings": {"injection": {"paste_keys": '
        '"ctrl+shift+v"}}}, {"match": "slack", "settings": {"cleanup": {"profanity_mask": true}}}]',
    )
    terminal = for_application(profile, "XTerm")
    assert terminal.injection.paste_keys == "ctrl+shift+v"
    assert terminal.injection.timeout_ms == 700
    assert for_application(profile, "Slack").cleanup.profanity_mask
    assert for_application(profile, "emacs") is profile
    holds = profile
    profiles = ApplicationProfiles(lambda: holds)
    assert profiles.of("xterm") is profiles.of("xterm")
    assert profiles.of("") is profile
    for number in range(1_000):
        profiles.of(f"window {number}")
    assert len(profiles._known) <= 64
    known = profiles.of("xterm")
    holds = load("injection.timeout_ms=900")
    assert profiles.of("xterm") is holds, "what was worked out for another profile is forgotten"
    assert known.injection.timeout_ms == 700


def test_one_switch_turns_all_persistence_off() -> None:
    wanted = ("history.enabled=true", "history.audio=true", "log.captions=true")
    profile = load(*wanted)
    assert profile.history.enabled
    profile = load(*wanted, "persistence=false")
    kept = profile.history.enabled, profile.history.audio, profile.log.captions
    assert kept == (False, False, False)


def test_the_engine_is_told_of_the_vocabulary() -> None:
    profile = load(
        'cleanup.vocabulary=["Kubernetes", "Ada Lovelace"]', "transcription.hotwords=Ada engine"
    )
    assert profile.transcription.hotwords == "Ada engine Kubernetes Ada Lovelace"
    assert load().transcription.hotwords is None
    assert derived(profile) == profile
