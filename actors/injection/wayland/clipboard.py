"""The clipboard of a Wayland session, through wl-clipboard."""

from __future__ import annotations

import asyncio

from vivavoce.actors.injection.back_end import DONE, Content, Report, Result, report_of
from vivavoce.actors.injection.tool import Finished, ToolRunner
from vivavoce.config.injection import InjectionSettings

_MOST_KEPT = 1 << 20
"""Bytes of a text that are kept to be put back; a longer one counts as no text."""
_TEXT_TYPES = ("text/plain;charset=utf-8", "UTF8_STRING", "text/plain", "TEXT", "STRING")
_NO_TEXT = ("image/", "audio/", "video/", "application/", "text/uri-list", "x-special/")
"""Types that say that the text beside them is only a part or a description of what was copied."""
_EMPTY = ("No selection", "Nothing is copied")


class WaylandClipboard:
    """Reads with wl-paste and sets with wl-copy, which stays behind as the owner of the text."""

    name = "wl-copy"

    def __init__(self, runner: ToolRunner, settings: InjectionSettings) -> None:
        self._runner = runner
        self._timeout_s = settings.timeout_ms / 1_000

    async def available(self) -> str | None:
        """Ask what the clipboard holds."""
        for tool in ("wl-copy", "wl-paste"):
            if self._runner.find(tool) is None:
                return f"{tool} is not installed: install the package wl-clipboard"
        types = await self._types()
        return None if types.ok or _is_empty(types) else types.complaint("wl-paste")

    async def get(self) -> Content | None:
        """What it holds now; files, pictures and sounds are no text, whatever is beside them."""
        types = await self._types()
        if not types.ok:
            return Content(text="") if _is_empty(types) else None
        kind = _text_type(types.output.decode(errors="replace").split("\n"))
        if kind is None:
            return Content(text=None)
        pasted = await self._paste(kind)
        return _content(pasted.output) if pasted.ok else None

    async def set(self, text: str) -> Report:
        """Put ``text`` there; an empty text clears it."""
        if not text:
            cleared = await self._runner.run(["wl-copy", "--clear"], timeout_s=self._timeout_s)
            return report_of(cleared, "wl-copy")
        # Without a type it asks xdg-mime, and a text that begins like a script is no text then.
        finished = await self._runner.run(
            ["wl-copy", "--type", "text/plain"],
            stdin=text.encode(errors="replace"),
            timeout_s=self._timeout_s,
        )
        if not finished.ok or finished.unread:
            return Report(Result.NOTHING, report_of(finished, "wl-copy").reason)
        return await self._confirmed(text)

    async def _confirmed(self, text: str) -> Report:
        """A compositor may refuse what wl-copy offers, and does not say so: it is read back."""
        expected = text.encode(errors="replace")
        if len(expected) >= _MOST_KEPT:
            return DONE
        for pause_s in (0.0, 0.02, 0.1):
            await asyncio.sleep(pause_s)
            pasted = await self._paste("text/plain")
            if pasted.timed_out:
                break
            if pasted.ok and pasted.output == expected:
                return DONE
        return Report(Result.NOTHING, "wl-copy says that it copied the text, but did not")

    async def _paste(self, kind: str) -> Finished:
        return await self._runner.run(
            ["wl-paste", "--no-newline", "--type", kind],
            timeout_s=self._timeout_s,
            most_output=_MOST_KEPT,
        )

    async def _types(self) -> Finished:
        return await self._runner.run(["wl-paste", "--list-types"], timeout_s=self._timeout_s)


def _text_type(offered: list[str]) -> str | None:
    if any(kind.startswith(_NO_TEXT) for kind in offered):
        return None
    return next((kind for kind in _TEXT_TYPES if kind in offered), None)


def _content(data: bytes) -> Content:
    if len(data) >= _MOST_KEPT:
        return Content(text=None)
    try:
        return Content(text=data.decode())
    except UnicodeDecodeError:
        return Content(text=None)


def _is_empty(types: Finished) -> bool:
    return types.code == 1 and types.said.startswith(_EMPTY)
