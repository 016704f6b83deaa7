"""The cleaners of a profile: its own, and those of single applications."""

from __future__ import annotations

from vivavoce.actors.cleanup.cleaner import Cleaner
from vivavoce.actors.cleanup.rule_names import check_rules
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.errors import ProfileError
from vivavoce.config.for_application import ApplicationProfiles, overlaid
from vivavoce.config.schema import Profile
from vivavoce.pipeline.log import get_logger

log = get_logger("cleanup")

_MOST_KEPT = 64


class Cleaners:
    """A cleaner for each application, made when it is first met; bounded.

    Args:
        settings: the rules where the profile has none of its own for an application.
        profile: with the `applications`; None: all applications are alike.

    Raises:
        ProfileError: a rule file is wrong, or ``without`` names a rule that there is not; those of
            the applications are checked here, too.
    """

    def __init__(self, settings: CleanupSettings, profile: Profile | None = None) -> None:
        self._language = (profile.transcription.language if profile is not None else None) or ""
        self._base = Cleaner(settings, self._language)
        self._applications = profile.applications if profile is not None else []
        self._profiles: ApplicationProfiles | None = None
        self._known: dict[str, Cleaner] = {}
        if profile is not None and self._applications:
            self._profiles = ApplicationProfiles(lambda: profile)
            for entry in self._applications:
                check_rules(overlaid(profile, entry.settings).cleanup)

    def same(self, profile: Profile) -> bool:
        """Whether these are the cleaners of that profile."""
        return self._base.settings == profile.cleanup and self._applications == profile.applications

    def of(self, application: str) -> Cleaner:
        """The cleaner for windows of the class ``application``; empty: it is not known."""
        if self._profiles is None or not application:
            return self._base
        found = self._known.get(application)
        if found is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            found = self._known[application] = self._made(self._profiles.of(application).cleanup)
        return found

    def _made(self, settings: CleanupSettings) -> Cleaner:
        for cleaner in (self._base, *self._known.values()):
            if cleaner.settings == settings:
                return cleaner
        try:
            return Cleaner(settings, self._language)
        except ProfileError as error:  # the rule file was right when the profile was loaded
            log.warning("the rules of an application are wrong, the profile's hold", why=str(error))
            return self._base
