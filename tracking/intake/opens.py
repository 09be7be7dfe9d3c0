"""What a pixel tells: that a mail was opened; the picture itself is always the same."""

from registrants import tokens
from registrants.tokens import Scope
from tracking.intake import hits
from tracking.intake.responses import NOT_KEPT, Body, Environ, StartResponse, not_allowed

PIXEL_PATH = Scope.PIXEL.path
PIXEL_GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
HEADERS = [("Content-Type", "image/gif"), ("Content-Length", str(len(PIXEL_GIF))), *NOT_KEPT]


def answer(environ: Environ, start: StartResponse) -> Body:
    """Answer with the pixel, whatever the token says; note a GET whose token is ours (O-6)."""
    method = environ["REQUEST_METHOD"]
    if method not in ("GET", "HEAD"):
        return not_allowed(environ, start)
    if method == "GET":
        named = tokens.read(Scope.PIXEL, environ["PATH_INFO"][len(PIXEL_PATH) :].rstrip("/"))
        if named is not None:
            hits.BUFFER.add(hits.pack(hits.OPENED, named[0]))
    start("200 OK", HEADERS.copy())
    return () if method == "HEAD" else (PIXEL_GIF,)
