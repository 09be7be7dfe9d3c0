"""What servers' answers mean, in the words large receivers publish."""

import time

import pytest

from newsletter.receivers.reply_classes import Meaning, gist, meaning

GONE = [
    (550, "5.1.1", "The email account that you tried to reach does not exist."),
    (550, "5.2.1", "The email account that you tried to reach is disabled."),
    (550, "5.1.1", "<address>: Recipient address rejected: User unknown in virtual mailbox table"),
    (554, "", "delivery error: dd This user doesn't have a yahoo.com account"),
    (550, "5.4.1", "Recipient address rejected: Access denied."),
    (550, "5.5.0", "Requested action not taken: mailbox unavailable"),
    (550, "5.1.10", "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
    (550, "", "No such user here"),
    (556, "5.1.10", "Domain has a null MX"),
    (550, "5.1.1", ""),
    (550, "", "sorry"),
]
UNWANTED = [
    (550, "5.7.1", "Our system has detected that this message is likely unsolicited mail."),
    (550, "5.7.26", "This mail has been blocked because the sender is unauthenticated."),
    (550, "5.7.515", "Access denied, sending domain does not meet the required level."),
    (554, "", "Transaction failed"),
    (554, "5.7.1", "Service unavailable; Client host blocked using zen.spamhaus.org"),
    (550, "", "relay not permitted"),
    (553, "5.1.8", "Sender address rejected: Domain not found"),
    (501, "5.1.7", "Invalid address of the sender"),
]
PATIENCE = [
    (421, "4.7.28", "Our system has detected an unusual rate of mail from your IP address."),
    (450, "4.2.1", "The user you are trying to contact is receiving mail at a rate that"),
    (550, "5.2.1", "The user you are trying to contact is receiving mail too quickly."),
    (451, "4.7.1", "Greylisting in action, please come back later"),
    (452, "4.2.2", "The email account that you tried to reach is over quota."),
    (552, "5.2.2", "Mailbox full"),
    (450, "4.2.0", "Recipient address rejected: Greylisted"),
    (421, "4.7.0", "Try again later, closing connection."),
]
TROUBLE = [
    (451, "4.3.0", "Local error in processing"),
    (552, "5.3.4", "Message too big"),
    (550, "5.6.0", "Malformed message"),
    (421, "", "Service not available"),
    (0, "", "could not be rendered: too deep"),
]


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "expected"),
    [
        (*answer, expected)
        for expected, answers in (
            (Meaning.GONE, GONE),
            (Meaning.UNWANTED, UNWANTED),
            (Meaning.PATIENCE, PATIENCE),
            (Meaning.TROUBLE, TROUBLE),
        )
        for answer in answers
    ],
)
def test_an_answer_means_what_its_words_then_its_codes_say(
    code: int, enhanced: str, text: str, expected: Meaning
) -> None:
    """B-2, B-3."""
    assert meaning(code, enhanced, text) == expected


def test_a_hard_bounce_is_never_read_from_a_temporary_answer() -> None:
    """B-3."""
    assert meaning(450, "4.1.1", "User unknown for the moment") != Meaning.GONE


def test_a_code_that_leads_the_words_is_read() -> None:
    assert meaning(550, "", "5.7.1 Message not taken") == Meaning.UNWANTED
    assert meaning(550, "", "Message not taken") == Meaning.GONE


STAYS = [
    "[S3150] part of 192.0.2.15 is on our block list",
    "greylisted for 300 seconds, see https://example.org/mail/81126",
    "message 18A2F3 refused",
]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("OK 1732334455 af79cd13be357-8b2e8a1d5c3si12345a.77 - gsmtp", "OK … … - gsmtp"),
        ("queue id 4XtZ0q12Rfz9 refused", "queue id … refused"),
        *zip(STAYS, STAYS, strict=True),
    ],
)
def test_what_differs_from_mail_to_mail_is_left_out_of_the_gist(text: str, left: str) -> None:
    assert gist(text) == left


def test_long_words_are_read_in_no_time() -> None:
    began = time.process_time()
    for hostile in ("1" * 500, "a1-" * 166, "." * 500, "user " * 100, "no such " * 60):
        gist(hostile)
        meaning(550, "", hostile)
    assert time.process_time() - began < 0.2
