"""As little as Django needs; the same database, connections and web server as the product's."""

import os
from pathlib import Path

from config import env

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", **env.database("DATABASE_URL")}}
if env.flag("DATABASE_KEPT"):
    DATABASES["default"] |= {"CONN_MAX_AGE": 3600, "CONN_HEALTH_CHECKS": True}
ROOT_URLCONF = "bench.floor.views"
WSGI_APPLICATION = "bench.floor.wsgi.application"
USE_TZ = True
TIME_ZONE = "Europe/Rome"
# Only for the forms with a session: none of it touches the others.
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    # Without looking for the product's screens.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "bench.floor",
]
AUTH_USER_MODEL = "floor.User"
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [Path(__file__).parent / "templates"]}
]
