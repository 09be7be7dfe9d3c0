"""The addresses of the links readers hold: unsubscribe and preferences."""

from django.urls import re_path

from registrants.tokens import Scope
from tracking.views.preferences import preferences
from tracking.views.unsubscribe import one_click

urlpatterns = [
    re_path(Scope.UNSUBSCRIBE.pattern, one_click, name="one-click"),
    re_path(Scope.PREFERENCES.pattern, preferences, name="preferences"),
]
