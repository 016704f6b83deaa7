"""A profile as it holds for the windows of one application. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from vivavoce.config.applications import OF_APPLICATIONS
from vivavoce.config.layers import Layer
from vivavoce.config.mistakes import explain
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path, deep_merge

_MOST_KEPT = 64


class ApplicationProfiles:
    """The profile for each application, worked out once for as long as the same profile holds.

    Args:
        profile: the one that holds then; it was loaded, so that its `applications` are right.
    """

    def __init__(self, profile: Callable[[], Profile]) -> None:
        self._profile = profile
        self._known = {"": profile()}

    def of(self, application: str) -> Profile:
        """The profile for windows of the class ``application``; empty: it is not known."""
        profile = self._profile()
        if self._known[""] is not profile:
            self._known = {"": profile}
        found = self._known.get(application)
        if found is None:
            if len(self._known) >= _MOST_KEPT:
                self._known = {"": profile}
            found = self._known[application] = for_application(profile, application)
        return found


def for_application(profile: Profile, application: str) -> Profile:
    """The profile with the settings of each entry that matches laid over it, in their order.

    Raises:
        msgspec.ValidationError: settings of an entry are wrong, which a loaded profile's cannot be.
    """
    name = application.casefold()
    matching = [
        entry.settings
        for entry in profile.applications
        if fnmatchcase(name, entry.match.casefold())
    ]
    return overlaid(profile, *matching) if matching else profile


def overlaid(profile: Profile, *settings: dict[str, Any]) -> Profile:
    """The profile with settings laid over it.

    Raises:
        msgspec.ValidationError: they do not fit the schema.
    """
    data: dict[str, Any] = msgspec.to_builtins(profile)
    for each in settings:
        data = deep_merge(data, each)
    return msgspec.convert(data, Profile)


def wrong_applications(profile: Profile) -> Iterator[tuple[Path, str]]:
    """What is wrong with the `applications` of a profile that fits the schema: where, and what."""
    for number, entry in enumerate(profile.applications):
        where: Path = ("applications", str(number), "settings")
        for section in entry.settings:
            if section not in OF_APPLICATIONS:
                yield (
                    (*where, section),
                    f"only {' and '.join(OF_APPLICATIONS)} can differ from one application to "
                    "another",
                )
                break
        else:
            try:
                overlaid(profile, entry.settings)
            except msgspec.ValidationError as error:
                told = explain(str(error), Layer(entry.settings, {}))
                yield where, f"for {entry.match!r}: {told}"
