"""Sessions of staff: when the password was given last, and an end to all of a person's."""

import time

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.http import HttpRequest

GIVEN_AT = "password_given_at"
LATELY_SECONDS = 15 * 60


def given_now(request: HttpRequest) -> None:
    """Note in the session that the password was given at this moment."""
    request.session[GIVEN_AT] = time.time()


def given_lately(request: HttpRequest) -> bool:
    """Tell whether the password was given within the last quarter of an hour."""
    age = time.time() - float(request.session.get(GIVEN_AT, 0))
    return 0 <= age < LATELY_SECONDS


def end(staff: int, *, but: str | None = None) -> None:
    """End every session of a person, save one, for good: they do not come back with the person."""
    for session in Session.objects.exclude(session_key=but).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(staff):
            session.delete()


def note_a_sign_in(sender: object, request: HttpRequest | None, **_: object) -> None:
    """Remember when the password was given."""
    if request is not None and hasattr(request, "session"):
        given_now(request)


def listen() -> None:
    """Be told of every sign-in."""
    user_logged_in.connect(note_a_sign_in, dispatch_uid="password given")
