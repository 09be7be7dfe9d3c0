"""Django's settings, made from the environment."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from django.templatetags.static import static
from pydantic import ValidationError

from config import logs, server_urls
from config.environment import Environment, faults, read_key, read_keys

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    environment = Environment()  # type: ignore[call-arg]  # it reads os.environ
except ValidationError as fault:
    sys.exit(
        "These settings are missing or wrong:\n"
        + "".join(f"  {sentence}\n" for sentence in faults(fault))
        + "See docs/operations.md; `make up` makes all of them for a newcomer's machine."
    )


def database(url: str) -> dict[str, object]:
    """Return Django's database entry for a PostgreSQL URL (parsed by libpq's own rules)."""
    parameters = server_urls.database(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.pop("dbname", "heed"),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host", ""),
        "PORT": parameters.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "5"} | parameters,
    }


PUBLIC_URL = environment.public_url
REDIS_URL, REDIS_CA = environment.redis_url, environment.redis_ca
REDIS_TLS = server_urls.redis_tls(REDIS_URL, REDIS_CA)
EMAIL_URL = environment.email_url
DEMO = environment.demo
LOOPBACK = "localhost,127.0.0.0/8,::1"  # a newcomer's own machine, where their catcher listens
ALLOWED_PRIVATE_HOSTS = f"{environment.allowed_private_hosts},{LOOPBACK if DEMO else ''}"
NOTES_FOLDER = environment.notes_folder or BASE_DIR / "var" / "notes"
DEBUG = environment.debug
METRICS_TOKEN = environment.metrics_token.get_secret_value()
SECRET_KEY = environment.secret_key.get_secret_value()
LINK_KEYS = read_keys(environment.link_keys.get_secret_value())
ADDRESS_KEY = read_key(environment.address_key.get_secret_value())
SECRETS_KEYS = read_keys(environment.secrets_keys.get_secret_value())

# Links in mail that went out under an old host must keep answering (U-20, U-28), so every host is
# let in; the staff pages have a wall of their own (config.middleware).
ALLOWED_HOSTS = ["*"]
STAFF_HOSTS = [host for host in environment.staff_hosts.split(",") if host]
STAFF_SECURE = PUBLIC_URL.startswith("https")
STAFF_HOSTS = STAFF_HOSTS or [str(urlsplit(PUBLIC_URL).hostname), "localhost", "testserver"]
STAFF_URL = PUBLIC_URL
"""What a link to a staff page begins with: the first staff host, never the one asked for."""
if STAFF_HOSTS[0] != urlsplit(PUBLIC_URL).hostname:
    STAFF_URL = f"{urlsplit(PUBLIC_URL).scheme}://{STAFF_HOSTS[0]}"
_proxies = environment.trusted_proxies
TRUSTED_PROXIES: int = int(STAFF_SECURE) if _proxies is None else _proxies
"""One ends TLS where nobody says how many there are."""
CLIENT_ADDRESS_HEADER = environment.client_address_header
SCHEME_HEADER = environment.scheme_header

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "csp",
    "accountability",
    "registrants",
    "newsletter",
    "tracking",
]

MIDDLEWARE = [
    "config.middleware.behind_proxies",
    "config.middleware.language_of_the_house",
    "config.middleware.staff_hosts_only",
    "config.middleware.no_null_in_staff_addresses",
    "config.middleware.no_cookies_for_readers",
    "config.middleware.any_host_for_readers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.staff_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database(environment.database_url)}
# System mail (to staff) leaves by the same mail server as the installation's senders.
_mail = server_urls.mail(EMAIL_URL)
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.username, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.security == "starttls", _mail.security == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.system_address or "heed@localhost"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "redis_store.json_values.JsonValues", **REDIS_TLS},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "accountability.signing_in.hashing.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of before; made anew at sign-in
]
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_SECURE = STAFF_SECURE
CSRF_COOKIE_SECURE = STAFF_SECURE
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = environment.hsts_seconds
SECURE_SSL_REDIRECT = environment.https_redirect
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked from within, past the proxy
# Whether all that lies under a host is https, and for how long browsers keep a list of such hosts,
# is for the owner of the domain to say; staff pages are shown in no frame but our own previews.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W019", "security.W021"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000  # bytes; a body and a layout, and what they grow to
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "SAMEORIGIN"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
if DEMO:  # bracketed, lengthened, right to left: shows what is not yet translatable
    LANGUAGES.append(("ar-xb", "Pseudo-language"))
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

TEAL = {
    "50": "oklch(98.4% .012 187)",
    "100": "oklch(95% .028 187)",
    "200": "oklch(91% .05 187)",
    "300": "oklch(84% .078 187)",
    "400": "oklch(78% .095 187)",
    "500": "oklch(60% .095 187)",
    "600": "oklch(43.2% .072 187)",
    "700": "oklch(39% .065 187)",
    "800": "oklch(34% .056 187)",
    "900": "oklch(29% .047 187)",
    "950": "oklch(22% .036 187)",
}
UNFOLD = {
    "SITE_TITLE": "Heed",
    "SITE_HEADER": "Heed",
    "SITE_SUBHEADER": "Newsletters that heed the reader",
    "SITE_SYMBOL": "mark_email_read",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("heed.svg")}
    ],
    "COLORS": {"primary": TEAL},
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "tracking.admin.home.dashboard",
    "SIDEBAR": {"show_search": False, "navigation": "tracking.admin.home.navigation"},
}

LOGGING = logs.LOGGING
logs.configure()
