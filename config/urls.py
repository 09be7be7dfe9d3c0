"""Which package answers which address."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from accountability.signing_in import views as signing_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("newsletter.urls")),
    path("", include("tracking.urls")),
    path("admin/login/", signing_in.sign_in),
    path("admin/password_change/", signing_in.change_password),
    path("admin/forgotten/", signing_in.forgotten, name="admin_password_reset"),
    path("admin/new-password/<uidb64>/<token>/", signing_in.new_password, name="new_password"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
