"""Ask for the password again before what is worth more than a session that was left open."""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.contrib.admin import site
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from accountability.signing_in import limits, sessions
from accountability.signing_in.forms import PasswordAgainForm, wait_fault

AGAIN_FIELD = "password_again"
Page = Callable[..., HttpResponseBase]


def password_again(view: Page, *, methods: tuple[str, ...] = ("POST",)) -> Page:
    """Show a page that asks for the password where it was given more than 15 minutes ago.

    What was typed comes along and is done once the password is right. `methods` are those that
    are asked for it; whoever is not signed in is the view's own concern.
    """

    @wraps(view)
    def asked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        answers = request.method == "POST" and AGAIN_FIELD in request.POST
        if sessions.given_lately(request) and not answers:
            return view(request, *args, **kwargs)
        if request.method not in methods and not answers:
            return view(request, *args, **kwargs)
        form = PasswordAgainForm(request.POST if answers else None)
        if not (answers and form.is_valid() and _is_right(request, form)):
            return _page(request, form)
        sessions.given_now(request)
        if "POST" not in methods:
            return HttpResponseRedirect(request.get_full_path())
        return view(request, *args, **kwargs)

    return asked


def _is_right(request: HttpRequest, form: PasswordAgainForm) -> bool:
    name = str(request.user.get_username())
    if seconds := limits.seconds_to_wait(name, request):
        form.add_error(AGAIN_FIELD, wait_fault(seconds))
        return False
    person = User.objects.get(pk=cast("int", request.user.pk))
    if person.check_password(form.cleaned_data[AGAIN_FIELD]):
        limits.succeeded(name, request)
        return True
    limits.failed(name, request)
    form.add_error(AGAIN_FIELD, "This is not your password.")
    return False


def _page(request: HttpRequest, form: PasswordAgainForm) -> HttpResponse:
    """Show the question, with all that was typed hidden in it."""
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in (AGAIN_FIELD, "csrfmiddlewaretoken")
        for value in values
    ]
    context = site.each_context(request) | {
        "title": "Confirm that it is you",
        "form": form,
        "typed": typed,
        "minutes": sessions.LATELY_SECONDS // 60,
    }
    response = TemplateResponse(
        request, "signing_in/password_again.html", context, status=403 if form.errors else 200
    )
    response["Cache-Control"] = "no-store"
    return response
