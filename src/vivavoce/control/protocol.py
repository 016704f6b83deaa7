"""What is said over the socket: one JSON line asks, one answers; who follows gets one each change.

The page ``docs/control.md`` describes it for other programs.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.config.errors import VivavoceError
from vivavoce.config.trigger import TriggerMode
from vivavoce.control.limits import LINE_BYTES, VERSION
from vivavoce.pipeline.messages import PowerMode

Forced: TypeAlias = Literal["auto", "active", "listening", "idle", "parked", "closed"]
"""A power mode to spend silence in; ``auto``: as the profile says."""


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The engine; ``ready``: it is loaded, so a word that is said now waits for nothing."""

    name: str = ""
    model: str = ""
    ready: bool = False


class DeliveryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the last text: never the text itself."""

    outcome: Outcome
    back_end: str = ""
    application: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How an instance is doing. It holds nothing that was said, and nothing secret.

    The fields are described in ``docs/control.md``; they may become more.
    """

    pid: int
    version: str
    instance: str = "default"
    profile: str = ""
    mode: TriggerMode = "voice"
    hotkey: str | None = None
    recording: bool = False
    speaking: bool = False
    power: PowerMode = PowerMode.LISTENING
    power_forced: bool = False
    engine: EngineStatus = EngineStatus()
    microphone: str = ""
    uptime_s: float = 0.0
    finals: int = 0
    words: int = 0
    pending_s: float = 0.0
    dropped_s: float = 0.0
    delivery: DeliveryStatus | None = None
    held: int = 0
    history: bool = False
    problem: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    """Base of what can be asked.

    ``began`` is when the asking process was started, in seconds of the clock that counts from the
    boot of the machine (0: not told). Keys that are pressed in quick succession start processes
    that may overtake each other.
    """

    v: int
    began: float = 0.0


class Start(Request, frozen=True, tag="start"):
    """Begin to record."""


class Stop(Request, frozen=True, tag="stop"):
    """End the recording; what was said is recognised."""


class Toggle(Request, frozen=True, tag="toggle"):
    """The other of the two."""


class Cancel(Request, frozen=True, tag="cancel"):
    """End the recording, and discard what was said in it."""


class GetStatus(Request, frozen=True, kw_only=True, tag="status"):
    """The status; ``follow``: and again at each change, until the instance ends."""

    follow: bool = False


class SetMode(Request, frozen=True, kw_only=True, tag="mode"):
    """Use another trigger mode until the end; None: that of the profile again."""

    mode: TriggerMode | None


class SetPower(Request, frozen=True, kw_only=True, tag="power"):
    """Spend silence in another power mode."""

    mode: Forced


class UseProfile(Request, frozen=True, kw_only=True, tag="profile"):
    """Go on with another profile: a name, or an absolute path."""

    name: str


class Quit(Request, frozen=True, tag="quit"):
    """Finish what was said, and end. The connection is closed when the instance has ended."""


AnyRequest: TypeAlias = (
    Start | Stop | Toggle | Cancel | GetStatus | SetMode | SetPower | UseProfile | Quit
)


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer. Where ``ok`` is false, ``error`` is one line, ``exit_code`` what `ctl` exits with.

    ``ended`` is the last line of who follows: the instance ended as it was told to.
    """

    v: int
    ok: bool
    error: str = ""
    exit_code: int = 0
    status: Status | None = None
    ended: bool = False


_DECODER: msgspec.json.Decoder[AnyRequest] = msgspec.json.Decoder(AnyRequest)


class RequestError(VivavoceError):
    """What arrived is no request."""

    exit_code = 2


class _Versioned(msgspec.Struct):
    v: int


def parse_request(line: bytes) -> AnyRequest:
    """The request in ``line``.

    Raises:
        RequestError: it is none, or of another version.
    """
    try:
        version = msgspec.json.decode(line, type=_Versioned).v
        if version == VERSION:
            return _DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestError(f"not a request: {error}") from error
    raise RequestError(
        f"a request of version {version}: this instance speaks {VERSION}; restart it, "
        "so that both are of one release"
    )


def render(reply: Reply) -> bytes:
    """``reply`` as a line, never longer than the limit."""
    line = msgspec.json.encode(reply) + b"\n"
    if len(line) > LINE_BYTES:
        line = render(failure("the answer is too long", 1))
    return line


def success(**parts: Any) -> Reply:
    """It was done."""
    return Reply(v=VERSION, ok=True, **parts)


def failure(error: str, exit_code: int) -> Reply:
    """It was not done: why, in one line."""
    return Reply(v=VERSION, ok=False, error=error[:4096], exit_code=exit_code)
