"""What is logged and how: what sends writes JSON lines of ids and counts, and never an address."""

import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_ADDRESS = re.compile(r"""[^\s"'<>()\[\],;:=]{1,64}@[^\s"'<>()\[\],;:=\\]{1,255}""")


def _line(logger: WrappedLogger, name: str, event: EventDict) -> str:
    """Return the whole line; whatever slipped in that looks like an address is taken out of it."""
    line = str(structlog.processors.JSONRenderer(sort_keys=False)(logger, name, event))
    return _ADDRESS.sub("<address>", line) if "@" in line else line


_SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

LOGGING: dict[str, object] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "lines": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _line,
            ],
        },
    },
    "filters": {
        "others": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: not record.name.startswith("newsletter."),
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["others"]},
        "lines": {"class": "logging.StreamHandler", "formatter": "lines"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"newsletter": {"handlers": ["lines"], "level": "INFO"}},
}


def configure() -> None:
    """Have structlog hand its events to the handlers above."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
