"""Who acts in this request, and in which language it is answered."""

from django.utils import translation

from clinic import actor


class ActorMiddleware:
    """Everything a signed-in person's request writes is that person's doing, until the answer is sent."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        acting = actor.staff(
            user,
            route=request.path,
            ip=request.META.get("REMOTE_ADDR"),
            agent=request.headers.get("User-Agent", ""),
        )
        with actor.acting(acting):
            return self.get_response(request)


class LanguageMiddleware:
    """A member of staff who chose a language gets it, whatever the browser asks for. Stands behind Django's own."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)
