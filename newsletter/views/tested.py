"""Where every link of a test mail leads; whoever holds such a mail may call, and nothing acts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from registrants import languages, tokens
from registrants.models import Client
from registrants.token_pages import private_page, unknown_link
from registrants.tokens import Scope


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
@private_page
def tested(request: HttpRequest, token: str) -> HttpResponse:
    """Say that this was a test, however the link is called."""
    named = tokens.read(Scope.TEST, token)
    client = Client.objects.filter(pk=named[0]).first() if named else None
    if client is None:
        return unknown_link(request)
    languages.speak(client.locale)
    if request.method != "POST" or "text/html" in request.headers.get("Accept", ""):
        return render(request, "public/tested.html", {"client": client})
    sentence = gettext("This was a test; nothing was changed.")
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8")
