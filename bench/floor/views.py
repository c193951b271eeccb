"""Each answer with one statement and the smallest response; the safe booking form as the peers' report defines it."""

import datetime as dt

from django.contrib.auth import login
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_protect

from bench.floor.admin import site
from bench.floor.models import User, Visit
from bench.statements import statement


def _sized(response):
    # Without it the web server sends chunks.
    response["Content-Length"] = len(response.content)
    return response


def _rows(name, **params):
    with connection.cursor() as cursor:
        cursor.execute(statement(name), params)
        return cursor.fetchall()


def day(request):
    opens = dt.datetime.fromisoformat(request.GET["opens"])
    last = opens + dt.timedelta(hours=7, minutes=30)
    found = _rows("day", practitioner=int(request.GET["practitioner"]), opens=opens, last=last)
    return _sized(JsonResponse([slot.isoformat() for (slot,) in found], safe=False))


def listing(request):
    name = "list_last" if "last" in request.GET else "list_first"
    return _sized(render(request, "list.html", {"rows": _rows(name)}))


def patients(request):
    return _sized(render(request, "list.html", {"rows": _rows("patient_search", term=request.GET["q"])}))


def record(request, name):
    return _sized(render(request, "record.html", {"row": _rows(name, id=int(request.GET["id"]))[0]}))


def book(request):
    """Advisory lock on the request key, look-up, plain INSERT under an exclusion constraint, in one transaction."""
    key = request.POST["key"]
    start = dt.datetime.fromisoformat(request.POST["start"])
    values = [int(request.POST["practitioner"]), int(request.POST["patient"]), start, start + dt.timedelta(minutes=30)]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            cursor.execute("SELECT id FROM bench_visit WHERE request_key = %s", [key])
            found = cursor.fetchone()
            if found is None:
                cursor.execute(
                    "INSERT INTO bench_visit (practitioner_id, patient_id, start_at, end_at, request_key)"
                    " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                    [*values, key],
                )
                found = cursor.fetchone()
    except IntegrityError:
        return _sized(HttpResponse("taken", status=409))
    return _sized(HttpResponse(str(found[0]), status=302, headers={"Location": f"/{found[0]}/"}))


_with_user = decorator_from_middleware(AuthenticationMiddleware)
_with_session = decorator_from_middleware(SessionMiddleware)
_with_messages = decorator_from_middleware(MessageMiddleware)


@_with_session
@_with_user
@csrf_protect
def book_signed_in(request):
    """The same behind a session, a user and a CSRF token, as the product's form is."""
    if not request.user.is_authenticated:
        return HttpResponseForbidden()
    return book(request)


@_with_session
@_with_user
@_with_messages
@csrf_protect
def book_in_admin(request):
    """The same through the bare form of Django's admin."""
    return site.get_model_admin(Visit).add_view(request)


@_with_session
def sign_in(request):
    login(request, User.objects.get(email=request.GET["email"]), "django.contrib.auth.backends.ModelBackend")
    return _sized(HttpResponse("ok"))


def health(request):
    return _sized(HttpResponse("ok"))


urlpatterns = [
    path("", health),
    path("day/", day),
    path("list/", listing),
    path("patients/", patients),
    path("record/<name>/", record),
    path("book/", book),
    path("book-signed-in/", book_signed_in),
    path("book-in-admin/", book_in_admin),
    path("admin/", site.urls),
    path("sign-in/", sign_in),
]
