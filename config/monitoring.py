"""The `targets` and `metrics` sections: what a run should achieve, and who may read how it does."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from vivavoce.config.section import Section

Positive = Annotated[float, Meta(gt=0.0)]


class TargetSettings(Section, frozen=True, kw_only=True):
    """Targets that the monitor holds the run against. Nothing: not judged."""

    partial_ms: Annotated[
        Positive | None,
        Meta(description="Speech heard → partial shown, 95th percentile of the last minutes."),
    ] = 700.0
    final_ms: Annotated[
        Positive | None,
        Meta(description="Endpoint decided → final, 95th percentile of the last minutes."),
    ] = 1_000.0
    lag_s: Annotated[
        Positive | None,
        Meta(description="Speech that has ended and has no final yet, worst of the last minute."),
    ] = 3.0
    loop_lag_ms: Annotated[
        Positive | None, Meta(description="Event-loop lag, 99.9th percentile.")
    ] = 20.0
    main_memory_mb: Annotated[
        Positive | None, Meta(description="Resident memory of the main process, in 10⁶ bytes.")
    ] = 120.0
    engine_memory_mb: Annotated[
        Positive | None, Meta(description="Resident memory of the engine processes together.")
    ] = None
    listening_cpu_percent: Annotated[
        Positive | None, Meta(description="Of one core, main process, while `listening`.")
    ] = 1.0
    idle_cpu_percent: Annotated[
        Positive | None, Meta(description="Of one core, main process, while `idle` or `parked`.")
    ] = 0.5
    memory_slope_mb_per_hour: Annotated[
        Positive | None,
        Meta(description="Growth of the main process's memory over hours that is a leak."),
    ] = 3.0
    battery_percent_per_hour: Annotated[
        Positive | None, Meta(description="How fast the battery may run down.")
    ] = None


class MetricsSettings(Section, frozen=True, kw_only=True):
    """How the monitor measures, and where its figures can be read."""

    interval_s: Annotated[
        float, Meta(ge=1.0, le=3_600.0, description="Time between samples while somebody speaks.")
    ] = 5.0
    quiet_interval_s: Annotated[
        float, Meta(ge=1.0, le=3_600.0, description="Time between samples in the quiet modes.")
    ] = 60.0
    listen: Annotated[
        str | None,
        Meta(
            description="Address and port for Prometheus, as `127.0.0.1:9464`: serves /metrics and "
            "/health. Nothing: not served."
        ),
    ] = None
    listen_beyond_loopback: Annotated[
        bool, Meta(description="Allow an address that other machines can reach.")
    ] = False


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of ``metrics.listen``, as ``127.0.0.1:9464``, ``localhost:9464``,
    ``[::1]:9464``; port 0 is any that is free.

    Raises:
        ValueError: it is none of these; the text says what was expected.
    """
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ValueError("expected an address and a port, as 127.0.0.1:9464 or [::1]:9464")
    if ":" in host and not bracketed:
        raise ValueError("expected brackets around an IPv6 address, as [::1]:9464")
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach ``host``."""
    from ipaddress import ip_address

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
