"""Whatever is said, cancelled, taken back, and whatever fails: each text is where it is said to be,
once, and nothing else was touched."""

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.injecting import Board, FixedFocus, Rig, ended, final, partial, profile, started

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.back_end import DONE, Manner, Report, Result
from vivavoce.actors.injection.outfit import Outfit
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import Focus

BEFORE = "[there before]"


class Windows:
    """Types into whichever window has the focus; an erased character is gone."""

    piece = 8
    pace = 1_000.0
    has_keys = True

    def __init__(self, name: str, probe: FixedFocus, texts: dict[str, str]) -> None:
        self.name = name
        self._probe = probe
        self._texts = texts
        self.faults: list[Any] = []

    async def available(self) -> str | None:
        return None

    async def type(self, text: str, manner: Manner) -> Report:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "nothing":
            return Report(Result.NOTHING, "failed")
        if fault in ("half", "hang"):
            text = text[: len(text) // 2]
        self._texts[self._probe.answer.window] += text
        if fault == "hang":
            await asyncio.sleep(10_000)
        return Report(Result.UNCERTAIN, "broke off") if fault == "half" else DONE

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        assert keys == "backspace"
        window = self._probe.answer.window
        self._texts[window] = self._texts[window][:-times]
        return DONE


EVENTS = st.one_of(
    st.tuples(st.just("final"), st.integers(0, 2)),
    st.tuples(st.just("partial"), st.integers(1, 3)),
    st.tuples(st.just("start"), st.booleans()),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("focus"), st.sampled_from("abc")),
    st.tuples(st.just("fault"), st.sampled_from(["nothing", "half", "hang"])),
    st.tuples(st.just("pause"), st.none()),
)


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(
    st.lists(EVENTS, max_size=40),
    st.booleans(),
    st.sampled_from(["type", "hold", "copy"]),
    st.sampled_from(["at_once", "at_release"]),
)
def test_each_text_is_where_it_is_said_to_be(
    events: list[tuple[str, Any]], live: bool, moved: str, deliver: str
):
    run_virtual(lambda: _play(events, live=live, focus_moved=moved, deliver=deliver))


async def _play(events: list[tuple[str, Any]], **chosen: Any) -> None:
    probe = FixedFocus(Focus(window="a", application="x"))
    texts = dict.fromkeys("abc", BEFORE)
    tools = [Windows(name, probe, texts) for name in ("xdotool", "pynput")]
    board = Board()
    copies: list[str] = []
    rig = Rig(profile({"backend": "auto", **chosen}), probe=probe, outfit=Outfit(tools, board))
    utterance, begun, faulty = 1, False, False

    def begin() -> None:
        if not begun:
            rig.notes.note(1_000 * utterance, probe.answer)

    for kind, value in events:
        match kind:
            case "final":
                begin()
                await rig.say(final(utterance, f"<{utterance}x> said this.", retracts=value))
                utterance, begun = utterance + 1, False
            case "partial":
                begin()
                begun = True
                words = f"<{utterance}x> sad that"[: 4 * value + len(str(utterance))]
                await rig.say(partial(utterance, words))
            case "start":
                await rig.say(started(held=value))
            case "end":
                await rig.say(ended(cancelled=value))
            case "focus":
                probe.answer = Focus(window=value, application="x")
            case "fault":
                faulty = faulty or value != "nothing"
                for tool in tools:
                    tool.faults.append(value)
            case "pause":
                await asyncio.sleep(30)
        copies.append(board.text or "")
    await rig.stop()
    copies.append(board.text or "")
    _check(rig, texts, copies, utterance, faulty=faulty)


def _check(
    rig: Rig, texts: dict[str, str], copies: list[str], utterances: int, *, faulty: bool
) -> None:
    typed = "".join(texts.values())
    assert all(text.startswith(BEFORE) for text in texts.values()), "it erased what it did not type"
    outcomes = {delivery.utterance: delivery.outcome for delivery in rig.deliveries}
    assert set(outcomes) == set(range(1, utterances)), "each is reported"
    for utterance, outcome in outcomes.items():
        whole = typed.count(f"<{utterance}x> said this.")
        begun = len(re.findall(f"<{utterance}x", typed))
        assert begun <= 1, "typed twice"
        if outcome is Outcome.TYPED:
            assert whole == 1
        elif outcome in (Outcome.COPIED, Outcome.HELD, Outcome.FAILED, Outcome.DISCARDED):
            assert whole == 0
            assert begun == 0 or faulty
        if outcome is Outcome.COPIED:
            assert any(f"<{utterance}x> said this." in copy for copy in copies)
        if outcome is Outcome.RETRACTED:
            assert begun == 0 or faulty
        assert outcome is not Outcome.HELD, "at the end it is copied"
