"""What a task group raises, unwrapped."""

from __future__ import annotations


def first_failure(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first failure in a group that is not itself a group.

    Actors in one group fail one at a time: the first failure cancels the rest.
    """
    first = failures.exceptions[0]
    return first_failure(first) if isinstance(first, BaseExceptionGroup) else first
