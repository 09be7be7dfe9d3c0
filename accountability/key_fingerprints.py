"""Whether the keys of this process are those the database was written with; if not, none serves.

A wrong address key would find no suppression and write to people who said never; a wrong link key
would kill every link in mail that went out; a wrong key of secrets would read no password.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from accountability import audit
from accountability.models import KeyFingerprint


class KeySpan(NamedTuple):
    """When a version was the newest: since always or then, until a newer one came."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class KeyUse:
    """One setting of keys, as the package knows it that writes with them."""

    setting: str
    present: Callable[[], Mapping[int, bytes]]
    misfit: Callable[[], str]
    """What is stored and not of these keys, in words; empty where all is, or nothing is stored."""
    needed: Callable[[KeySpan], str] = lambda span: ""
    """What was written while a missing version was the newest, in words; empty: nothing."""
    give_up: Callable[[], int] | None = None
    """Empty what no key opens any more, and say how many; None: such a key is never given up."""


class WrongKeys(Exception):
    """The keys do not belong to the database; carries a sentence for each fault."""


_USES: dict[str, KeyUse] = {}


def register(use: KeyUse) -> None:
    """Have a setting's keys watched from now on."""
    _USES[use.setting] = use


def fingerprint(setting: str, version: int, key: bytes) -> bytes:
    """Return the MAC of a constant under a key of 32 random bytes: it tells nothing of the key."""
    return hmac.digest(key, f"key fingerprint {setting} {version}".encode(), "sha256")


@transaction.atomic
def settle() -> list[str]:
    """Record versions seen for the first time; return what is worth a word.

    Raises WrongKeys where a version has other bytes, is missing and still needed, or where a
    database without fingerprints holds what is of another key.
    """
    faults: list[str] = []
    warnings: list[str] = []
    for use in _USES.values():
        _record(use, faults)
        _look_for_missing(use, faults, warnings)
    if faults:
        raise WrongKeys("\n".join(faults))
    return warnings


def _record(use: KeyUse, faults: list[str]) -> None:
    """Compare what is known with what this process has; add what is new, others may at once."""
    keys, rows = use.present(), KeyFingerprint.objects.filter(setting=use.setting)
    if not rows.exists() and (misfit := use.misfit()):
        faults.append(f"{use.setting}: it is not the key this database was written with: {misfit}.")
        return
    KeyFingerprint.objects.bulk_create(
        [
            KeyFingerprint(
                setting=use.setting,
                version=version,
                fingerprint=fingerprint(use.setting, version, key),
            )
            for version, key in sorted(keys.items())
        ],
        ignore_conflicts=True,
    )
    for row in rows.filter(version__in=keys):
        own = fingerprint(use.setting, row.version, keys[row.version])
        if not hmac.compare_digest(own, bytes(row.fingerprint)):
            faults.append(
                f"{use.setting}: version {row.version} is another key than the one this database"
                " was written with; put that one back"
                + ("." if use.give_up is None else ", or give a new key a version of its own.")
            )


def _look_for_missing(use: KeyUse, faults: list[str], warnings: list[str]) -> None:
    keys = use.present()
    rows = list(KeyFingerprint.objects.filter(setting=use.setting).order_by("version"))
    oldest = min((row.first_seen_at for row in rows), default=None)
    for row in rows:
        if row.version in keys:
            continue
        newer = [other.first_seen_at for other in rows if other.version > row.version]
        since = None if row.first_seen_at == oldest else row.first_seen_at
        if needed := use.needed(KeySpan(since, min(newer, default=None))):
            faults.append(
                f"{use.setting}: version {row.version} is missing and still needed: {needed}. Put"
                " it back; where it is lost, or known to others, docs/operations.md says how to"
                " give it up."
            )
        else:
            warnings.append(
                f"{use.setting}: version {row.version} is missing; nothing that is kept needs it."
            )


@transaction.atomic
def give_up(setting: str, version: int) -> int:
    """Forget a version for good, with what only it could read; return how many that were.

    Raises ValueError where there is no such version, or the setting's key cannot be given up.
    """
    use = _USES.get(setting)
    if use is None or use.give_up is None:
        raise ValueError(f"a key of {setting} cannot be given up")
    if version in use.present():
        raise ValueError(f"version {version} stands in {setting}; take it out there first")
    row = KeyFingerprint.objects.filter(setting=setting, version=version).first()
    if row is None:
        raise ValueError(f"{setting} has never had a version {version} here")
    emptied = use.give_up()
    audit.record(act="give-up-key", subject=row, setting=setting, version=version, emptied=emptied)
    row.delete()
    return emptied
