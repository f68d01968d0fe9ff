"""Settings of the site, from the environment; everything unset has a working embedded default.

Unset DATABASE_URL and REDIS_URL mean the PostgreSQL and Redis of `regatta.embedded`, which start on first use: commands
that need no database start nothing.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from regatta import embedded
from regatta.environment import (
    BROKER_EXAMPLE,
    LEVELS,
    ROOT,
    Environment,
    read_database,
    read_email,
    read_hosts,
    read_numerapi,
    read_predictors,
    read_site,
    read_storage,
    read_var,
    secret_key,
)

BASE_DIR = Path(__file__).resolve().parent

_env = Environment(os.environ)
_env.refuse_unknown()
REGATTA_VAR = read_var(_env)
REGATTA_PREDICTORS = read_predictors(_env)
REGATTA_NUMERAPI = read_numerapi(_env)
REGATTA_DEVICE = _env.choice("REGATTA_DEVICE", "auto", ("auto", "cpu", "cuda"))
REGATTA_DURABLE = _env.switch("REGATTA_DURABLE", default=True)
REGATTA_SITE = read_site(_env)
REGATTA_WEBHOOKS_PRIVATE = _env.switch("REGATTA_WEBHOOKS_PRIVATE")
REGATTA_KEY_RATE = _env.number("REGATTA_KEY_RATE", 6000)  # requests a minute; 0: as many as they like
REGATTA_ANONYMOUS_RATE = _env.number("REGATTA_ANONYMOUS_RATE", 3000)
REGATTA_PROXIES = _env.number("REGATTA_PROXIES", 0)  # of our own before the site, whose X-Forwarded-For is believed
STORAGE_URL = read_storage(_env, REGATTA_VAR / "artifacts")

DEBUG = _env.switch("REGATTA_DEBUG")
ALLOWED_HOSTS = read_hosts(_env)
CSRF_TRUSTED_ORIGINS = _env.listed("REGATTA_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "regatta",
    "regatta.accounts",
    "regatta.jobs",
    "regatta.rounds",
    "regatta.submissions",
    "regatta.uploads",
    "regatta.diagnostics",
    "regatta.scores",
    "regatta.stakes",
    "regatta.predictors",
    "regatta.hosting",
    "regatta.ensemble",
    "regatta.portfolios",
    "regatta.orders",
    "regatta.notifications",
    "regatta.webhooks",
    "regatta.api",
    "regatta.pages",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "regatta.security.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "regatta.security.SlashMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "regatta.security.TextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "regatta.urls"
WSGI_APPLICATION = "regatta.wsgi.application"
ASGI_APPLICATION = "regatta.asgi.application"

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
                "regatta.pages.context.site",
            ],
        },
    },
]

# --- the database: given, or embedded on first use
_database = read_database(_env, embedded.database_url())
EMBEDDED_DATABASE = _database["ENGINE"] == "regatta.postgres"
_database.update({"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "DISABLE_SERVER_SIDE_CURSORS": not EMBEDDED_DATABASE})
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- the queue: it only hurries, the Job rows promise
BROKER_NAME = "BROKER_URL" if _env.text("BROKER_URL") else "REDIS_URL"
_broker_url = _env.url(
    BROKER_NAME, ("redis", "rediss", "redis+socket", "unix", "amqp", "amqps", "sentinel"), "E002", BROKER_EXAMPLE
)
EMBEDDED_REDIS = not _broker_url
CELERY_BROKER_URL = embedded.celery_url(_broker_url or embedded.redis_url())
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 3600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A message that is out longer than the hard time limit is lost with its worker; sooner, it would run twice.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 4000, "socket_timeout": 30, "socket_connect_timeout": 5}

# --- people
AUTH_USER_MODEL = "accounts.User"
# scrypt needs memory as well as time, so it resists the same attackers with a tenth of PBKDF2's log-in time.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "account"
LOGOUT_REDIRECT_URL = "/"
SECRET_KEY = secret_key(_env, REGATTA_VAR, required=not EMBEDDED_DATABASE)

_https = _env.switch("REGATTA_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
# a redirected POST loses its body, so GraphQL answers plain HTTP itself: with a refusal
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$", r"^graphql/?$"]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# Uploads are read by the flow, which knows the tournament's own limit; this one only stops floods.
DATA_UPLOAD_MAX_MEMORY_SIZE = 64_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 8_000_000

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
DEFAULT_FROM_EMAIL = f"Regatta <regatta@{urlsplit(REGATTA_SITE).hostname}>"
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = REGATTA_VAR / "mail"
globals().update(read_email(_env))

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["regatta.formats"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = REGATTA_VAR / "static"
STATICFILES_DIRS = [("sheet", ROOT / "tournament" / "portfolio" / "sheet" / "static")]
"""The tear sheet's, which report.html carries too."""
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600

_log_level = _env.choice("REGATTA_LOG_LEVEL", "", (*LEVELS, ""))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": _log_level or "WARNING"},
    "loggers": {name: {"level": _log_level or "INFO"} for name in ("regatta", "workers", "tournament")},
}

TEST_RUNNER = "django.test.runner.DiscoverRunner"
ENVIRONMENT_PROBLEMS = _env.problems
