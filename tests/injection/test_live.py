"""Words typed while they are said, and texts taken back, on a virtual clock."""

import asyncio

from support.injecting import (
    Desk,
    Paper,
    ended,
    final,
    partial,
    started,
)

from vivavoce.actors.injection.back_end import Manner, Report, Result
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import Focus

OTHER = Focus(window="8", application="Other")
NOTHING, UNCERTAIN, DONE = Result.NOTHING, Result.UNCERTAIN, Result.DONE


def test_what_is_taken_back_before_the_release_is_never_typed():
    async def main() -> None:
        desk = Desk(mode="hold")
        await desk.say(started(held=True), final(1, "One."), ended())
        await desk.say(
            started(held=True), final(2, "Two."), final(3, "Three.", retracts=1), ended()
        )
        assert desk.text == "One. Three."
        assert desk.outcomes == ["1 typed", "2 retracted", "3 typed"]
        await desk.say(started(held=True), final(4, "", retracts=2), ended())
        assert desk.text == ""
        assert desk.outcomes[3:] == ["3 retracted", "1 retracted"]

    run_virtual(main)


def test_live_text_is_corrected_and_a_cancel_erases_it():
    async def main() -> None:
        desk = Desk(mode="hold", live=True)
        await desk.say(started(), partial(1, "helo"), partial(1, "helo word"))
        assert desk.text == "helo word"
        await desk.say(final(1, "Hello world."))
        assert desk.text == "Hello world."
        await desk.say(ended(), started(), partial(2, "not this"))
        assert desk.text == "Hello world. Not this"
        await desk.say(ended(cancelled=True))
        assert desk.text == "Hello world."
        await desk.say(started(), final(3, "More."), ended())
        assert desk.text == "Hello world. More."
        await desk.say(started(), partial(4, "scratch"), final(4, "", retracts=1), ended())
        assert desk.text == "Hello world."
        assert desk.outcomes == ["1 typed", "3 typed", "3 retracted"]

    run_virtual(main)


def test_a_cancel_takes_back_all_that_was_typed_live_in_the_recording():
    async def main() -> None:
        desk = Desk(mode="hold", live=True)
        await desk.say(started(), partial(1, "keep"), final(1, "Keep."), ended())
        await desk.say(started(), partial(2, "not"), final(2, "Not this."))
        await desk.say(partial(3, "nor"), final(3, "Nor that."), partial(4, "nor"))
        assert desk.text == "Keep. Not this. Nor that. Nor"
        await desk.say(ended(cancelled=True))
        assert desk.text == "Keep."

    run_virtual(main)


def test_live_text_waits_while_the_hotkey_holds_modifiers():
    async def main() -> None:
        desk = Desk(mode="hold", live=True)
        desk.rig.keys.press("ctrl")
        await desk.say(started(held=True), partial(1, "hello"), final(1, "Hello."))
        assert desk.text == ""
        assert asyncio.get_running_loop().time() == 0
        desk.rig.keys.release("ctrl")
        await desk.say(ended())
        assert desk.text == "Hello."

    run_virtual(main)


def test_live_text_in_some_applications_only():
    async def main() -> None:
        settings = {"match": "editor", "settings": {"injection": {"live": True}}}
        desk = Desk(applications=[settings])
        await desk.say(partial(1, "hello"))
        assert desk.text == "hello"
        await desk.say(final(1, "Hello."))
        desk.probe.answer = OTHER
        await desk.say(partial(2, "two"))
        assert desk.text == "Hello."

    run_virtual(main)


def test_live_text_needs_a_known_window():
    async def main() -> None:
        desk = Desk(live=True)
        desk.probe.answer = None
        await desk.say(partial(1, "hello"))
        assert desk.text == ""
        await desk.say(final(1, "Hello."))
        assert desk.text == "Hello."

    run_virtual(main)


def test_live_text_that_broke_off_is_not_typed_again():
    async def main() -> None:
        paper = Paper()
        paper.plan = [DONE, UNCERTAIN]
        desk = Desk(paper, live=True)
        await desk.say(partial(1, "one"), partial(1, "one two"), partial(1, "one two three"))
        typed = desk.text
        await desk.say(final(1, "One two three."))
        assert desk.text == typed
        assert desk.board.text == "One two three."
        assert desk.outcomes == ["1 partly"]

    run_virtual(main)


def test_what_follows_something_unknown_is_separated_from_it():
    async def main() -> None:
        paper = Paper(piece=100)
        paper.plan = [UNCERTAIN]
        desk = Desk(paper)
        await desk.say(final(1, "One two."), final(2, "and three."))
        assert desk.text == "One  and three."
        await desk.say(final(3, "", retracts=1))
        assert desk.text == "One "

    run_virtual(main)


def test_what_a_person_types_in_between_is_neither_erased_nor_continued():
    async def main() -> None:
        desk = Desk(mode="hold", live=True)
        keys, paper = desk.rig.keys, desk.papers[0]
        keys.heard = True
        await desk.say(final(1, "One"))
        paper.text += " mine"
        keys.typed()
        await desk.say(final(2, "", retracts=1))
        assert desk.text == "One mine"
        assert "not taken back" in desk.rig.deliveries[-1].reason
        await desk.say(final(3, "And more."))
        assert desk.text == "One mineAnd more.", "who types sees to the space"
        await desk.say(partial(4, "live"))
        paper.text += "!"
        keys.typed()
        await desk.say(partial(4, "live words"), final(4, "Live words."))
        assert desk.text == "One mineAnd more. Live!"
        assert desk.board.text == "words."
        assert desk.outcomes[-1] == "4 partly"

    run_virtual(main)


def test_a_person_types_while_a_text_is_typed():
    async def main() -> None:
        class Slow(Paper):
            async def type(self, text: str, manner: Manner) -> Report:
                desk.rig.keys.typed()
                return await super().type(text, manner)

        desk = Desk(Slow("xdotool"))
        await desk.say(final(1, "One."), final(2, "", retracts=1))
        assert desk.text == "One."

    run_virtual(main)


def test_where_nobody_hears_keys_only_what_is_new_is_erased():
    async def main() -> None:
        desk = Desk()
        await desk.say(final(1, "One."))
        await asyncio.sleep(61)
        await desk.say(final(2, "Two."), final(3, "", retracts=1))
        assert desk.text == "One."
        await desk.say(final(4, "", retracts=1))
        assert desk.text == "One."
        assert "nobody hears the keys" in desk.rig.deliveries[-1].reason
        desk.rig.keys.heard = True
        await desk.say(final(5, "", retracts=1))
        assert desk.text == ""

    run_virtual(main)


def test_nothing_is_taken_back_after_something_unknown_was_typed():
    async def main() -> None:
        paper = Paper(piece=100)
        paper.plan = [DONE, UNCERTAIN]
        desk = Desk(paper)
        await desk.say(final(1, "One."), final(2, "Two."))
        before = desk.text
        await desk.say(final(3, "", retracts=1))
        assert desk.text == before
        assert "not taken back" in desk.rig.deliveries[-1].reason

    run_virtual(main)
