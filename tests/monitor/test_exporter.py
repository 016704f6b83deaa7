"""What Prometheus and a health check get, over a real socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.waiting import advance, moment, until

from vivavoce.actors.monitor import MonitorActor
from vivavoce.actors.monitor.exporter import Exporter, ExporterError, Health
from vivavoce.config import load_profile
from vivavoce.config.cell import ProfileCell
from vivavoce.config.errors import ProfileError
from vivavoce.config.monitoring import MetricsSettings, is_loopback, listen_address
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.metrics import Instrument, Metrics
from vivavoce.pipeline.supervisor import Supervisor

HEALTHY = Health(
    live=True,
    ready=True,
    power_mode="active",
    engine="ready",
    last_caption_age_s=1.5,
    audio_age_s=0.0,
    captured_s=3.0,
    lag_s=0.0,
)


async def nothing() -> list[Instrument]:
    return []


@asynccontextmanager
async def served(
    metrics: Metrics | None = None, health: Health = HEALTHY, listen: str = "127.0.0.1:0"
) -> AsyncIterator[tuple[str, int]]:
    shown = metrics or Metrics()

    async def page() -> list[Instrument]:
        return shown.instruments()

    exporter = Exporter(MetricsSettings(listen=listen), page, lambda: health)
    await exporter.start()
    try:
        yield exporter.addresses[0]
    finally:
        await exporter.stop()


async def sent(address: tuple[str, int], request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


async def got(address: tuple[str, int], path: str) -> tuple[int, dict[str, str], bytes]:
    return await sent(address, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


def parsed(body: bytes) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(body.decode())}


async def test_metrics_have_types_help_units_and_real_buckets() -> None:
    metrics = Metrics()
    metrics.counter("vivavoce_finals_total").add(3)
    metrics.counter("vivavoce_mode_seconds_total", mode="idle").add(2.5)
    metrics.gauge("vivavoce_resident_memory_bytes", process="main").set(6e7)
    for seconds in (0.0005, 0.02, 0.1, 0.3, 60.0):
        metrics.histogram("vivavoce_final_seconds").observe(seconds)
    async with served(metrics) as address:
        status, headers, body = await got(address, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert int(headers["Content-Length"]) == len(body)
    families = parsed(body)
    assert families["vivavoce_finals"].type == "counter"
    assert families["vivavoce_finals"].samples[0].value == 3
    assert families["vivavoce_mode_seconds"].samples[0].labels == {"mode": "idle"}
    assert families["vivavoce_resident_memory_bytes"].type == "gauge"
    final = families["vivavoce_final_seconds"]
    assert final.type == "histogram"
    assert final.documentation
    counts = {one.labels["le"]: one.value for one in final.samples if one.name.endswith("_bucket")}
    assert (counts["0.001"], counts["0.1"], counts["0.5"], counts["10.0"]) == (1, 3, 4, 4)
    assert counts["+Inf"] == 5
    assert list(counts.values()) == sorted(counts.values())
    total = next(one.value for one in final.samples if one.name.endswith("_sum"))
    assert total == pytest.approx(60.4205)


async def test_own_names_and_labels_cannot_break_the_page() -> None:
    metrics = Metrics()
    metrics.counter("2 my-counter").add()
    metrics.gauge("mine", what='a "quoted"\nline \\').set(1)
    metrics.counter("mine").add(7)  # one name for two kinds
    metrics.gauge("ragged", a="1").set(1)
    metrics.gauge("ragged", b="2").set(2)
    async with served(metrics) as address:
        status, _, body = await got(address, "/metrics")
    assert status == 200
    families = parsed(body)
    assert "_2_my_counter" in families
    values = [s.labels.get("what") for f in families.values() for s in f.samples]
    assert 'a "quoted"\nline \\' in values or None in values
    assert len(families["ragged"].samples) == 2


@pytest.mark.parametrize(("live", "ready", "status"), [(1, 1, 200), (1, 0, 503), (0, 0, 503)])
async def test_health(live: bool, ready: bool, status: int) -> None:
    health = Health(**{**vars_of(HEALTHY), "live": bool(live), "ready": bool(ready)})
    async with served(health=health) as address:
        found, headers, body = await got(address, "/health")
    assert found == status
    assert headers["Content-Type"] == "application/json"
    told = json.loads(body)
    assert told["power_mode"] == "active"
    assert told["last_caption_age_s"] == 1.5
    assert (told["live"], told["ready"]) == (live, ready)


def vars_of(health: Health) -> dict[str, Any]:
    return {name: getattr(health, name) for name in health.__struct_fields__}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /elsewhere HTTP/1.1\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 405),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /metrics SMTP/1.1\r\n\r\n", 400),
        (b"GET /metrics?a=b HTTP/1.1\r\n\r\n", 200),
        (b"GET /health HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
    ],
)
async def test_other_requests(request_: bytes, status: int) -> None:
    async with served() as address:
        found, headers, _ = await sent(address, request_)
        assert found == status
        if status == 405:
            assert headers["Allow"] == "GET, HEAD"
        assert (await got(address, "/health"))[0] == 200, "it still serves"


async def test_head_has_no_body() -> None:
    async with served() as address:
        status, headers, body = await sent(address, b"HEAD /health HTTP/1.1\r\n\r\n")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0


async def test_too_many_connections_are_turned_away_and_silent_ones_time_out() -> None:
    async with served() as address:
        silent = [await asyncio.open_connection(*address) for _ in range(8)]
        await moment()
        assert (await got(address, "/health"))[0] == 503
        advance(6.0)
        for reader, writer in silent:
            assert await reader.read() == b""
            writer.close()
        assert (await got(address, "/health"))[0] == 200


async def test_stopping_closes_open_connections() -> None:
    async with served() as address:
        reader, writer = await asyncio.open_connection(*address)
        await moment()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), 60)
    writer.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(*address)


async def test_ipv6_loopback() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python knows no IPv6")
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with served(listen="[::1]:0") as address:
        assert (await got(address, "/health"))[0] == 200


# -- mistakes


async def test_a_busy_port_is_one_line_and_ends_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        profile = load_profile(
            "captions", environ={}, overrides=[f'metrics.listen="127.0.0.1:{port}"']
        )
        context = ActorContext(settings=ProfileCell(profile))
        monitor = MonitorActor(context=context)
        supervisor = Supervisor(profile.supervisor, context)
        supervisor.add(monitor)
        with pytest.raises(ExporterError, match=f"127.0.0.1:{port} is in use") as caught:
            await supervisor.run()
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)


async def test_an_address_of_another_machine_is_one_line() -> None:
    settings = MetricsSettings(listen="192.0.2.1:9464", listen_beyond_loopback=True)
    with pytest.raises(ExporterError, match="expected an address of this machine"):
        await Exporter(settings, nothing, lambda: HEALTHY).start()


async def test_without_prometheus_client_one_line_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr("vivavoce.actors.monitor.exporter.find_spec", lambda _: None)
    with pytest.raises(ExporterError, match=r"pip install 'vivavoce\[metrics\]'"):
        await Exporter(MetricsSettings(listen="127.0.0.1:0"), nothing, lambda: HEALTHY).start()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:80", ("localhost", 80)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert listen_address(text) == expected
    assert is_loopback(expected[0])


@pytest.mark.parametrize(
    "text", ["", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "localhost:http", "a:70000", "::1:80"]
)
def test_a_wrong_address_is_refused_with_the_profile(text: str) -> None:
    with pytest.raises(ProfileError, match=r"metrics\.listen: .*expected"):
        load_profile("captions", environ={}, overrides=[f'metrics.listen="{text}"'])


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "[::]", "example.org"])
def test_other_machines_only_when_allowed(host: str) -> None:
    overrides = [f'metrics.listen="{host}:9464"']
    with pytest.raises(ProfileError, match="listen_beyond_loopback"):
        load_profile("captions", environ={}, overrides=overrides)
    allowed = [*overrides, "metrics.listen_beyond_loopback=true"]
    assert load_profile("captions", environ={}, overrides=allowed).metrics.listen_beyond_loopback


async def test_a_scrape_of_the_monitor_shows_channels_ledger_and_modes() -> None:
    profile = load_profile("captions", environ={}, overrides=['metrics.listen="127.0.0.1:0"'])
    context = ActorContext(settings=ProfileCell(profile))
    monitor = MonitorActor(
        channels=lambda: {"monitor": monitor.inbox.statistics()}, context=context
    )
    inbox = monitor.inbox
    supervisor = Supervisor(profile.supervisor, context)
    supervisor.add(monitor)
    task = asyncio.create_task(supervisor.run())
    context.stream.start()
    context.ledger.capture(16_000)
    await until(lambda: monitor.addresses, "nothing is served")
    address = monitor.addresses[0]
    families = parsed((await got(address, "/metrics"))[2])
    health = await got(address, "/health")
    inbox.close()
    await task
    assert families["vivavoce_channel_capacity"].samples[0].labels == {"channel": "monitor"}
    ledger = {s.labels["fate"]: s.value for s in families["vivavoce_ledger_samples"].samples}
    assert ledger["captured"] == ledger["pending"] == 16_000
    memory = families["vivavoce_resident_memory_bytes"].samples
    assert next(s.value for s in memory if s.labels["process"] == "main") > 1e7
    assert families["vivavoce_mode_seconds"].samples[0].labels == {"mode": "active"}
    assert all(family.documentation for family in families.values())
    assert health[0] == 200
