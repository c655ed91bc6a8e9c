"""The routes of the Django application that the library's tests instrument."""

from importlib import import_module
from typing import Any

# Django has no types of its own; loading it by name keeps Any where it belongs.
_http, _urls = import_module("django.http"), import_module("django.urls")


def item(_request: Any, number: int) -> Any:
    """Answer with the number."""
    return _http.HttpResponse(str(number))


urlpatterns = [_urls.path("v1/", _urls.include([_urls.path("items/<int:number>/", item)]))]
