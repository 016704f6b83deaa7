"""wtype, in a real compositor and a real terminal."""

import pytest
from support.wayland import SwaySession

from vivavoce.actors.injection.back_end import DONE, Manner, Result
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.wayland import Wtype
from vivavoce.config.injection import InjectionSettings

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

FAST = Manner(characters_per_s=Wtype.pace, timeout_s=10.0)

HOSTILE = [
    "$(reboot) `reboot` ; reboot | reboot & reboot > /dev/null",
    "'single' \"double\" \\ back \\n \\x1b[2J %s %n {0} ~ ! # *",
    "--help",
    "-k Return",
    "-",
    "--",
]
UNICODE = [
    "Grüße, señor – „çà et là“ … Łódź, Ωμέγα, Привет",
    "e\u0301 o\u0308 n\u0303: combining marks",
    "你好，世界。日本語 한국어",
    "שלום עולם مرحبا \u200f\u202e right to left",
    "👍🏽 👨\u200d👩\u200d👧 🇩🇪 🎉",
]


async def typed(back_end: Wtype, text: str) -> None:
    for start in range(0, len(text), back_end.piece):
        assert await back_end.type(text[start : start + back_end.piece], FAST) == DONE


@pytest.fixture
def wtype(tools: ToolRunner) -> Wtype:
    return Wtype(tools, InjectionSettings())


@pytest.mark.smoke
async def test_what_is_typed_is_text_whatever_it_says(sway: SwaySession, wtype: Wtype) -> None:
    editor = sway.terminal()
    assert await wtype.available() is None
    for text in HOSTILE + UNICODE:
        await typed(wtype, text)
    editor.wait_for("".join(HOSTILE + UNICODE))


async def test_a_long_text_arrives_piece_by_piece(sway: SwaySession, wtype: Wtype) -> None:
    editor = sway.terminal()
    text = "".join(chr(0x1F300 + number) for number in range(250)) + "All is done, then. " * 30
    await typed(wtype, text)
    editor.wait_for(text)


async def test_enter_tab_and_other_keys_are_keys(sway: SwaySession, wtype: Wtype) -> None:
    editor = sway.terminal()
    await typed(wtype, "a\nb\tc")
    assert await wtype.press("backspace", FAST, 3) == DONE
    assert await wtype.press("ctrl+v", FAST) == DONE
    assert await wtype.press("alt+x", FAST) == DONE
    assert await wtype.press("f5", FAST) == DONE
    editor.wait_for("a\rb\tc" + "\x7f" * 3 + "\x16" + "\x1bx" + "\x1b[15~")


async def test_a_key_of_no_keyboard_is_not_pressed(tools: ToolRunner) -> None:
    report = await Wtype(tools, InjectionSettings()).press("ctrl+any", FAST)
    assert report.result is Result.NOTHING
    assert "'any'" in report.reason
