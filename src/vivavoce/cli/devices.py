"""`vivavoce devices`: which microphones there are."""

from __future__ import annotations

import json

import click
import msgspec

from vivavoce.cli.table import print_table


@click.command("devices")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(*, as_json: bool) -> None:
    """List the microphones; use a name (or a part of it) or a number in a profile.

    \b
      vivavoce devices
      vivavoce --set capture.device=headset
      vivavoce --set 'capture.device=[headset, 0]'      the first that is there
    """
    from vivavoce.actors.capture.devices import list_input_devices, ranked

    devices = list_input_devices()
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(device) for device in devices], indent=2))
        return
    ranked(devices, None)  # none at all is an error that names the way out
    rows = [
        (
            str(device.index),
            device.name + (" (default)" if device.is_default else ""),
            str(device.channels),
            f"{device.default_rate} Hz",
        )
        for device in devices
    ]
    print_table(("NUMBER", "NAME", "CHANNELS", "RATE"), rows)
