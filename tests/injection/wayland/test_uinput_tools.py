"""ydotool and dotool: what they are asked to do, as recorded by programs in their place.

Both need /dev/uinput, so that none of them can type in a test.
"""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fake_tools import FakeTools

from vivavoce.actors.injection.back_end import DONE, Manner, Result
from vivavoce.actors.injection.wayland import Dotool, Ydotool
from vivavoce.actors.injection.wayland.dotool import _typing
from vivavoce.config.injection import InjectionSettings

SETTINGS = InjectionSettings()
MANNER = Manner(timeout_s=2.0)
NEW_HELP = "echo 'Use environment variable YDOTOOL_SOCKET to specify daemon socket.'"
OLD_HELP = "printf 'Available commands:\\n  type\\n  recorder\\n'"


@pytest.fixture
def tools(tmp_path: Path) -> FakeTools:
    return FakeTools(tmp_path)


# -- ydotool


async def test_ydotool_is_given_ascii_on_standard_input(tools: FakeTools) -> None:
    tools.recorder("ydotool")
    text = "--help $(reboot) `id` 'q' \"d\" \\n\ttab\nline ~"
    assert await Ydotool(tools.runner, SETTINGS).type(text, MANNER) == DONE
    assert tools.input_of("ydotool") == text
    assert tools.arguments_of("ydotool") == ["type", "--key-delay=1", "--file=/dev/stdin"]


async def test_ydotool_refuses_what_a_us_keyboard_has_not(tools: FakeTools) -> None:
    tools.add("ydotool", "exit 1")  # would leave the text uncertain, or unread
    for text in ("größer", "你好", "e\u0301", "👍", "\x1b[2J", "“quoted”"):
        report = await Ydotool(tools.runner, SETTINGS).type(text, MANNER)
        assert report.result is Result.NOTHING
        assert "U+" in report.reason


async def test_ydotool_presses_numbered_keys_or_named_ones_before_1_0(tools: FakeTools) -> None:
    tools.recorder("ydotool", NEW_HELP)
    new = Ydotool(tools.runner, SETTINGS)
    assert await new.press("ctrl+v", MANNER) == DONE
    assert tools.arguments_of("ydotool") == ["key", "29:1", "47:1", "47:0", "29:0"]
    assert await new.press("backspace", MANNER, 2) == DONE
    assert tools.arguments_of("ydotool") == ["key", "14:1", "14:0", "14:1", "14:0"]

    tools.recorder("ydotool", OLD_HELP)
    old = Ydotool(tools.runner, SETTINGS)
    assert await old.press("super+shift+page_up", MANNER, 2) == DONE
    assert tools.arguments_of("ydotool") == ["key", "--repeat=2", "leftmeta+shift+pageup"]


async def test_without_its_daemon_ydotool_says_what_to_do(tools: FakeTools) -> None:
    assert "not installed" in (await Ydotool(tools.runner, SETTINGS).available() or "")
    tools.add("ydotool", "echo 'failed to connect socket'; exit 2")
    ydotool = Ydotool(tools.runner, SETTINGS)
    assert "ydotoold" in (await ydotool.available() or "")
    assert (await ydotool.type("text", MANNER)).result is Result.NOTHING
    assert (await ydotool.press("enter", MANNER)).result is Result.NOTHING
    tools.add("ydotool", 'test "$1-$2" = "type-"')  # typing nothing is what is asked of it
    assert await ydotool.available() is None


# -- dotool


async def test_a_text_is_no_program_to_dotool(tools: FakeTools) -> None:
    tools.recorder("dotool")
    text = " key ctrl+alt+delete\nkey x\r\ntype y\n\nöffne\t$(reboot) "
    assert await Dotool(tools.runner, SETTINGS).type(text, MANNER) == DONE
    assert tools.arguments_of("dotool") == []
    assert tools.input_of("dotool").splitlines() == [
        *("keydelay 200", "key k:240", "keydelay 2", "typehold 2", "typedelay 3"),
        *("key k:57", "type key ctrl+alt+delete", "key k:28", "type key x", "key k:28", "key k:28"),
        *("type type y", "key k:28", "key k:28", "type öffne", "key k:15", "type $(reboot)"),
        "key k:57",
    ]


@given(st.text(st.sampled_from("ab ü\n\r\t\x1b")))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_character_of_a_text_becomes_one_key_or_is_typed(text: str) -> None:
    keys = {"key k:28": "\n", "key k:15": "\t", "key k:1": "\x1b", "key k:57": " "}
    commands = _typing(text)
    for command in commands:
        assert command in keys or re.fullmatch(
            r"type [^ \n\r\t\x1b]([^\n\r\t\x1b]*[^ \n\r\t\x1b])?", command
        )
    typed = "".join(keys.get(command, command.removeprefix("type ")) for command in commands)
    assert typed == text.replace("\r", "\n")


async def test_dotool_refuses_what_no_layout_has(tools: FakeTools) -> None:
    for text in ("👍", "你好", "한국어", "\x07", "\x9b"):
        report = await Dotool(tools.runner, SETTINGS).type(text, MANNER)
        assert report.result is Result.NOTHING
        assert "U+" in report.reason


async def test_a_warning_of_dotool_is_a_character_that_is_missing(tools: FakeTools) -> None:
    tools.recorder("dotool", "echo 'dotool: WARNING: impossible character for layout: ñ' >&2")
    report = await Dotool(tools.runner, SETTINGS).type("mañana", MANNER)
    assert report.result is Result.UNCERTAIN
    assert "ñ" in report.reason


async def test_dotool_presses_keys_by_their_place(tools: FakeTools) -> None:
    tools.recorder("dotool")
    dotool = Dotool(tools.runner, SETTINGS)
    assert await dotool.press("ctrl+shift+v", MANNER, 2) == DONE
    assert tools.input_of("dotool").splitlines()[-1] == "key ctrl+shift+k:47 ctrl+shift+k:47"
    assert (await dotool.press("ctrl+é", MANNER)).result is Result.NOTHING


async def test_without_access_dotool_says_so(tools: FakeTools) -> None:
    assert "not installed" in (await Dotool(tools.runner, SETTINGS).available() or "")
    tools.add("dotool", "echo 'dotool: open /dev/uinput: permission denied' >&2; exit 1")
    dotool = Dotool(tools.runner, SETTINGS)
    assert "/dev/uinput" in (await dotool.available() or "")
    assert (await dotool.type("text", MANNER)).result is Result.NOTHING
