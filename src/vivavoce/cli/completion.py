"""`vivavoce completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
      vivavoce completion bash > ~/.local/share/bash-completion/completions/vivavoce
      vivavoce completion zsh  > "${fpath[1]}/_vivavoce"
      vivavoce completion fish > ~/.config/fish/completions/vivavoce.fish
    """
    from vivavoce.cli import command as root

    completion = get_completion_class(shell)
    assert completion is not None
    click.echo(completion(root, {}, "vivavoce", "_VIVAVOCE_COMPLETE").source())
