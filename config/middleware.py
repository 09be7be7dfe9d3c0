"""What every request passes on its way in."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound

STAFF_PATHS = ("/admin/", "/staff/")


def staff_hosts_only(
    answer: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Show staff pages under the staff hosts alone; public links answer under every host."""

    def wall(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(STAFF_PATHS):
            host = request.META.get("HTTP_HOST", "").rsplit(":", 1)[0]
            if host and host not in settings.STAFF_HOSTS:
                return HttpResponseNotFound("Not here.", content_type="text/plain")
        return answer(request)

    return wall
