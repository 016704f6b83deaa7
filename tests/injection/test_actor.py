"""Order, recordings, revisions, and failures of back ends, on a virtual clock."""

import asyncio
import random

import pytest
from support.injecting import (
    EDITOR,
    Desk,
    Paper,
    ended,
    final,
    profile,
    revision,
    started,
)

from vivavoce.actors.injection.back_end import Manner, Report, Result
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import EndOfStream, Focus

OTHER = Focus(window="8", application="Other")
NOTHING, UNCERTAIN, DONE = Result.NOTHING, Result.UNCERTAIN, Result.DONE


def test_finals_are_typed_in_order():
    async def main() -> None:
        desk = Desk()
        await desk.say(*(final(n, f"Text {n}.") for n in range(1, 6)), final(6, ""))
        assert desk.text == "Text 1. Text 2. Text 3. Text 4. Text 5."
        assert desk.outcomes == [f"{n} typed" for n in range(1, 6)]
        status = await desk.rig.actor.on_ask("status")
        assert status["counts"] == {"typed": 5}
        assert status["back_end"] == "xdotool"
        assert status["pending"] == 0
        assert desk.rig.context.metrics.find("vivavoce_injection_seconds") is not None
        assert (
            desk.rig.context.metrics.counters()[
                'vivavoce_injected_total{back_end="xdotool",outcome="typed"}'
            ]
            == 5
        )

    run_virtual(main)


@pytest.mark.parametrize("mode", ["hold", "toggle"])
def test_text_waits_for_the_release_and_cancel_discards_it(mode: str):
    async def main() -> None:
        # Not the profile's mode counts, which may be overruled, but what begins a recording.
        desk = Desk(deliver="auto" if mode == "hold" else "at_release")
        await desk.say(started(held=mode == "hold"), final(1, "One."), final(2, "Two."))
        assert desk.text == ""
        assert desk.rig.actor.status()["pending"] == 2
        await desk.say(ended())
        assert desk.text == "One. Two."
        await desk.say(started(held=mode == "hold"), final(3, "Three."), ended(cancelled=True))
        await desk.say(started(held=mode == "hold"), final(4, "Four."), ended())
        assert desk.text == "One. Two. Four."
        assert desk.outcomes == ["1 typed", "2 typed", "3 discarded", "4 typed"]

    run_virtual(main)


def test_text_is_typed_at_once_where_the_profile_says_so():
    async def main() -> None:
        desk = Desk(mode="hold", deliver="at_once")
        await desk.say(started(held=True), final(1, "One."))
        assert desk.text == "One."

    run_virtual(main)


def test_a_final_waits_for_its_revision():
    async def main() -> None:
        desk = Desk(revisions_follow=True)
        await desk.say(final(1, "On."), final(2, "Too."))
        assert desk.text == ""
        await desk.say(revision(2, "Two."))
        assert desk.text == ""
        await desk.say(revision(1, "One."))
        assert desk.text == "One. Two."
        await desk.say(final(3, "Three."), EndOfStream(end=10**6))
        assert desk.text == "One. Two. Three."

    run_virtual(main)


def test_a_second_model_that_fell_behind_is_not_waited_for():
    async def main() -> None:
        desk = Desk(revisions_follow=True)
        await desk.say(*(final(n, f"{n}.") for n in range(70)))
        assert len(desk.outcomes) == 6
        desk.rig.context.settings.put(profile({"backend": "auto"}))  # no draft any more
        await desk.say(final(70, "70."))
        assert len(desk.outcomes) == 71

    run_virtual(main)


def test_the_next_back_end_types_what_was_certainly_not_typed():
    async def main() -> None:
        first, second = Paper("xdotool"), Paper("pynput")
        first.plan = [DONE, NOTHING]
        desk = Desk(first, second)
        await desk.say(final(1, "This is longer than one piece of it."))
        assert first.text + second.text == "This is longer than one piece of it."
        assert first.text
        assert second.text
        assert desk.outcomes == ["1 typed"]
        assert desk.board.text == ""
        await desk.say(final(2, "Next."))
        assert second.text.endswith(" Next."), "the first is passed over for a while"
        await asyncio.sleep(2)
        await desk.say(final(3, "Later."))
        assert first.text.endswith(" Later.")

    run_virtual(main)


def test_a_back_end_that_types_only_a_part_at_a_time():
    async def main() -> None:
        class Slow(Paper):
            async def type(self, text: str, manner: Manner) -> Report:
                self.text += text[:7]
                if len(self.text) > 25:
                    return Report(NOTHING, "no more paper", typed=7)
                return Report(DONE, typed=len(text[:7]))

        first, second = Slow("xdotool"), Paper("pynput")
        desk = Desk(first, second)
        text = "Seven at a time, and then it ends in the middle of it."
        await desk.say(final(1, text))
        assert len(first.text) == 28
        assert first.text + second.text == text
        assert desk.outcomes == ["1 typed"]

    run_virtual(main)


@pytest.mark.parametrize("how", [UNCERTAIN, "hang"])
def test_what_was_perhaps_typed_is_copied_and_never_typed_again(how: object):
    async def main() -> None:
        first, second = Paper("xdotool"), Paper("pynput")
        first.plan = [DONE, how]
        desk = Desk(first, second)
        await desk.say(final(1, "The first piece of a text and the rest."))
        assert desk.outcomes == ["1 partly"]
        assert second.text == ""
        assert desk.board.text == "text and the rest."
        assert desk.rig.deliveries[0].reason
        await desk.say(final(2, "next."))
        assert (first.text + second.text).endswith("next.")

    run_virtual(main)


def test_a_back_end_that_hangs_when_asked_is_passed_over():
    async def main() -> None:
        class Hanging(Paper):
            async def available(self) -> str | None:
                self.calls += 1
                await asyncio.sleep(10_000)

        first, second = Hanging("xdotool"), Paper("pynput")
        desk = Desk(first, second)
        loop = asyncio.get_running_loop()
        await desk.say(final(1, "One."))
        assert loop.time() <= 2.1
        for number in range(2, 20):
            await desk.say(final(number, "More."))
        assert loop.time() <= 5, "texts do not wait for it each time"
        assert first.calls <= 2
        assert second.text.count(".") == 19

    run_virtual(main)


def test_every_text_is_typed_or_copied_once_whatever_fails():
    async def main() -> None:
        rng = random.Random(11)
        back_ends = [Paper(name, piece=1_000) for name in ("xdotool", "pynput")]
        desk = Desk(*back_ends, continuation=False)
        copied: list[str] = []
        for number in range(1, 301):
            for back_end in back_ends:
                back_end.plan = rng.choices([[], [NOTHING], ["hang"]], [8, 1, 1])[0][:]
            before = desk.board.text
            await desk.say(final(number, f"<{number}>"))
            if desk.board.text != before:
                copied.append(f"<{number}>")
        everything = "".join(p.text for p in back_ends) + "".join(copied)
        for number in range(1, 301):
            assert everything.count(f"<{number}>") == 1
        assert len(desk.rig.deliveries) == 300
        assert 0 < len(copied) < 100

    run_virtual(main)


def test_copies_add_up_until_something_is_typed():
    async def main() -> None:
        paper = Paper()
        desk = Desk(paper)
        paper.why = "broken"
        await desk.say(final(1, "One."), final(2, "Two."))
        assert desk.board.text == "One. Two."
        assert desk.outcomes == ["1 copied", "2 copied"]
        desk.board.text = "somebody's own"
        await desk.say(final(3, "Three."))
        assert desk.board.text == "Three."

    run_virtual(main)


def test_without_any_clipboard_the_failure_is_told():
    async def main() -> None:
        paper = Paper()
        paper.why = "broken"
        desk = Desk(paper, clipboard_fallback=False)
        await desk.say(final(1, "One."))
        assert desk.outcomes == ["1 failed"]
        assert "broken" in desk.rig.deliveries[0].reason

    run_virtual(main)


def test_a_failure_of_the_actor_types_nothing_twice():
    async def main() -> None:
        paper = Paper()
        paper.plan = [RuntimeError("a fault")]
        desk = Desk(paper)
        message = final(1, "One.")
        with pytest.raises(RuntimeError):
            await desk.say(message)
        await desk.rig.actor.on_restart(RuntimeError())
        await desk.say(message, final(2, "Two."))
        assert desk.text == "Two."
        assert desk.board.text == "One."
        assert desk.outcomes == ["1 copied", "2 typed"]

    run_virtual(main)


def test_texts_that_still_wait_at_the_end_are_copied():
    async def main() -> None:
        desk = Desk(mode="hold", focus_moved="hold")
        desk.rig.notes.note(10, EDITOR)
        desk.probe.answer = OTHER
        await desk.say(final(1, "Held."), started(held=True), final(2, "Buffered."))
        assert desk.outcomes == ["1 held"]
        await desk.rig.stop()
        assert sorted(desk.outcomes[1:]) == ["1 copied", "2 copied"]
        assert set(desk.board.text.split()) == {"Held.", "Buffered."}
        assert desk.text == ""

    run_virtual(main)
