"""Where each framework keeps the template of the route it chose. Read by duck typing: no framework is imported here."""

from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from traceback import walk_tb
from typing import Any, Final

from figwatch.routes import segments_of

NOTED_ROUTE: Final = "figwatch.route"
"""Key in a scope or environ for the template of a framework that keeps it elsewhere."""


def header_of_scope(scope: Mapping[str, Any], name: str) -> str | None:
    """A header of an ASGI scope by its lower-case name; repeated ones joined with a comma."""
    wanted = name.encode()
    values = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == wanted]
    return ",".join(values) if values else None


def asgi_template(scope: Mapping[str, Any]) -> str | None:
    """Starlette, FastAPI (included routers and mounts too) and Django; None where no route was chosen."""
    route = scope.get("route")
    if route is None:
        noted: str | None = scope.get(NOTED_ROUTE)
        return _template_of_endpoint(scope) if noted is None and "endpoint" in scope else noted
    own = _fastapi_included(scope) if "fastapi" in scope else None
    if own is None:
        own = getattr(route, "path_format", None) or getattr(route, "path", None)
    if not isinstance(own, str):
        return None
    if "app_root_path" not in scope:
        return own
    mounted: str = scope.get("root_path", "")[len(scope["app_root_path"]) :]
    if not mounted:
        return own
    place = _below_mounts(getattr(scope.get("router"), "routes", ()), segments_of(mounted))
    return None if place is None else _joined(place[0], own, getattr(route, "routes", None) is not None)


def wsgi_template(environ: Mapping[str, Any]) -> str | None:
    """Flask and Django, as noted while they served; None where no route was chosen."""
    noted: str | None = environ.get(NOTED_ROUTE)
    return noted


def flask_template(environ: Mapping[str, Any], rule: Any) -> str:
    """The template of a rule that Flask follows, mount point included.

    It forgets its request when it returns: ask when it starts to answer.
    """
    return f"{environ.get('SCRIPT_NAME', '')}{rule.rule}"


def is_complete(body: Any) -> bool:
    """Whether a WSGI application's body is all there: none of it is made while it is sent."""
    if isinstance(body, (list, tuple)):
        return True
    try:
        return isinstance(body._callbacks[-1].__self__.response, (list, tuple))  # werkzeug's, around its response
    except (AttributeError, LookupError, TypeError):
        return getattr(body, "streaming", None) is False  # Django's response


def note_flasks_error(environ: MutableMapping[str, Any], error: BaseException) -> None:
    """What is no Exception leaves Flask before it answers: its frames still know the request."""
    for frame, _line in walk_tb(error.__traceback__):
        if frame.f_code.co_name == "wsgi_app":
            request: Any = getattr(frame.f_locals.get("ctx"), "request", None)
            rule = getattr(request, "url_rule", None)
            if rule is not None and request.environ is environ:
                environ[NOTED_ROUTE] = flask_template(environ, rule)


def hook_flask(app: Any) -> None:
    """Let a Flask application note rules that would be lost: those of a wrong method."""
    refuse = app.raise_routing_exception

    def noting(request: Any) -> Any:
        allowed = getattr(request.routing_exception, "valid_methods", None)
        if allowed:
            with suppress(Exception):  # not even the other method matches: the rule stays unknown
                rule, _values = app.create_url_adapter(request).match(method=min(allowed), return_rule=True)
                request.environ[NOTED_ROUTE] = (request.environ.get("SCRIPT_NAME") or "") + str(rule.rule)
        return refuse(request)

    app.raise_routing_exception = noting


def _fastapi_included(scope: Mapping[str, Any]) -> str | None:
    """FastAPI keeps one route object for a router included under several prefixes; which it was is noted here."""
    noted = scope.get("fastapi")
    chosen = noted.get("effective_route_context") if isinstance(noted, dict) else None
    template = getattr(chosen, "path_format", None)
    return template if isinstance(template, str) else None


def _joined(prefix: str, own: str, is_mount: bool) -> str:
    """A request that ended in a mount without reaching a route below it is known by the mount alone."""
    return prefix + "/{path:path}" if is_mount else prefix + own


def _template_of_endpoint(scope: Mapping[str, Any]) -> str | None:
    """Starlette before 1.7, and FastAPI for mounts and plain routes, note the endpoint alone: its route is sought."""
    root: str = scope.get("root_path", "")
    mounted = root[len(scope["app_root_path"]) :] if "app_root_path" in scope else ""
    place = _below_mounts(getattr(scope.get("router"), "routes", ()), segments_of(mounted))
    if place is None:
        return None
    prefix, routes = place
    own = _path_to(scope["endpoint"], routes, scope["path"].removeprefix(root))
    if own is None:
        return _joined(prefix, "", is_mount=True) if mounted else None
    return prefix + own


def _path_to(endpoint: Any, routes: Any, path: str) -> str | None:
    """The template of the route that has this endpoint and takes this path; several may do the one or the other."""
    for route in routes:
        if getattr(route, "endpoint", None) is endpoint:
            if route.path_regex.match(path):
                template: str = route.path_format
                return template
        elif not getattr(route, "path", ""):  # a host, or a mount that takes nothing off the path
            below = _path_to(endpoint, getattr(route, "routes", ()), path)
            if below is not None:
                return below
    return None


def _below_mounts(routes: Any, segments: list[str]) -> tuple[str, Any] | None:
    """The templates of the mounts that lead to `segments`, joined: a prefix as sent has no bound; the routes below."""
    if not segments:
        return "", routes
    for mount in routes:
        below = getattr(mount, "routes", None)
        path = getattr(mount, "path", None)
        if below is None or not isinstance(path, str):
            continue
        wanted = segments_of(path)
        if wanted and len(wanted) <= len(segments) and _matches(wanted, segments):
            rest = _below_mounts(below, segments[len(wanted) :])
            if rest is not None:
                return path.rstrip("/") + rest[0], rest[1]
    return None


def _matches(wanted: list[str], segments: list[str]) -> bool:
    return all("{" in want or want == segment for want, segment in zip(wanted, segments, strict=False))


def is_django(app: Any) -> bool:
    """Whether this is one of Django's handlers."""
    return any(kind.__module__.startswith("django.core.handlers.") for kind in type(app).__mro__)


def hook_django(app: Any) -> None:
    """Let a Django handler note each request's route where the adapter finds it, as soon as it is known."""
    resolve = app.resolve_request

    def noting(request: Any) -> Any:
        match = resolve(request)
        carrier = request.scope if hasattr(request, "scope") else request.environ
        route = getattr(request.resolver_match, "route", None)
        if isinstance(route, str):
            carrier[NOTED_ROUTE] = "/" + route
        return match

    app.resolve_request = noting
