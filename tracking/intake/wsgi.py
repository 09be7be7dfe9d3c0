"""The first door of the web process: pixels and links are answered here, the rest by Django."""

from collections.abc import Callable

from tracking.intake import clicks, opens
from tracking.intake.responses import Body, Environ, StartResponse

Application = Callable[[Environ, StartResponse], Body]


def front(django_app: Application) -> Application:
    """Return a WSGI application that answers pixels and links itself and hands on the rest."""

    def application(environ: Environ, start: StartResponse) -> Body:
        beginning = environ.get("PATH_INFO", "")[:3]
        if beginning == opens.PIXEL_PATH:
            return opens.answer(environ, start)
        if beginning == clicks.CLICK_PATH:
            return clicks.answer(environ, start)
        return django_app(environ, start)

    return application
