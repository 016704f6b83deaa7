"""The option `--language`: checked and completed as the setting is."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

AUTO = "auto"


def checked_language(
    context: click.Context, option: click.Parameter, value: str | None
) -> str | None:
    """Whisper's code of the language; of a click option.

    Raises:
        click.BadParameter: it is no language that Whisper knows.
    """
    return _checked(value, auto=False)


def checked_language_or_auto(
    context: click.Context, option: click.Parameter, value: str | None
) -> str | None:
    """The same, where ``auto`` (given on as it is) is expected, too."""
    return _checked(value, auto=True)


def _checked(value: str | None, *, auto: bool) -> str | None:
    from vivavoce.config.languages import is_auto, language_code, wrong_language

    if value is None:
        return None
    complaint = wrong_language(value, auto=auto)
    if complaint:
        raise click.BadParameter(complaint)
    return AUTO if is_auto(value) else language_code(value)


def known_languages(
    context: click.Context, option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Codes that begin so, each with its name; completes a click option."""
    from vivavoce.config.languages import LANGUAGES

    return [
        CompletionItem(code, help=name)
        for code, name in sorted(LANGUAGES.items())
        if code.startswith(incomplete.casefold())
    ]
