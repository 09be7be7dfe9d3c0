"""The addresses of the sign-up journey, and of what tells whether all is well."""

from django.contrib import admin
from django.urls import path, re_path

from newsletter.admin.health import health_page, healthz, metrics_page, try_again
from newsletter.views.choices import choices
from newsletter.views.confirm import confirm, not_me
from newsletter.views.sign_up import sign_up
from newsletter.views.tested import tested
from registrants.tokens import Scope

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics_page, name="metrics"),
    path("admin/health/", admin.site.admin_view(health_page), name="health"),
    path(
        "admin/health/<int:pk>/try-again/",
        admin.site.admin_view(try_again),
        name="health-try-again",
    ),
    path("s/<slug:slug>/", sign_up, name="sign-up"),
    re_path(Scope.CONFIRM.pattern, confirm, name="confirm"),
    re_path(Scope.NOT_ME.pattern, not_me, name="not-me"),
    re_path(Scope.CHOICES.pattern, choices, name="choices"),
    re_path(Scope.TEST.pattern, tested, name="tested"),
]
