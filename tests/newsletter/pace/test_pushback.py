"""Which answers stop a receiver, and which are about one mailbox or one small server."""

import pytest

from newsletter.models import Receiver
from newsletter.pace.pushback import RELAY_SECONDS, asks_to_slow_down, relay_seconds
from newsletter.transports import Outcome


def outcome_of(code: int, enhanced: str, text: str) -> Outcome:
    """Return an answer as the wire gives it."""
    return Outcome(1, "deferred" if code < 500 else "failed", code, enhanced, text)


@pytest.mark.parametrize(
    ("receiver", "outcome"),
    [
        (Receiver.GMAIL, outcome_of(421, "4.7.28", "Gmail has detected an unusual rate of mail")),
        (Receiver.GMAIL, outcome_of(450, "4.7.28", "Our system has detected an unusual rate")),
        (Receiver.GMAIL, outcome_of(550, "5.7.28", "blocked: an unusual rate of unsolicited mail")),
        (
            Receiver.GMAIL,
            outcome_of(421, "4.7.0", "an unusual rate of unsolicited mail from your IP"),
        ),
        (Receiver.GMAIL, outcome_of(421, "4.7.0", "Try again later, closing connection.")),
        (Receiver.YAHOO, outcome_of(421, "4.7.0", "[TSS04] Messages temporarily deferred")),
        (Receiver.YAHOO, outcome_of(421, "4.7.1", "[TS03] All messages will be deferred")),
        (Receiver.OUTLOOK, outcome_of(421, "", "RP-001 Unfortunately, some messages weren't sent")),
        (Receiver.OUTLOOK, outcome_of(451, "4.7.650", "The mail server has been rate limited")),
        (Receiver.OUTLOOK, outcome_of(451, "4.7.500", "Server busy. Please try again later")),
        (Receiver.APPLE, outcome_of(421, "4.7.0", "too many messages, try later")),
        (Receiver.COMCAST, outcome_of(421, "4.2.0", "Throttled - see RL000003")),
        (Receiver.ORANGE, outcome_of(421, "", "Too many connections, slow down. OFR_104")),
        (Receiver.T_ONLINE, outcome_of(421, "", "Too many connections from your host.")),
        (Receiver.REST, outcome_of(421, "4.7.28", "unusual rate")),
    ],
)
def test_these_ask_for_less_mail(receiver: int, outcome: Outcome) -> None:
    """In the words and codes each of them uses (standards §1.3)."""
    assert asks_to_slow_down(receiver, outcome)


@pytest.mark.parametrize(
    ("receiver", "outcome"),
    [
        (
            Receiver.GMAIL,
            outcome_of(
                450, "4.2.1", "The user you are trying to contact is receiving mail at a rate"
            ),
        ),
        (Receiver.GMAIL, outcome_of(452, "4.2.2", "The recipient's inbox is out of storage space")),
        (Receiver.OUTLOOK, outcome_of(452, "4.2.2", "mailbox: too many messages")),
        (Receiver.GMAIL, outcome_of(451, "4.3.0", "Temporary system problem")),
        (Receiver.GMAIL, outcome_of(550, "5.1.1", "No such user")),
        (Receiver.YAHOO, outcome_of(554, "5.7.9", "Message not accepted for policy reasons")),
        (Receiver.REST, outcome_of(421, "4.3.2", "Too many connections from your host")),
        (Receiver.REST, outcome_of(451, "4.7.1", "Greylisted, please try again")),
        (Receiver.GMAIL, Outcome(1, "unknown", 0, "", "rate limit exceeded")),
        (Receiver.GMAIL, Outcome(1, "sent", 250, "2.0.0", "ok, not rate limited")),
    ],
)
def test_these_do_not(receiver: int, outcome: Outcome) -> None:
    """One mailbox, one fault, one small server among all others."""
    assert not asks_to_slow_down(receiver, outcome)


def test_a_relay_that_is_sent_to_too_fast_rests_the_sender() -> None:
    """Its words say nothing of the receiver the mail was for."""
    text = "Throttling failure: Maximum sending rate exceeded."
    assert relay_seconds(outcome_of(454, "4.7.0", text)) == RELAY_SECONDS
    assert relay_seconds(outcome_of(451, "4.7.0", "try again")) == 0
