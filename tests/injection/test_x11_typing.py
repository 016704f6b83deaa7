"""Texts through the real actor, with the real xdotool, into a real xterm."""

import asyncio
import random
import shutil
from pathlib import Path

import pytest
from support.injecting import FixedFocus, Rig, final, flaky_tool, partial, profile
from support.waiting import moment, until
from support.x11 import Terminal, XDisplay

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.focus.x11 import X11Focus
from vivavoce.pipeline.messages import Focus

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

SENTENCES = (
    "The lazy dog.",
    "Zażółć jaźń, señor!",
    "Да, да! 日本語。",
    "5 € (100 %), ok?",
    "$(reboot) `id` 'a' \"b\" \\ $HOME !!",
)


@pytest.fixture
async def rig(display: XDisplay, editor: Terminal):
    made = _rig(display)
    yield made
    await made.stop()


def _rig(display: XDisplay, path: str = "", **settings) -> Rig:
    environ = dict(display.environ)
    if path:
        environ["PATH"] = f"{path}:{environ['PATH']}"
    return Rig(
        profile({"backend": ["xdotool"], **settings}),
        probe=X11Focus(display.environ),
        environ=environ,
    )


async def _arrives(terminal: Terminal, expected: str) -> None:
    await asyncio.to_thread(terminal.wait_for, expected)


async def test_200_texts_in_a_row_arrive_complete_and_in_order(rig: Rig, editor: Terminal):
    texts = [f"{n}: {SENTENCES[n % len(SENTENCES)]}" for n in range(200)]
    await rig.say_texts(*texts)
    await _arrives(editor, " ".join(texts))
    assert rig.outcomes == [Outcome.TYPED] * 200
    assert [delivery.utterance for delivery in rig.deliveries] == list(range(1, 201))
    assert {delivery.application for delivery in rig.deliveries} == {"editor"}


async def test_10_000_characters(rig: Rig, editor: Terminal):
    text = " ".join(f"word{number}," for number in range(1_200))[:9_999] + "."
    assert len(text) == 10_000
    await rig.say_texts(text)
    await _arrives(editor, text)
    assert rig.outcomes == [Outcome.TYPED]


async def test_5_000_emoji(rig: Rig, editor: Terminal):
    emoji = ["😀", "👍", "🎉", "❤", "🚀", "🙈", "🐍", "☕"]
    text = "".join(random.Random(5).choices(emoji, k=5_000))
    await rig.say_texts(text)
    await _arrives(editor, text)
    assert rig.outcomes == [Outcome.TYPED]


async def test_characters_of_several_parts_and_all_scripts(rig: Rig, editor: Terminal):
    text = "👨‍👩‍👧 é 🏳️‍🌈 🇩🇪 👍🏽 عربي עברית ไทย हिन्दी 汉字 ǅ ⁂ 𝔊 ½ ¿ ß"
    await rig.say_texts(text)
    await _arrives(editor, text)


@pytest.mark.smoke
async def test_text_that_looks_like_commands_or_escapes_is_text(
    rig: Rig, editor: Terminal, tmp_path: Path
):
    trap = tmp_path / "trap"
    await rig.say_texts(
        f"$(touch {trap}) `touch {trap}`; touch {trap} | touch {trap}\n\x1b]0;title\x07"
        "\x1b[2J\x9b31m --file /etc/passwd %s %n \\n \\x1b \x00\x7f\u202eend"
    )
    await _arrives(
        editor,
        f"$(touch {trap}) `touch {trap}`; touch {trap} | touch {trap} ]0;title[2J31m --file "
        "/etc/passwd %s %n \\n \\x1b end",
    )
    assert not trap.exists()


@pytest.mark.parametrize(("newlines", "typed"), [("space", "One. Two."), ("enter", "One.\rTwo.")])
async def test_line_breaks_are_typed_only_if_the_profile_says_so(
    display: XDisplay, editor: Terminal, newlines: str, typed: str
):
    rig = _rig(display, newlines=newlines)
    await rig.say_texts("One.\nTwo.")
    await _arrives(editor, typed)


async def test_control_characters_if_the_profile_wants_them(display: XDisplay, editor: Terminal):
    rig = _rig(display, control_characters=True, newlines="shift_enter")
    await rig.say_texts("a\tb\x1bc\x01d\ne")
    await _arrives(editor, "a\tb\x1bc\x01d\re")


async def test_the_keyboard_is_left_as_it_was(rig: Rig, display: XDisplay, editor: Terminal):
    def keys() -> list[list[int]]:
        from Xlib.display import Display

        asked = Display(display.display)
        try:
            return [list(row) for row in asked.get_keyboard_mapping(8, 248)]
        finally:
            asked.close()

    before = keys()
    await rig.say_texts("日本語 😀")
    assert keys() != before
    await rig.stop()
    assert keys() == before


async def test_a_tool_that_fails_at_random(display: XDisplay, editor: Terminal, tmp_path: Path):
    """Each text is typed, or was in the clipboard: once."""
    count = tmp_path / "count"
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        f"echo >> {count}; n=$(wc -l < {count}); [ $((n * 7919 % 10)) = 3 ] && exit 1\n"
        'exec "$REAL" "$@"',
    )
    rig = _rig(display, path)
    typed = []
    for number in range(1, 61):
        text = f"Text {number}."
        await rig.say(final(number, text))
        if rig.deliveries[-1].outcome is Outcome.TYPED:
            typed.append(text)
        else:
            assert rig.deliveries[-1].outcome is Outcome.COPIED
            assert rig.deliveries[-1].reason
            assert display.clipboard().decode().endswith(text)
    assert 0 < 60 - len(typed) < 20
    assert len(rig.deliveries) == 60
    await _arrives(editor, " ".join(typed))


async def test_no_other_takes_the_lent_keys_for_the_keyboard(
    display: XDisplay, editor: Terminal, tmp_path: Path
):
    """xdotool's are given back three seconds later, while another is at work."""
    broken = tmp_path / "broken"
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        f'[ -e {broken} ] && exit 1; exec "$REAL" "$@"',
    )
    rig = _rig(display, path, backend=["xdotool", "pynput"], characters_per_s=20)
    texts = ["Ü", "ü" * 70]
    await rig.say(final(1, texts[0]))
    broken.touch()
    await rig.say(final(2, texts[1]))
    assert [each.back_end for each in rig.deliveries] == ["xdotool", "pynput"]
    await _arrives(editor, " ".join(texts))
    await rig.stop()


async def test_a_tool_that_hangs(display: XDisplay, editor: Terminal, tmp_path: Path):
    """The next back end types the text: the one that hung took nothing of it."""
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        'case "$1" in type) sleep 1000;; esac; exec "$REAL" "$@"',
    )
    written = tmp_path / "written"
    rig = _rig(display, path, backend=["xdotool", "file"], file=str(written), timeout_ms=300)
    await rig.say_texts("One.", "Two.", "Three.")
    assert written.read_text() == "One.\nTwo.\nThree.\n"
    assert [delivery.back_end for delivery in rig.deliveries] == ["file"] * 3
    assert editor.typed == ""


async def test_a_tool_that_hangs_midway_and_a_tool_that_dies(
    display: XDisplay, editor: Terminal, tmp_path: Path
):
    """What it took may be typed: no other back end types it once more."""
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        'case "$1" in type) head -c 5 | "$REAL" "$@"; kill -9 $$;; esac; exec "$REAL" "$@"',
    )
    written = tmp_path / "written"
    rig = _rig(display, path, backend=["xdotool", "file"], file=str(written))
    await rig.say_texts("Hello there.")
    assert rig.outcomes == [Outcome.COPIED]
    assert display.clipboard() == b"Hello there."
    assert not written.exists()
    await _arrives(editor, "Hello")


@pytest.mark.smoke
async def test_no_tool_at_all(display: XDisplay, tmp_path: Path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "xclip").symlink_to(shutil.which("xclip"))
    environ = {**display.environ, "PATH": str(tmp_path / "bin")}
    rig = Rig(
        profile({"backend": ["xdotool"]}),
        probe=FixedFocus(Focus(window="1", application="x")),
        environ=environ,
    )
    await rig.say_texts("Nobody types this.")
    assert rig.outcomes == [Outcome.COPIED]
    assert "not installed" in rig.deliveries[0].reason
    assert display.clipboard() == b"Nobody types this."


async def test_no_window_has_the_focus(rig: Rig, display: XDisplay, editor: Terminal):
    from Xlib import X
    from Xlib.display import Display

    asked = Display(display.display)
    asked.set_input_focus(X.NONE, X.RevertToNone, X.CurrentTime)
    asked.sync()
    asked.close()
    await rig.say_texts("Where to?")
    assert rig.outcomes == [Outcome.COPIED]
    assert display.clipboard() == b"Where to?"
    assert editor.typed == ""


@pytest.mark.parametrize("policy", ["type", "hold", "copy"])
async def test_the_focus_moved(display: XDisplay, editor: Terminal, policy: str):
    other = display.terminal("other")
    try:
        rig = _rig(display, focus_moved=policy)
        began = Focus(window=editor.window, application="editor")
        for number in (1, 2, 3):
            rig.notes.note(1_000 * number + 100, began)
        await rig.say_texts("First.", "Second.")
        if policy == "type":
            await _arrives(other, "First. Second.")
            return
        assert other.typed == ""
        if policy == "copy":
            assert rig.outcomes == [Outcome.COPIED] * 2
            assert display.clipboard() == b"First. Second."
            return
        assert rig.outcomes == [Outcome.HELD] * 2
        assert rig.actor.status()["held"] == 2
        editor.focus()
        await rig.say(final(3, "Third."))
        await _arrives(editor, "First. Second. Third.")
        assert rig.outcomes[2:] == [Outcome.TYPED] * 3
        assert rig.actor.status()["held"] == 0
    finally:
        other.close()


async def test_held_modifiers_are_waited_for(rig: Rig, display: XDisplay, editor: Terminal):
    display.xdotool("keydown", "ctrl")
    rig.keys.press("ctrl")

    async def let_go() -> None:
        await moment()
        assert editor.typed == ""
        await asyncio.to_thread(display.xdotool, "keyup", "ctrl")
        rig.keys.release("ctrl")

    releasing = asyncio.create_task(let_go())
    await rig.say_texts("abc")
    await releasing
    await _arrives(editor, "abc")


async def test_modifiers_that_stay_held_are_cleared(display: XDisplay, editor: Terminal):
    rig = _rig(display, wait_for_modifiers_ms=50)
    display.xdotool("keydown", "ctrl")
    rig.keys.press("ctrl")
    try:
        await rig.say_texts("abc")
        await _arrives(editor, "abc")
    finally:
        display.xdotool("keyup", "ctrl")


async def test_live_words_are_corrected_at_the_final(display: XDisplay, editor: Terminal):
    rig = _rig(display, live=True)
    await rig.say(final(1, "Before."))
    await rig.say(partial(2, "we will meat", "him"))
    await _arrives(editor, "Before. We will meat")
    await rig.say(partial(2, "we will meat him", ""))
    await rig.say(final(2, "We will meet him!"))
    erased = "\x7f" * len("at him")
    await _arrives(editor, f"Before. We will meat him{erased}et him!")
    assert rig.outcomes == [Outcome.TYPED] * 2


async def test_live_words_are_not_corrected_in_another_window(display: XDisplay, editor: Terminal):
    rig = _rig(display, live=True)
    await rig.say(partial(1, "hello wold"))
    other = display.terminal("other")
    try:
        await rig.say(partial(1, "hello wold and"), final(1, "Hello world and so on."))
        assert rig.outcomes == [Outcome.PARTLY]
        assert display.clipboard() == b"Hello world and so on."
        await _arrives(editor, "hello wold")
        assert other.typed == ""
    finally:
        other.close()


@pytest.mark.smoke
async def test_a_text_is_taken_back(rig: Rig, editor: Terminal):
    await rig.say(final(1, "Keep this."), final(2, "Not this."), final(3, "But this.", retracts=1))
    await _arrives(editor, "Keep this. Not this." + "\x7f" * len(" Not this.") + " But this.")
    assert [(d.utterance, d.outcome) for d in rig.deliveries[2:]] == [
        (2, Outcome.RETRACTED),
        (3, Outcome.TYPED),
    ]


async def test_a_text_is_not_taken_back_in_another_window(
    rig: Rig, display: XDisplay, editor: Terminal
):
    await rig.say(final(1, "Stays."))
    other = display.terminal("other")
    try:
        await rig.say(final(2, "", retracts=1))
        assert rig.deliveries[-1].outcome is Outcome.TYPED
        assert "another window" in rig.deliveries[-1].reason
        await _arrives(editor, "Stays.")
        assert other.typed == ""
    finally:
        other.close()


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
async def test_caps_lock(display: XDisplay, editor: Terminal, back_end: str):
    rig = _rig(display, backend=[back_end])
    display.xdotool("key", "Caps_Lock")
    try:
        await rig.say_texts("Hello, Ünïcode я.")
        await _arrives(editor, "Hello, Ünïcode я.")
        display.xdotool("type", "lock")
        await _arrives(editor, "Hello, Ünïcode я.LOCK")
    finally:
        display.xdotool("key", "Caps_Lock")
        await rig.stop()


async def test_a_key_that_a_killed_tool_left_pressed_is_released(
    display: XDisplay, editor: Terminal, tmp_path: Path
):
    """Else the X server repeats it for ever."""
    path = flaky_tool(
        tmp_path / "bin",
        "xdotool",
        shutil.which("xdotool"),
        'case "$1" in type) cat > /dev/null; "$REAL" keydown shift x; sleep 100;; esac\n'
        'exec "$REAL" "$@"',
    )
    rig = _rig(display, path, timeout_ms=200)
    await rig.say_texts("Hello.")
    assert rig.outcomes == [Outcome.COPIED]
    assert display.pressed_keys() == 0
    await until(lambda: editor.typed, "the key was not pressed")
    typed = editor.typed
    assert typed.lower().startswith("x")
    display.xdotool("type", "y")
    await _arrives(editor, f"{typed}y")


async def test_a_keyboard_that_changes_slowly(display: XDisplay, editor: Terminal):
    """What does not fit into the time of one call is typed by the next."""
    rig = _rig(display, timeout_ms=150)
    text = "".join(chr(0x4E00 + 7 * number) for number in range(150))
    await rig.say_texts(text)
    await _arrives(editor, text)
    assert rig.outcomes == [Outcome.TYPED]
    await rig.stop()
