"""Rules of single applications: by the window that an utterance went to."""

from pathlib import Path

import msgspec
import pytest

from vivavoce.actors.cleanup import CleanupActor
from vivavoce.actors.cleanup.per_application import Cleaners
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.config.applications import ApplicationSettings
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.errors import ProfileError
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.messages import Caption, Final, Focus, Partial, Revision


def profile(**cleanup: object) -> Profile:
    return Profile(
        cleanup=CleanupSettings(fillers=True, **cleanup),  # type: ignore[arg-type]
        applications=[
            ApplicationSettings(
                match="*term*",
                settings={"cleanup": {"sentence_case": False, "replacements": {"list": "ls"}}},
            ),
            ApplicationSettings(match="mail", settings={"injection": {"newlines": "enter"}}),
        ],
    )


class Desk:
    """An actor, and the windows that have the focus."""

    def __init__(self, whose: Profile, *, with_applications: bool = True) -> None:
        self.context = ActorContext()
        self.outbox: Channel[Caption] = Channel(64)
        self.actor = CleanupActor(whose.cleanup, profile=whose if with_applications else None)
        self.actor.send_to(self.outbox)
        self.notes = FocusNotes()

    def focus(self, at: int, application: str) -> None:
        self.notes.note(at, Focus(window="1", application=application))

    async def clean(self, message: Caption) -> str:
        if isinstance(message, Final | Partial):
            message = msgspec.structs.replace(message, focus=self.notes.before(message.end))
        await self.actor.on_message(message)
        out = self.outbox.receive_nowait()
        assert isinstance(out, Final | Partial | Revision)
        return out.stable if isinstance(out, Partial) else out.text


def final(utterance: int, text: str, end: int) -> Final:
    return Final(utterance=utterance, start=end - 10, end=end, text=text)


def partial(utterance: int, text: str, end: int) -> Partial:
    return Partial(utterance=utterance, revision=1, start=0, end=end, stable=text, tail="")


async def test_an_utterance_is_cleaned_for_the_window_it_goes_to() -> None:
    desk = Desk(profile())
    assert await desk.clean(final(0, "um list it", 50)) == "List it"
    desk.focus(100, "XTerm")
    assert await desk.clean(final(1, "um list it", 150)) == "ls it"
    desk.focus(200, "mail")
    assert await desk.clean(final(2, "um list it", 250)) == "List it"


async def test_a_revision_is_cleaned_as_its_final_was() -> None:
    desk = Desk(profile())
    desk.focus(100, "xterm")
    await desk.clean(final(1, "list it", 150))
    desk.focus(200, "mail")
    await desk.clean(final(2, "list it", 250))
    assert await desk.clean(Revision(utterance=1, text="list them")) == "ls them"
    assert await desk.clean(Revision(utterance=2, text="list them")) == "List them"


async def test_an_open_utterance_keeps_the_rules_that_its_first_partial_had() -> None:
    desk = Desk(profile())
    desk.focus(100, "xterm")
    first = await desk.clean(partial(1, "so list it now and", 150))
    desk.focus(160, "mail")
    second = await desk.clean(partial(1, "so list it now and then", 200))
    assert first == "so ls it now"
    assert second.startswith(first)


async def test_without_applications_the_profile_holds_everywhere() -> None:
    desk = Desk(profile(), with_applications=False)
    desk.focus(100, "xterm")
    assert await desk.clean(final(1, "list it", 150)) == "List it"


async def test_a_changed_profile_brings_its_applications_with_the_next_utterance() -> None:
    desk = Desk(Profile())
    desk.focus(100, "xterm")
    assert await desk.clean(final(1, "list it", 150)) == "List it"
    await desk.actor.on_profile(profile())
    assert await desk.clean(Revision(utterance=1, text="list it")) == "List it"
    assert await desk.clean(final(2, "list it", 160)) == "ls it"


async def test_wrong_rules_in_a_changed_profile_leave_those_from_before(tmp_path: Path) -> None:
    desk = Desk(profile(replacements={"a": "b"}))
    wrong = tmp_path / "rules.yaml"
    wrong.write_text("filers: {}\n")
    for bad in ({"without": ["nothing"]}, {"rules": str(wrong)}):
        await desk.actor.on_profile(profile(**bad))
        assert await desk.clean(final(1, "um a", 50)) == "B"


async def test_a_message_in_a_language_and_for_an_application_at_once() -> None:
    desk = Desk(profile())
    desk.focus(100, "xterm")
    message = Final(utterance=1, start=0, end=150, text="ähm list um", language="de")
    assert await desk.clean(message) == "ls um"


def test_wrong_rules_of_an_application_are_told_at_the_start() -> None:
    entry = ApplicationSettings(match="x", settings={"cleanup": {"without": ["punctuation.coma"]}})
    with pytest.raises(ProfileError, match="did you mean"):
        CleanupActor(CleanupSettings(), profile=Profile(applications=[entry]))


def test_cleaners_are_shared_by_like_applications_and_bounded() -> None:
    whose = profile()
    cleaners = Cleaners(whose.cleanup, whose)
    base = cleaners.of("")
    assert cleaners.of("mail") is base
    assert cleaners.of("xterm") is cleaners.of("kterm") is not base
    for number in range(500):
        assert cleaners.of(f"window {number}") is base
    assert len(cleaners._known) <= 64


def test_a_rule_file_that_is_gone_leaves_the_rules_of_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("fillers: {well: [well]}\n")
    entry = ApplicationSettings(match="x", settings={"cleanup": {"rules": str(path)}})
    whose = Profile(cleanup=CleanupSettings(fillers=True), applications=[entry])
    cleaners = Cleaners(whose.cleanup, whose)
    path.unlink()
    assert cleaners.of("x").text("well um yes") == "Well yes"
