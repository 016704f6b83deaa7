"""The clipboard of a real compositor."""

import subprocess

import pytest
from support.wayland import SwaySession

from vivavoce.actors.injection.back_end import DONE, Content
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.wayland import WaylandClipboard
from vivavoce.config.injection import InjectionSettings

pytestmark = [pytest.mark.desktop, pytest.mark.patient]


@pytest.fixture
def clipboard(tools: ToolRunner) -> WaylandClipboard:
    return WaylandClipboard(tools, InjectionSettings())


def offer(sway: SwaySession, kind: str, data: bytes) -> None:
    subprocess.run(
        ["wl-copy", "--type", kind], env=sway.environ, input=data, check=True, timeout=60
    )


TEXTS = [
    "plain",
    " spaces and a line end kept \n",
    "#!/bin/sh\nreboot\n",
    "%PDF-1.4 is only how it begins",
    "--help",
    "Grüße 👍🏽 你好\r\n\t$(reboot)",
    "long " * 40_000,
]


@pytest.mark.smoke
async def test_texts_come_back_as_they_were(clipboard: WaylandClipboard) -> None:
    assert await clipboard.available() is None
    assert await clipboard.get() == Content(text="")
    for text in TEXTS:
        assert await clipboard.set(text) == DONE
        assert await clipboard.get() == Content(text=text)
    assert await clipboard.set("") == DONE
    assert await clipboard.get() == Content(text="")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("text/uri-list", b"file:///etc/passwd\r\n"),
        ("application/octet-stream", b"\0\1\2"),
        ("text/plain", b"\xff\xfe not UTF-8"),
    ],
)
async def test_what_is_no_text_is_told_apart(
    sway: SwaySession, clipboard: WaylandClipboard, kind: str, data: bytes
) -> None:
    offer(sway, kind, data)
    assert await clipboard.get() == Content(text=None)


async def test_without_a_session_it_says_so(tools: ToolRunner) -> None:
    lost = ToolRunner({**tools.environ, "WAYLAND_DISPLAY": "wayland-none"})
    clipboard = WaylandClipboard(lost, InjectionSettings())
    assert (await clipboard.available() or "").startswith("wl-paste")
    assert await clipboard.get() is None
    assert not (await clipboard.set("text")).done
