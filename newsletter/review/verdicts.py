"""What one check comes to: passed, failed or a warning, with its reason and its places."""

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.content.errors import SourceError

TOLD: int = 5
"""Places that stand in the reason itself."""


@dataclass(frozen=True)
class Check:
    """One thing looked at; one that is not blocking only warns."""

    name: str
    passed: bool
    blocking: bool
    reason: str
    places: tuple[SourceError, ...] = ()
    """Where in the sources it is to be mended."""

    @property
    def verdict(self) -> str:
        """Return passed, failed or warning."""
        return "passed" if self.passed else "failed" if self.blocking else "warning"


def must(name: str, passed: bool, failed: str, fine: str = "") -> Check:
    """Return a check without which nothing goes."""
    return Check(name, passed, True, fine if passed else failed)


def should(name: str, passed: bool, warned: str, fine: str = "") -> Check:
    """Return a check that only warns."""
    return Check(name, passed, False, fine if passed else warned)


def placed(name: str, faults: Sequence[SourceError], fine: str, *, blocking: bool) -> Check:
    """Return a check that failed at each of these places, and passed where there are none."""
    reason = "; ".join(f"{fault.field}: {fault}" for fault in faults[:TOLD])
    if len(faults) > TOLD:
        reason += f"; and {len(faults) - TOLD} more"
    return Check(name, not faults, blocking, reason or fine, tuple(faults))
