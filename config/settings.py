"""All settings, read from the environment by typed readers; a wrong value stops the start with one sentence."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from clinic.database import roles
from clinic.database.embedded import Server
from clinic.database.encryption import SHORTEST_KEY
from config import env
from config.unfold import UNFOLD  # noqa: F401  (Django reads it from here)

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = env.flag("TESTING")
if not TESTING:
    env.load(BASE_DIR / ".env")
VAR_DIR = Path(env.text("VAR_DIR", default=str(BASE_DIR / "var")))

DEBUG = env.flag("DEBUG")
# The demo clinic: public passwords, so it serves this machine only.
DEMO = env.flag("DEMO")
PRODUCTION = not (DEBUG or DEMO or TESTING)

if PRODUCTION:
    SECRET_KEY = env.text("SECRET_KEY")
    ALLOWED_HOSTS = env.csv("ALLOWED_HOSTS")
    if len(SECRET_KEY) < 50:
        raise ImproperlyConfigured("SECRET_KEY is too short: at least 50 random characters.")
    if not ALLOWED_HOSTS:
        raise ImproperlyConfigured("ALLOWED_HOSTS is missing: name the host names that this clinic is reached by.")
else:
    SECRET_KEY = env.text("SECRET_KEY", default="") or env.secret_file(VAR_DIR / "secret_key")
    ALLOWED_HOSTS = env.csv("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
    if set(ALLOWED_HOSTS) - {"localhost", "127.0.0.1", "[::1]", "testserver"}:
        raise ImproperlyConfigured("DEBUG and DEMO are for localhost: ALLOWED_HOSTS names others.")

INSTALLED_APPS = [
    # The theme's own default config would replace our admin site.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "unfold.contrib.guardian",
    "unfold.contrib.simple_history",
    "clinic.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "import_export",
    "guardian",
    "simple_history",
    "django_q",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "clinic.apps.ClinicConfig",
    # For its widgets' templates: see FORM_RENDERER.
    "django.forms",
]

if TESTING:
    # For `make check`; it is not among what runs.
    INSTALLED_APPS.append("django_migration_linter")

MIDDLEWARE = [
    # First: everybody behind it takes REMOTE_ADDR for the client.
    "clinic.signin.middleware.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "clinic.middleware.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "clinic.signin.middleware.SessionWatch",
    "clinic.signin.middleware.FactorGate",
    "simple_history.middleware.HistoryRequestMiddleware",
    "clinic.middleware.ActorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

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
            ]
        },
    }
]

# Widgets of ours have templates in templates/ like everything else.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Without DATABASE_URL the embedded server is meant; `manage.py run` and `manage.py db start` start it, settings never.
EMBEDDED_SERVER = None if env.text("DATABASE_URL", default="") else Server(VAR_DIR / "postgres")
if EMBEDDED_SERVER:
    APP_URL = EMBEDDED_SERVER.dsn(roles.APP, roles.DATABASE)
    OWNER_URL = EMBEDDED_SERVER.dsn(roles.OWNER, roles.DATABASE)
else:
    APP_URL = OWNER_URL = env.text("DATABASE_URL")
DATABASES = {"default": {"ENGINE": "clinic.database.backend", **env.database("DATABASE_URL", default=APP_URL)}}
# Signs in for migrations and `db` commands only, see clinic.database.roles.as_owner.
DATABASE_OWNER = env.database("DATABASE_OWNER_URL", default=OWNER_URL)
# Read by a start-up check: then the application could change its own tables.
DATABASE_ONE_WALL = DATABASE_OWNER["USER"] == DATABASES["default"]["USER"]
if DATABASE_OWNER["NAME"] != DATABASES["default"]["NAME"]:
    raise ImproperlyConfigured("DATABASE_URL and DATABASE_OWNER_URL must name the same database.")
# A server that vanished without a word is given up, and no thread hangs on it for the quarter of an hour of TCP.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": "5",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    **DATABASES["default"]["OPTIONS"],
}
# Each thread of a web worker keeps its connection (config/gunicorn.py) for an hour: what a server process has learnt
# of tables grows. One that died meanwhile is noticed before it is used, see clinic.database.backend.
if env.flag("DATABASE_KEPT"):
    DATABASES["default"] |= {"CONN_MAX_AGE": 3600, "CONN_HEALTH_CHECKS": True}
# How often a statement of a prepared cursor runs before it is kept; Django's own are never kept. None: no statement is,
# for a pooler that gives each transaction another connection and does not know prepared statements.
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 5 if env.flag("DATABASE_PREPARE", default=True) else None

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["clinic.permissions.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Memory-hard, and in Python's own library.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "account_login"

# The clinic's settings end sessions earlier: see clinic/signin/session.py. This is the longest they may say.
SESSION_COOKIE_AGE = 72 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# The door: what allauth leaves open is listed in clinic/signin/urls.py, what it may decide in clinic/signin/adapter.py.
ACCOUNT_ADAPTER = "clinic.signin.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    # Posts of any kind; who shares a router with a vandal still gets through now and then.
    "login": "120/m/ip",
    # Wrong tries of a browser that the account has signed in from before.
    "login_known": "5/15m/key,50/d/key",
    # Of other browsers: per address, and per account at an address. Codes of second factors count there per account.
    "login_address": "10/m/ip,60/h/ip",
    "login_failed": "5/15m/key",
    # Of other browsers, wherever they are, for one account.
    "login_ceiling": "50/d/key",
}
ACCOUNT_FORMS = {"login": "clinic.signin.forms.SignInForm"}
MFA_ADAPTER = "clinic.signin.adapter.FactorAdapter"
MFA_FORMS = {
    "authenticate": "clinic.signin.forms.CodeForm",
    "reauthenticate": "clinic.signin.forms.CodeAgainForm",
    "add_webauthn": "clinic.signin.forms.PasskeyForm",
}
# Nothing to guess in a passkey: this only keeps one address from keeping the server busy.
MFA_RATE_LIMITS = {"webauthn_login": "60/m/ip"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# A passkey replaces password and code, so it must ask for a finger, a face or a PIN.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_ALLOW_UNVERIFIED_EMAIL = True

# Budgets of tries must hold across workers: memory would give each of them its own.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "clinic_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}

# Strict everywhere; the desk loosens it for its own pages (clinic/admin/site.py), because its theme evaluates code.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

LANGUAGE_CODE = env.choice("DEFAULT_LANGUAGE", ["it", "en"], default="en")
LANGUAGES = [("en", _("English")), ("it", _("Italian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.text("TIME_ZONE", default="Europe/Rome")
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "static/"
STATICFILES_DIRS = [("vendor", BASE_DIR / "node_modules")] if (BASE_DIR / "node_modules").is_dir() else []

# Collected, compressed and named by their content where people use it; straight from the sources where it is written.
COLLECTED = PRODUCTION or (DEMO and not TESTING)
STATIC_ROOT = VAR_DIR / "static" if COLLECTED else None
WHITENOISE_USE_FINDERS = not COLLECTED
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Patients' files: never below a folder that a web server shows.
MEDIA_ROOT = VAR_DIR / "files"
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
BACKUP_KEY = env.text("BACKUP_KEY", default="")
if BACKUP_KEY and len(BACKUP_KEY) < SHORTEST_KEY:
    raise ImproperlyConfigured(f"BACKUP_KEY is too short: at least {SHORTEST_KEY} random characters.")

# A browser keeps its promise (HSTS) for a year: name the shorter time while the certificate is new.
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", default=31_536_000) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
# Proxies of our own in front: how many write X-Forwarded-For, and that they set X-Forwarded-Proto themselves.
# Without them anybody could claim an address, or to have come by https.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", default=0, maximum=5)
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SILENCED_SYSTEM_CHECKS = [
    # permissions.py reads guardian's tables in bulk; the backend would ask the database at every check.
    "guardian.W001",
]

# guardian: no user row for strangers. import-export: without codes every member of staff may import and export.
ANONYMOUS_USER_NAME = None
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = False

# To standard error, where a service manager keeps it. Django's own default tells nobody but ADMINS.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING"},
        "django-q": {"handlers": [], "level": "WARNING"},
    },
}

# timeout < retry by far, and a short in-memory queue: otherwise q2 runs tasks twice.
Q_CLUSTER = {
    "name": "camerino",
    "orm": "default",
    "workers": 2,
    "timeout": 120,
    "retry": 600,
    "queue_limit": 2,
    "max_attempts": 3,
    "save_limit": 1000,
    "catch_up": False,
    "recycle": 100,
    "max_rss": 300000,
    "guard_cycle": 2,
}
