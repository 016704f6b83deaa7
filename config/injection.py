"""The `injection` section: how finals get into other windows."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from vivavoce.config.section import Milliseconds, Section

BackEnd: TypeAlias = Literal[
    "wtype",
    "ydotool",
    "dotool",
    "xdotool",
    "pynput",
    "clipboard",
    "command",
    "stdout",
    "file",
]


class InjectionSettings(Section, frozen=True, kw_only=True):
    """Where the text of finals is typed."""

    backend: Annotated[
        Literal[
            "none", "auto", "wtype", "ydotool", "dotool", "xdotool", "pynput", "clipboard",
            "command", "stdout", "file",
        ]
        | list[BackEnd],
        Meta(
            description="`none`, `auto` (what fits the session), one back end, or a list of them: "
            "the next is tried where one fails."
        ),
    ] = "none"  # fmt: skip
    command: Annotated[
        list[str] | None,
        Meta(
            description="For `command`: a program and its arguments, run without a shell; it "
            "receives the text on its standard input."
        ),
    ] = None
    file: Annotated[
        str | None, Meta(description="For `file`: where texts are appended, a line each.")
    ] = None
    newlines: Annotated[
        Literal["space", "enter", "shift_enter"],
        Meta(
            description="What a line break becomes. An Enter sends a chat message, so it is typed "
            "only where you say so."
        ),
    ] = "space"
    control_characters: Annotated[
        bool, Meta(description="Type control characters (tab, escape …) instead of removing them.")
    ] = False
    continuation: Annotated[
        bool,
        Meta(description="Spacing and capitals follow what was typed before into the same window."),
    ] = True
    deliver: Annotated[
        Literal["auto", "at_once", "at_release"],
        Meta(
            description="When text is typed: with each final, or when the recording has ended, so "
            "that cancel discards all of it. `auto`: at the release where a key is held to talk."
        ),
    ] = "auto"
    live: Annotated[
        bool,
        Meta(
            description="Type words as soon as they are stable, and correct them at the final. "
            "Only what this program typed is corrected. Needs `transcription.partials`."
        ),
    ] = False
    focus_moved: Annotated[
        Literal["type", "hold", "copy"],
        Meta(
            description="Another window has the focus than when the utterance began: type anyway, "
            "hold the text back until that window has it again, or copy it to the clipboard."
        ),
    ] = "type"
    wait_for_modifiers_ms: Annotated[
        Milliseconds,
        Meta(
            description="How long to wait until Ctrl, Alt … are let go of; then they are released."
        ),
    ] = 1_000
    timeout_ms: Annotated[
        Annotated[int, Meta(ge=50, le=600_000)],
        Meta(description="How long a back end may take for a piece of text before it is given up."),
    ] = 3_000
    characters_per_s: Annotated[
        Annotated[int, Meta(ge=5, le=100_000)] | None,
        Meta(description="How fast to type at most; nothing: as fast as the back end is sure to."),
    ] = None
    clipboard_fallback: Annotated[
        bool, Meta(description="Copy what could not be typed to the clipboard.")
    ] = True
    paste_keys: Annotated[
        str, Meta(description="For `clipboard`: keys that paste, as `ctrl+v`.")
    ] = "ctrl+v"
    restore_clipboard_ms: Annotated[
        Milliseconds,
        Meta(description="For `clipboard`: when, after pasting, the previous content comes back."),
    ] = 400
