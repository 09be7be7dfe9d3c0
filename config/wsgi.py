"""The WSGI door: tracking answers first, without Django's machinery; all else goes to Django."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from config.celery import app as celery_app  # noqa: F401  (a letter's nudge needs it)

django_app = get_wsgi_application()

from config import starting  # noqa: E402  (it asks the database)

starting.make_sure()

from tracking.intake.wsgi import front  # noqa: E402  (models need Django set up)

application = front(django_app)
