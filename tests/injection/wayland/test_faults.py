"""Faults of wtype and wl-clipboard, played by small programs in their place."""

from pathlib import Path

import pytest
from support.fake_tools import FakeTools

from vivavoce.actors.injection.back_end import DONE, Content, Manner, Result
from vivavoce.actors.injection.wayland import WaylandClipboard, Wtype
from vivavoce.config.injection import InjectionSettings

SETTINGS = InjectionSettings(timeout_ms=300)
MANNER = Manner(timeout_s=0.3)


@pytest.fixture
def tools(tmp_path: Path) -> FakeTools:
    return FakeTools(tmp_path)


async def test_the_text_goes_to_standard_input_and_nowhere_else(tools: FakeTools) -> None:
    tools.recorder("wtype")
    text = "Return $(reboot) größer"
    assert await Wtype(tools.runner, SETTINGS).type(text, MANNER) == DONE
    assert tools.input_of("wtype") == text
    assert not set(tools.arguments_of("wtype")) & set(text.split())


async def test_after_a_run_that_was_typed_a_failure_is_uncertain(tools: FakeTools) -> None:
    tools.add("wtype", 'test -e "$HOME/typed" && exit 1; cat > "$HOME/typed"')
    text = "".join(chr(0x4E00 + number) for number in range(100))  # more than one keymap's worth
    assert (await Wtype(tools.runner, SETTINGS).type(text, MANNER)).result is Result.UNCERTAIN


async def test_it_slows_down_when_told_to(tools: FakeTools) -> None:
    tools.recorder("wtype")
    wtype = Wtype(tools.runner, SETTINGS)
    await wtype.type("text", Manner(characters_per_s=50.0))
    assert tools.arguments_of("wtype") == ["-s", "10", "-d", "16", "-"]
    await wtype.type("text", Manner(characters_per_s=Wtype.pace))
    assert tools.arguments_of("wtype") == ["-s", "10", "-"]


async def test_an_absent_tool_types_nothing_and_says_how_to_get_it(tools: FakeTools) -> None:
    wtype = Wtype(tools.runner, SETTINGS)
    assert await wtype.available() == "wtype is not installed: install the package wtype"
    assert (await wtype.type("text", MANNER)).result is Result.NOTHING
    assert (await wtype.press("ctrl+v", MANNER)).result is Result.NOTHING
    clipboard = WaylandClipboard(tools.runner, SETTINGS)
    assert "wl-clipboard" in (await clipboard.available() or "")
    assert (await clipboard.set("text")).result is Result.NOTHING
    assert await clipboard.get() is None


async def test_a_desktop_without_the_protocol(tools: FakeTools) -> None:
    tools.add(
        "wtype", "echo 'Compositor does not support the virtual keyboard protocol' >&2; exit 1"
    )
    wtype = Wtype(tools.runner, SETTINGS)
    assert "ydotool" in (await wtype.available() or "")
    report = await wtype.type("text", MANNER)
    assert report.result is Result.NOTHING
    assert "virtual keyboard protocol" in report.reason


@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("exit 1", Result.NOTHING),
        ("exec sleep 60", Result.NOTHING),
        ("read -r text; exit 1", Result.UNCERTAIN),
        ("read -r text; exec sleep 60", Result.UNCERTAIN),
        ("read -r text; kill -9 $$", Result.UNCERTAIN),
    ],
)
async def test_what_is_known_after_a_failure(tools: FakeTools, script: str, result: Result) -> None:
    tools.add("wtype", script)
    report = await Wtype(tools.runner, SETTINGS).type("some text\n", MANNER)
    assert report.result is result
    assert report.reason.startswith("wtype")
    assert "\n" not in report.reason


async def test_keys_that_perhaps_were_pressed_are_uncertain(tools: FakeTools) -> None:
    tools.add("wtype", "exec sleep 60")
    wtype = Wtype(tools.runner, SETTINGS)
    assert (await wtype.press("backspace", MANNER, 3)).result is Result.UNCERTAIN
    assert "in time" in (await wtype.available() or "")


async def test_a_clipboard_that_hangs_is_not_known(tools: FakeTools) -> None:
    for name in ("wl-copy", "wl-paste"):
        tools.add(name, "exec sleep 60")
    clipboard = WaylandClipboard(tools.runner, SETTINGS)
    assert "in time" in (await clipboard.available() or "")
    assert await clipboard.get() is None
    assert not (await clipboard.set("text")).done


async def test_a_copy_that_did_not_arrive_is_none(tools: FakeTools) -> None:
    tools.add("wl-copy", "cat > /dev/null")
    tools.add("wl-paste", "printf 'what was there before'")
    report = await WaylandClipboard(tools.runner, SETTINGS).set("text")
    assert report.result is Result.NOTHING
    assert report.reason == "wl-copy says that it copied the text, but did not"
    tools.add("wl-copy", 'cat > "$HOME/copied"')
    tools.add("wl-paste", 'cat "$HOME/copied"')
    assert await WaylandClipboard(tools.runner, SETTINGS).set("text") == DONE


async def test_pictures_with_a_description_are_pictures(tools: FakeTools) -> None:
    tools.add("wl-paste", "printf 'text/html\\ntext/plain\\nUTF8_STRING\\n'")
    clipboard = WaylandClipboard(tools.runner, SETTINGS)
    assert await clipboard.get() == Content(text="text/html\ntext/plain\nUTF8_STRING\n")
    tools.add("wl-paste", "printf 'text/plain\\nimage/png\\n'")
    assert await clipboard.get() == Content(text=None)
