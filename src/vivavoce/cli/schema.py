"""`vivavoce schema`: the JSON Schema of profiles."""

from __future__ import annotations

import json

import click
import msgspec


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of profiles, for editors.

    \b
      vivavoce schema > ~/.config/vivavoce/schema.json
    and in a profile's first line:
      # yaml-language-server: $schema=../schema.json
    """
    from vivavoce.config import Profile

    schema = msgspec.json.schema(Profile)
    schema["$defs"]["Profile"]["properties"]["extends"] = {
        "type": "string",
        "description": "The profile that this one changes: a name, or a path beside this file.",
    }
    click.echo(json.dumps(schema, indent=2))
