"""The clipboard of an X11 session, by xclip or xsel.

Both stay in the background as the owner of what they were given, for as long as nobody else copies
something: on X11 a clipboard lives in the program that filled it. They are not waited for, and the
text outlives this program.
"""

from __future__ import annotations

import asyncio

from vivavoce.actors.injection.back_end import DONE, Content, Report, Result
from vivavoce.actors.injection.tool import Finished, ToolRunner
from vivavoce.config.injection import InjectionSettings

_TIMEOUT_S = 1.5
_CONFIRM_S = 0.2
_MOST = 1 << 20
"""Bytes of a clipboard that are kept to be restored; a larger one counts as no text."""
_TEXT = frozenset({b"UTF8_STRING", b"STRING", b"TEXT", b"COMPOUND_TEXT"})
_MORE_THAN_TEXT = (
    b"image/",
    b"audio/",
    b"video/",
    b"application/",
    b"x-special/",
    b"text/uri-list",
)


class XClipboard:
    """xclip, else xsel.

    Args:
        runner: with ``DISPLAY`` in its environment.
        settings: none of its own.
    """

    name = "xclip"

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        self._runner = runner

    async def available(self) -> str | None:
        """Whether a tool is installed and its X server answers."""
        if not self._runner.environ.get("DISPLAY"):
            return "the X11 clipboard needs an X11 session: DISPLAY is not set"
        tool = self._tool()
        if tool is None:
            return "neither xclip nor xsel is installed: install one with your package manager"
        asked = await self._read("TARGETS")
        if asked.timed_out:
            return "the owner of the clipboard does not answer"
        return asked.complaint(tool) if b"open display" in asked.said.encode() else None

    async def get(self) -> Content | None:
        """What it holds now. Text that comes with pictures or files is no text; its markup, where a
        browser gives one, is not kept."""
        if self._tool() == "xsel":
            return await self._get_by_xsel()
        targets = await self._read("TARGETS")
        if targets.timed_out or targets.error:
            return None
        if not targets.ok:
            return Content(text="") if "not available" in targets.said else None
        kinds = set(targets.output.split())
        if not kinds & _TEXT:
            return Content(text=None if kinds else "")
        if any(kind.startswith(_MORE_THAN_TEXT) for kind in kinds):
            return Content(text=None)
        found = await self._read("UTF8_STRING" if b"UTF8_STRING" in kinds else "STRING")
        return _content(found)

    async def set(self, text: str) -> Report:
        """Put ``text`` there."""
        tool = self._tool()
        if tool is None:
            return Report(Result.NOTHING, await self.available() or "")
        command = ["xclip", "-selection", "clipboard", "-in"]
        if tool == "xsel":
            command = ["xsel", "--clipboard", "--input"]
        done = await self._runner.run(command, stdin=text.encode(), timeout_s=_TIMEOUT_S)
        if not done.ok:
            return Report(Result.NOTHING, done.complaint(tool))
        return await self._confirmed(text, tool)

    async def _confirmed(self, text: str, tool: str) -> Report:
        """xclip ends before the X server has heard of its child: who pastes at once pastes what was
        there before. So what is there now is asked for, a few times at most."""
        if len(text.encode()) > _MOST:
            await asyncio.sleep(_CONFIRM_S)
            return DONE
        for pause_s in (0.0, 0.01, 0.02, 0.05, _CONFIRM_S):
            await asyncio.sleep(pause_s)
            now = await self.get()
            if now is not None and now.text == text:
                return DONE
        return Report(Result.NOTHING, f"{tool} says that it copied the text, but did not")

    def _tool(self) -> str | None:
        return next((name for name in ("xclip", "xsel") if self._runner.find(name)), None)

    async def _read(self, target: str) -> Finished:
        return await self._runner.run(
            ["xclip", "-selection", "clipboard", "-out", "-target", target],
            timeout_s=_TIMEOUT_S,
            most_output=_MOST + 1,
        )

    async def _get_by_xsel(self) -> Content | None:
        # xsel cannot tell an empty clipboard from one with a picture.
        found = await self._runner.run(
            ["xsel", "--clipboard", "--output"], timeout_s=_TIMEOUT_S, most_output=_MOST + 1
        )
        content = _content(found)
        return None if content is not None and content.text == "" else content


def _content(found: Finished) -> Content | None:
    if not found.ok:
        return None
    if len(found.output) > _MOST:
        return Content(text=None)
    return Content(text=found.output.decode(errors="replace"))
