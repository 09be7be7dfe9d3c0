"""The addresses of the links readers hold: unsubscribe and preferences."""

from django.urls import re_path

from tracking.views.preferences import preferences
from tracking.views.unsubscribe import one_click

urlpatterns = [
    re_path(r"^u/(?P<token>[^/]{1,100})/?$", one_click, name="one-click"),
    re_path(r"^p/(?P<token>[^/]{1,100})/?$", preferences, name="preferences"),
]
