"""The actor: which messages it cleans, with which rules, and what it leaves alone."""

import msgspec
import pytest

from vivavoce.actors.cleanup import CleanupActor
from vivavoce.config.schema import CleanupSettings, Profile
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.messages import (
    Caption,
    EndOfStream,
    Final,
    Gap,
    GapReason,
    Partial,
    PowerChanged,
    PowerMode,
    Revision,
    Word,
)

WORDS = (Word(text="hello", start=0, end=8_000, probability=0.9),)


def final(text: str, **fields: object) -> Final:
    said = Final(utterance=1, start=0, end=16_000, text=text, words=WORDS)
    return msgspec.structs.replace(said, **fields)


def partial(utterance: int, stable: str, tail: str = "") -> Partial:
    return Partial(utterance=utterance, revision=1, start=0, end=1, stable=stable, tail=tail)


async def through(*messages: object, settings: CleanupSettings | None = None) -> list[Caption]:
    outbox: Channel[Caption] = Channel(64)
    actor = CleanupActor(settings or CleanupSettings())
    actor.send_to(outbox)
    inbox = actor.inbox
    for message in messages:
        inbox.send_nowait(message)
    inbox.close()
    await actor.on_start()
    await actor.run()
    outbox.close()
    return [message async for message in outbox]


async def test_finals_are_cleaned_and_keep_their_words() -> None:
    (cleaned,) = await through(final("hello , there"))
    assert isinstance(cleaned, Final)
    assert cleaned.text == "Hello, there"
    assert cleaned.words == WORDS


async def test_an_invention_leaves_an_empty_final_for_the_account() -> None:
    (cleaned,) = await through(final("Thanks for watching!", no_speech_probability=0.9))
    assert isinstance(cleaned, Final)
    assert (cleaned.text, cleaned.words) == ("", ())
    assert (cleaned.start, cleaned.end) == (0, 16_000)


async def test_loops_go_only_from_unsure_finals() -> None:
    sure, doubtful = await through(
        final("no no no no", confidence=0.9), final("no no no no", compression_ratio=3.0)
    )
    assert (sure.text, doubtful.text) == ("No no no no", "No")  # type: ignore[union-attr]


async def test_guards_can_be_switched_off() -> None:
    off = CleanupSettings(repeated_phrases=False, hallucinations=False)
    texts = ("no no no", "Thanks for watching!")
    cleaned = await through(*(final(text, confidence=0.1) for text in texts), settings=off)
    assert [message.text for message in cleaned] == ["No no no", texts[1]]  # type: ignore[union-attr]


async def test_a_revision_is_cleaned_like_a_final() -> None:
    kept, dropped = await through(
        Revision(utterance=1, text="so i said"), Revision(utterance=1, text="you", confidence=0.1)
    )
    assert (kept.text, dropped.text) == ("So I said", "")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"confidence": 0.1},
        {"no_speech_probability": 0.9},
        {"average_log_probability": -1.5},
        {"compression_ratio": 3.0},
    ],
)
@pytest.mark.parametrize(
    "text", ["so  i said , well", "Thanks for watching!", "no no no no", "my viva voce"]
)
async def test_a_revision_has_the_text_that_a_final_would_have(
    text: str, figures: dict[str, float]
) -> None:
    settings = CleanupSettings(replacements={"viva voce": "vivavoce"})
    message = Revision(utterance=1, text=text, words=WORDS, **figures)  # type: ignore[arg-type]
    one, other = await through(final(text, **figures), message, settings=settings)
    assert isinstance(one, Final)
    assert isinstance(other, Revision)
    assert (other.text, other.words) == (one.text, one.words)


async def test_a_revision_is_in_its_own_language_or_else_in_that_of_the_final_before_it() -> None:
    texts = ("ja i ty", "ja i ty")
    _, polish, unnamed = await through(
        final("so i said", language="en"),
        Revision(utterance=1, text=texts[0], language="pl"),
        Revision(utterance=1, text=texts[1]),
    )
    assert (polish.text, unnamed.text) == ("Ja i ty", "Ja I ty")  # type: ignore[union-attr]


async def test_partials_are_taken_to_be_in_the_language_of_the_last_final() -> None:
    messages = await through(
        partial(1, "ja i ty"), final("ja i ty", language="pl"), partial(2, "ja i ty")
    )
    first, _, second = messages
    assert first.stable == "Ja I ty"  # type: ignore[union-attr]
    assert second.stable == "Ja i ty"  # type: ignore[union-attr]


async def test_an_open_utterance_keeps_its_language() -> None:
    messages = await through(
        partial(2, "ja i"), final("ja i ty", language="pl"), partial(2, "ja i ty")
    )
    assert messages[2].stable.startswith(messages[0].stable)  # type: ignore[union-attr]


async def test_everything_else_passes_through_untouched() -> None:
    others: list[object] = [
        Gap(start=0, end=1, reason=GapReason.OVERRUN),
        PowerChanged(mode=PowerMode.IDLE),
        object(),
        EndOfStream(end=5),
    ]
    passed = await through(*others)
    assert all(one is other for one, other in zip(passed, others, strict=True))


async def test_what_is_clean_already_is_the_same_message() -> None:
    clean = final("Hello, there.")
    assert (await through(clean))[0] is clean


# -- other rules while it runs

OLD, NEW = {"hello": "hullo"}, {"hello": "good day"}


def rules(replacements: dict[str, str]) -> Profile:
    return Profile(cleanup=CleanupSettings(replacements=replacements))


def whole(utterance: int, text: str) -> Final:
    return Final(utterance=utterance, start=0, end=16_000, text=text)


async def script(*steps: object) -> list[str]:
    """The texts of what comes out of messages, with other rules where a profile stands."""
    outbox: Channel[Caption] = Channel(64)
    actor = CleanupActor(rules(OLD).cleanup)
    actor.send_to(outbox)
    for step in steps:
        if isinstance(step, Profile):
            await actor.on_profile(step)
        else:
            await actor.on_message(step)  # type: ignore[arg-type]
    outbox.close()
    return [getattr(out, "text", None) or out.stable async for out in outbox]  # type: ignore[union-attr]


async def test_other_rules_hold_from_the_next_utterance_on() -> None:
    out = await script(
        partial(1, "hello there"),
        rules(NEW),
        partial(1, "hello there you"),
        partial(2, "hello there"),
        whole(1, "hello there you"),
        whole(2, "hello there"),
        Revision(utterance=1, text="hello there you"),
        Revision(utterance=2, text="hello there"),
    )
    old, new = "Hullo there you", "Good day there"
    assert out == ["Hullo there", old, new, old, new, old, new]


async def test_rules_that_change_between_utterances_hold_at_once() -> None:
    out = await script(rules({}), rules(NEW), whole(0, "hello"), rules(OLD), whole(1, "hello"))
    assert out == ["Good day", "Hullo"]


async def test_the_same_rules_again_change_nothing_and_many_changes_are_bounded() -> None:
    steps: list[object] = []
    for number in range(50):
        again = rules({"hello": f"hello {number}"})
        steps += [again, again, whole(number, "hello")]
    assert await script(*steps) == [f"Hello {number}" for number in range(50)]
    # A revision that comes when its rules are long forgotten has the oldest that are left.
    out = await script(*steps, Revision(utterance=0, text="hello"))
    assert out[-1] == "Hello 42"


async def test_what_a_sentence_switches_on_holds_until_the_stretch_ends() -> None:
    settings = CleanupSettings(spoken_edits=True)
    said = ["all caps on this is.", "very loud.", "and this is not."]
    events = await through(
        final(said[0], utterance=1, ends_stretch=False),
        final(said[1], utterance=2, ends_stretch=True),
        final(said[2], utterance=3),
        Revision(utterance=2, text="very, very loud."),
        settings=settings,
    )
    first, second, third, revised = events
    assert [first.text, second.text] == ["THIS IS.", "VERY LOUD."]
    assert third.text == "And this is not."
    assert revised.text == "VERY, VERY LOUD."


async def test_what_a_sentence_switched_on_does_not_outlive_a_stretch_that_was_cancelled() -> None:
    events = await through(
        final("all caps on this is.", utterance=1, ends_stretch=False),
        Gap(start=0, end=1, reason=GapReason.CANCELLED),
        final("and this is not.", utterance=2),
        settings=CleanupSettings(spoken_edits=True),
    )
    assert [event.text for event in events if isinstance(event, Final)] == [
        "THIS IS.",
        "And this is not.",
    ]
