"""What is around a text: other windows, hands on the keyboard, what the clipboard holds."""

import asyncio

import pytest
from support.injecting import (
    EDITOR,
    Desk,
    Paper,
    ended,
    final,
    focused,
    profile,
    started,
)

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.back_end import Manner, Report, Result
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import Focus

OTHER = Focus(window="8", application="Other")
NOTHING, UNCERTAIN, DONE = Result.NOTHING, Result.UNCERTAIN, Result.DONE


def test_held_text_is_typed_when_its_window_has_the_focus_again():
    async def main() -> None:
        desk = Desk(focus_moved="hold")
        desk.probe.answer = OTHER
        desk.rig.notes.note(10, EDITOR)
        await desk.say(final(1, "One."), final(2, "Two."))
        await asyncio.sleep(300)
        assert desk.text == ""
        desk.probe.answer = EDITOR
        await asyncio.sleep(0.6)
        assert desk.text == "One. Two."
        assert desk.outcomes[2:] == ["1 typed", "2 typed"]
        await asyncio.sleep(1)
        assert len(asyncio.all_tasks()) == 1, "nothing is watched any more"
        desk.probe.answer = OTHER
        await desk.say(final(3, "Three."))
        await asyncio.sleep(601)
        assert desk.outcomes[4:] == ["3 held", "3 copied"]
        assert desk.board.text == "Three."

    run_virtual(main)


def test_where_it_is_not_known_where_it_began_it_is_typed():
    async def main() -> None:
        desk = Desk(focus_moved="hold")
        desk.rig.notes.note(10, EDITOR)
        desk.rig.notes.note(2_000, None)
        desk.probe.answer = OTHER
        await desk.say(final(2, "Said in the other window."))
        assert desk.outcomes == ["2 typed"]

    run_virtual(main)


def test_a_failure_over_held_text_is_a_failure_of_the_actor():
    async def main() -> None:
        desk = Desk(focus_moved="hold")
        desk.probe.answer = OTHER
        desk.rig.notes.note(10, EDITOR)
        await desk.say(final(1, "One."))
        desk.probe.answer = EDITOR
        desk.papers[0].plan = [RuntimeError("a fault")]
        await asyncio.sleep(1)
        message = focused(final(2, "Two."), desk.rig.notes)
        with pytest.raises(RuntimeError):
            await desk.say(message)
        await desk.say(message)
        assert desk.outcomes == ["1 held", "1 copied", "2 typed"]
        assert desk.text == "Two."

    run_virtual(main)


def test_texts_that_wait_for_the_release_are_bounded():
    async def main() -> None:
        desk = Desk(mode="hold")
        await desk.say(started(held=True), *(final(n, f"{n}.") for n in range(1, 261)))
        assert desk.text == "1. 2. 3. 4."
        await desk.say(ended(cancelled=True))
        assert desk.outcomes[4:] == [f"{n} discarded" for n in range(5, 261)]

    run_virtual(main)


def test_held_texts_are_bounded():
    async def main() -> None:
        desk = Desk(focus_moved="hold")
        desk.probe.answer = OTHER
        desk.rig.notes.note(10, EDITOR)
        await desk.say(*(final(n, f"{n}.") for n in range(1, 71)))
        assert desk.rig.actor.status()["held"] == 64
        assert desk.rig.outcomes.count(Outcome.COPIED) == 6

    run_virtual(main)


def test_settings_of_the_application():
    async def main() -> None:
        desk = Desk(
            applications=[
                {"match": "edit*", "settings": {"injection": {"newlines": "enter"}}},
                {"match": "other", "settings": {"injection": {"backend": "none"}}},
            ]
        )
        await desk.say(final(1, "a\nb"))
        assert desk.text == "a<enter>b"
        desk.probe.answer = OTHER
        await desk.say(final(2, "c"))
        assert desk.text == "a<enter>b"
        assert desk.outcomes == ["1 typed"]
        desk.probe.answer = Focus(window="9", application="third")
        await desk.say(final(3, "d\ne"))
        assert desk.text == "a<enter>bd e"

    run_virtual(main)


def test_each_window_has_its_own_continuation():
    async def main() -> None:
        desk = Desk()
        await desk.say(final(1, "One,"))
        desk.probe.answer = OTHER
        await desk.say(final(2, "Other."))
        desk.probe.answer = EDITOR
        await desk.say(final(3, "Then two."))
        assert desk.text == "One,Other. then two."

    run_virtual(main)


def test_modifiers_that_stay_held_are_released_once():
    async def main() -> None:
        desk = Desk(wait_for_modifiers_ms=200)
        keys, paper = desk.rig.keys, desk.papers[0]
        keys.press("ctrl")
        await desk.say(final(1, "One text of several pieces."))
        assert set(paper.let_go_of) == {frozenset({"ctrl"})}
        assert asyncio.get_running_loop().time() == pytest.approx(0.2), "waited for once"
        keys.release("ctrl")
        paper.let_go_of.clear()
        await desk.say(final(2, "Two."))
        assert paper.let_go_of == []
        assert desk.text == "One text of several pieces. Two."

    run_virtual(main)


def test_text_waits_as_long_as_a_key_is_held_to_talk():
    async def main() -> None:
        desk = Desk(wait_for_modifiers_ms=200)
        keys = desk.rig.keys
        keys.press("ctrl")
        keys.talk(True)
        saying = asyncio.create_task(desk.say(final(1, "One.")))
        await asyncio.sleep(40)
        assert desk.text == ""
        keys.release("ctrl")
        await asyncio.sleep(0.001)
        assert desk.text == "One."
        keys.press("ctrl")
        saying = asyncio.create_task(desk.say(final(2, "Two.")))
        await asyncio.sleep(30)
        assert desk.text == "One."
        keys.talk(False)  # the recording ended by itself, and the key is stuck
        await saying
        assert desk.text == "One. Two."
        assert desk.papers[0].let_go_of == [frozenset({"ctrl"})]

    run_virtual(main)


def test_text_that_waited_for_too_long_is_copied():
    """And the key is not released: that would end the recording."""

    async def main() -> None:
        papers = Paper("xdotool"), Paper("pynput")
        desk = Desk(*papers)
        keys = desk.rig.keys
        keys.press("ctrl")
        keys.talk(True)
        await desk.say(final(1, "One."), final(2, "Two."))
        assert asyncio.get_running_loop().time() == pytest.approx(45)
        assert desk.outcomes == ["1 copied", "2 copied"]
        assert "held to talk" in desk.rig.deliveries[0].reason
        assert desk.board.text == "One. Two."
        assert [paper.let_go_of for paper in papers] == [[], []]
        keys.release("ctrl")
        keys.talk(False)
        await desk.say(final(3, "Three."))
        assert desk.text.endswith("Three.")

    run_virtual(main)


def test_a_modifier_that_is_pressed_while_a_piece_is_typed_makes_it_uncertain():
    async def main() -> None:
        class Slow(Paper):
            async def type(self, text: str, manner: Manner) -> Report:
                if self.text:
                    desk.rig.keys.press("ctrl")
                    desk.rig.keys.release("ctrl")
                return await super().type(text, manner)

        desk = Desk(Slow("xdotool"))
        await desk.say(final(1, "The first piece of a text and the rest of it."))
        assert desk.outcomes == ["1 partly"]
        assert "modifier" in desk.rig.deliveries[0].reason
        assert desk.text + "f it." == "The first piece of a text and the rest of it."
        assert desk.board.text == "text and the rest of it.", "all that is not surely typed"

    run_virtual(main)


def test_what_failed_once_is_asked_once_more_before_anything_is_pasted():
    async def main() -> None:
        keys, paste = Paper("wtype"), Paper("clipboard")
        desk = Desk(keys, Paper("ydotool"), paste)
        desk.papers[1].why = "not installed"
        keys.plan = [NOTHING]
        await desk.say(final(1, "One."), final(2, "Two."))
        assert keys.text == "One. Two.", "nor is it passed over for what only pastes"
        assert paste.text == ""
        keys.plan = [NOTHING] * 3
        await desk.say(final(3, "Three."))
        assert paste.text == " Three."
        assert keys.plan == [NOTHING], "once more, and no further"

    run_virtual(main)


def test_a_picture_in_the_clipboard_is_never_overwritten():
    async def main() -> None:
        desk = Desk()
        desk.papers[0].why = "broken"
        desk.board.text = None
        await desk.say(final(1, "One."))
        assert desk.board.text is None
        assert desk.outcomes == ["1 failed"]
        assert "vivavoce history copy last" in desk.rig.deliveries[0].reason

    run_virtual(main)


@pytest.mark.parametrize(("moved", "most"), [("type", 100), ("hold", 20), ("copy", 20)])
def test_little_of_a_text_lands_in_another_window(moved: str, most: int):
    async def main() -> None:
        class Moves(Paper):
            async def type(self, text: str, manner: Manner) -> Report:
                desk.probe.answer = OTHER  # at the first key
                return await super().type(text, manner)

        desk = Desk(Moves("xdotool", piece=200), focus_moved=moved)
        await desk.say(final(1, "Twenty characters it " * 10))
        assert len(desk.text) <= most or moved == "type"
        assert desk.outcomes == ["1 typed" if moved == "type" else "1 partly"]

    run_virtual(main)


def test_a_copy_that_was_asked_for_needs_no_fallback():
    async def main() -> None:
        desk = Desk(focus_moved="copy", clipboard_fallback=False)
        desk.rig.notes.note(10, EDITOR)
        desk.probe.answer = OTHER
        await desk.say(final(1, "One."))
        assert desk.board.text == "One."

    run_virtual(main)


def test_a_profile_that_changes():
    async def main() -> None:
        desk = Desk()
        await desk.say(final(1, "a\nb"))
        changed = profile({"backend": "auto", "newlines": "shift_enter"})
        desk.rig.context.settings.put(changed)
        await desk.say(final(2, "c\nd"))
        assert desk.text == "a b c<shift+enter>d"

    run_virtual(main)
