"""What arrives over the socket is a request, or an error in one line."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.control import protocol
from vivavoce.control.limits import LINE_BYTES, VERSION
from vivavoce.control.protocol import RequestError, Status, parse_request, render

PAGE = (Path(__file__).parents[2] / "docs" / "control.md").read_text()


def documented(heading: str) -> set[str]:
    """The names in the first column of the table below ``heading``."""
    _, _, below = PAGE.partition(f"\n{heading}\n")
    table = re.search(r"(\|.*\n)+", below)
    assert table is not None
    rows = table[0].split("\n", 2)[2]  # without the head
    return set(re.findall(r"^\| `([^`]+)`", rows, re.MULTILINE))


def fields(kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    names = set()
    for field in msgspec.structs.fields(kind):
        inner = msgspec.inspect.type_info(field.type)
        options = getattr(inner, "types", (inner,))
        structs = [one.cls for one in options if isinstance(one, msgspec.inspect.StructType)]
        names |= fields(structs[0], f"{field.name}.") if structs else {prefix + field.name}
    return names


def test_the_page_describes_every_field_of_the_status_and_no_other() -> None:
    assert documented("## Status") == fields(Status)


def test_the_page_describes_every_request_and_no_other() -> None:
    kinds = protocol.AnyRequest.__args__
    assert documented("## The protocol") == {kind.__struct_config__.tag for kind in kinds}


def test_the_status_holds_nothing_that_was_said() -> None:
    assert not fields(Status) & {"text", "caption", "stable", "tail", "delivery.reason"}


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_request_or_an_error(line: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(line)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_depth_that_would_exhaust_the_stack_is_an_error() -> None:
    with pytest.raises(RequestError):
        parse_request(b'{"v":1,"do":"stop","x":' + b"[" * 60_000)


def test_another_version_is_told_as_such_also_where_the_command_is_unknown() -> None:
    with pytest.raises(RequestError, match="version 7: this instance speaks 1; restart it"):
        parse_request(b'{"v":7,"do":"dance"}')


def test_what_a_newer_client_adds_is_no_error() -> None:
    request = parse_request(b'{"v":1,"do":"status","follow":true,"new":[1]}')
    assert request == protocol.GetStatus(v=VERSION, follow=True)


def test_an_answer_is_never_longer_than_a_line_may_be() -> None:
    long = protocol.success(error="é" * LINE_BYTES)
    assert len(render(long)) < LINE_BYTES
    assert msgspec.json.decode(render(long))["ok"] is False
    assert len(render(protocol.failure("\x00" * 100_000, 2))) < LINE_BYTES
