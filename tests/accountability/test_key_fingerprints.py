"""Keys and database belong together: other bytes, a missing version, a database without a word."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now
from pytest_django import Settings

from accountability import key_fingerprints
from accountability.key_fingerprints import WrongKeys, settle
from accountability.models import AuditEntry, KeyFingerprint
from newsletter.models import Delivery, Sender
from tests.cast import Cast

NAMES = ("HEED_ADDRESS_KEY", "HEED_LINK_KEYS", "HEED_SECRETS_KEYS")
OTHER, NEW = bytes(range(32)), bytes(range(1, 33))


def versions(setting: str) -> list[int]:
    rows = KeyFingerprint.objects.filter(setting=setting)
    return sorted(rows.values_list("version", flat=True))


def faults() -> str:
    """Return what is said, with nothing of a key in it."""
    with pytest.raises(WrongKeys) as fault:
        settle()
    for key in (OTHER, NEW):
        assert key.hex() not in str(fault.value)
    return str(fault.value)


@pytest.fixture
def sender(cast: Cast) -> Sender:
    return Sender.objects.create(
        client=cast.client,
        name="own",
        from_name="Heron",
        from_address="post@heron.example",
        transport="smtp",
        host="mail.heron.example",
        security="starttls",
        username="heron",
        password="river",
    )


def test_a_database_that_fits_is_recorded_once(cast: Cast) -> None:
    assert settle() == settle() == []
    assert [versions(name) for name in NAMES] == [[1], [1], [1]]


def test_a_fingerprint_tells_nothing_and_differs_by_setting_and_version() -> None:
    made = {
        key_fingerprints.fingerprint(name, version, OTHER) for name in NAMES for version in (1, 2)
    }
    assert len(made) == 6
    assert all(len(fingerprint) == 32 and OTHER not in fingerprint for fingerprint in made)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_version_with_other_bytes_refuses(db: None, settings: Settings, name: str) -> None:
    settle()
    value = OTHER if name == "HEED_ADDRESS_KEY" else {1: OTHER}
    setattr(settings, name.removeprefix("HEED_"), value)
    assert f"{name}: version 1 is another key" in faults()
    assert faults().count("\n") == 0


def test_a_new_version_is_recorded_and_guarded_from_then_on(db: None, settings: Settings) -> None:
    settle()
    settings.LINK_KEYS = {**settings.LINK_KEYS, 2: NEW}
    assert settle() == []
    assert versions("HEED_LINK_KEYS") == [1, 2]
    settings.LINK_KEYS = {**settings.LINK_KEYS, 2: OTHER}
    assert "HEED_LINK_KEYS: version 2" in faults()


def test_a_wrong_key_beside_a_new_version_records_nothing(db: None, settings: Settings) -> None:
    settle()
    settings.ADDRESS_KEY = OTHER
    settings.LINK_KEYS = {**settings.LINK_KEYS, 2: NEW}
    faults()
    assert versions("HEED_LINK_KEYS") == [1]


def test_a_missing_link_key_refuses_while_mail_signed_with_it_may_be_read(
    cast: Cast, settings: Settings
) -> None:
    settle()
    settings.LINK_KEYS = {2: NEW}
    assert "version 1 is missing; nothing that is kept needs it" in settle()[0]
    delivery = Delivery.objects.create(registrant=cast.ada, letter="confirm", asked_by=1)
    assert "HEED_LINK_KEYS: version 1 is missing and still needed: links" in faults()
    KeyFingerprint.objects.filter(setting="HEED_LINK_KEYS").update(
        first_seen_at=now() - timedelta(days=90)
    )
    KeyFingerprint.objects.filter(version=2).update(first_seen_at=now() - timedelta(days=60))
    assert len(settle()) == 1, "what went out since then is signed with the new one"
    Delivery.objects.filter(pk=delivery.pk).update(created_at=now() - timedelta(days=400))
    assert "HEED_LINK_KEYS: version 1" in faults(), "the first version is as old as the database"


def test_a_missing_secrets_key_refuses_while_it_alone_opens_a_password(
    sender: Sender, settings: Settings
) -> None:
    settle()
    first = settings.SECRETS_KEYS[1]
    settings.SECRETS_KEYS = {2: NEW}
    assert "HEED_SECRETS_KEYS: version 1 is missing and still needed: no key opens 1" in faults()
    settings.SECRETS_KEYS = {1: first, 2: NEW}
    settle()
    sender.save()  # written anew under the newest key
    settings.SECRETS_KEYS = {2: NEW}
    assert "HEED_SECRETS_KEYS: version 1 is missing; nothing" in settle()[0]


def test_a_database_without_fingerprints_proves_the_address_key_first(
    cast: Cast, settings: Settings
) -> None:
    settings.ADDRESS_KEY = OTHER
    assert "HEED_ADDRESS_KEY: it is not the key this database was written with" in faults()
    assert not KeyFingerprint.objects.exists()


def test_a_database_without_fingerprints_proves_the_secrets_keys_first(
    sender: Sender, settings: Settings
) -> None:
    settings.SECRETS_KEYS = {1: OTHER}
    assert "HEED_SECRETS_KEYS: it is not the key" in faults()


def test_an_empty_database_takes_any_keys(db: None, settings: Settings) -> None:
    settings.ADDRESS_KEY, settings.LINK_KEYS = OTHER, {7: NEW}
    assert settle() == []
    assert versions("HEED_LINK_KEYS") == [7]


def test_a_lost_key_is_given_up_by_a_command_with_what_only_it_could_read(
    sender: Sender, settings: Settings
) -> None:
    settle()
    settings.SECRETS_KEYS = {2: NEW}
    with pytest.raises(CommandError, match="still needed"):
        call_command("keys")
    call_command("keys", "--give-up", "HEED_SECRETS_KEYS", "1")
    sender.refresh_from_db()
    assert sender.password == ""
    assert settle() == []
    entry = AuditEntry.objects.get(act="give-up-key")
    assert entry.detail == {"setting": "HEED_SECRETS_KEYS", "version": 1, "emptied": 1}


@pytest.mark.parametrize(
    ("name", "version", "reason"),
    [
        ("HEED_ADDRESS_KEY", "1", "cannot be given up"),
        ("HEED_LINK_KEYS", "1", "take it out there first"),
        ("HEED_LINK_KEYS", "9", "never had"),
        ("HEED_LINK_KEYS", "²", "a number"),
        ("HEED_NOTHING", "1", "cannot be given up"),
    ],
)
def test_what_cannot_be_given_up_says_why(db: None, name: str, version: str, reason: str) -> None:
    settle()
    with pytest.raises(CommandError, match=reason):
        call_command("keys", "--give-up", name, version)


def test_the_command_says_which_keys_are_known(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("keys")
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == sorted(NAMES)
