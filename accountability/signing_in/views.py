"""The pages of signing in and of a forgotten password; anybody may open them."""

import logging
from typing import cast

import celery
from django.conf import settings
from django.contrib.admin import site
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accountability import audit
from accountability.signing_in import limits, sessions
from accountability.signing_in.forms import SignInForm, wait_fault

log = logging.getLogger(__name__)

MAIL_TASK = "accountability.tasks.mail_password_links"


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Let a member of staff in; too many tries are answered 429 with the seconds to wait."""
    was = request.user.pk
    response = site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    waits = [
        fault.params["seconds"]
        for fault in (form.non_field_errors().as_data() if isinstance(form, SignInForm) else [])
        if fault.code == "wait" and fault.params
    ]
    if waits:
        response.status_code = 429
        response["Retry-After"] = str(waits[0])
    elif request.method == "POST" and request.user.is_authenticated and request.user.pk != was:
        person = User.objects.get(pk=request.user.pk)
        audit.record(act="sign-in", subject=person, staff=person.pk)
    return response


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for an e-mail address and answer alike, and as fast, whoever has it or nobody."""
    form = PasswordResetForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        address = str(form.cleaned_data["email"])
        if seconds := limits.may_ask_for_a_link(address, request):
            form.add_error(None, wait_fault(seconds))
            status = 429
        elif _order(_staff_of(form, address)):
            return _page(request, "signing_in/sent.html", "Look into your mail")
        else:
            form.add_error(None, "No mail can be sent just now. Try again in some minutes.")
            status = 503
    return _page(request, "signing_in/forgotten.html", "Forgotten password", form, status)


def _staff_of(form: PasswordResetForm, address: str) -> list[int]:
    """Return who may set a password anew by this address: nobody, or mostly one."""
    people = [person.pk for person in form.get_users(address) if person.is_staff]
    return people if limits.may_be_mailed(address) else []


def _order(staff: list[int]) -> bool:
    """Have a worker send the mail, by ids alone; an order of nobody takes the same time."""
    try:
        with celery.current_app.connection_for_write(
            connect_timeout=1, transport_options={"max_retries": 0, "socket_timeout": 1}
        ) as connection:
            celery.current_app.send_task(
                MAIL_TASK, args=[staff], queue="letters", connection=connection, retry=False
            )
    except Exception as away:  # whatever it is, it must not tell who is known here
        log.warning("no link for a forgotten password can be sent: %s", type(away).__name__)
        return False
    return True


def mail_links(staff: list[int]) -> None:
    """Send each of them a link for a new password; it begins with the first staff host.

    Raises OSError or SMTPException where the mail server is away.
    """
    people = User.objects.filter(pk__in=staff, is_active=True, is_staff=True)
    for person in people:
        names = {
            "uidb64": urlsafe_base64_encode(force_bytes(person.pk)),
            "token": default_token_generator.make_token(person),
        }
        context = {
            "name": person.get_username(),
            "url": settings.STAFF_URL + reverse("new_password", kwargs=names),
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        }
        body = render_to_string("signing_in/mail.txt", context)
        send_mail("A new password for Heed", body, None, [person.email])
        audit.record(act="password-link", subject=person)


class NewPasswordView(PasswordResetConfirmView):
    """Set a new password by the link of a mail; every session of that person ends."""

    template_name = "signing_in/new_password.html"
    success_url = reverse_lazy("admin:login")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """Add what every staff page shows."""
        context = super().get_context_data(**kwargs)
        return site.each_context(self.request) | context | {"title": "Choose a new password"}

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Set it, end the sessions, note it, and lead to signing in."""
        response = super().form_valid(form)
        person = form.user
        sessions.end(person.pk)
        audit.record(act="password-reset", subject=person, staff=person.pk)
        return response


new_password = NewPasswordView.as_view()


@never_cache
def change_password(request: HttpRequest) -> HttpResponse:
    """Let who is signed in change the own password; all other sessions of theirs end."""
    before = getattr(request.user, "password", "")
    response = site.password_change(request)
    if request.method == "POST" and getattr(request.user, "password", "") != before:
        person = User.objects.get(pk=cast("int", request.user.pk))
        sessions.end(person.pk, but=request.session.session_key)
        sessions.given_now(request)
        audit.record(act="password-change", subject=person, staff=person.pk)
    return response


def _page(
    request: HttpRequest,
    template: str,
    title: str,
    form: PasswordResetForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = site.each_context(request) | {"title": title, "form": form}
    return TemplateResponse(request, template, context, status=status)
