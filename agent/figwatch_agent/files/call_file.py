"""How figwatch.yaml writes a call: one HTTP request, or one process."""

from typing import Any

from pydantic_core import core_schema

from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.fields import HEADER, STR, TEXT, TEXT_OR_SECRET, URL, headers, string
from figwatch_agent.files.schema import items, may, named, need, one_of, record, scalar, wrong
from figwatch_agent.model.plan import ExecCall, HttpCall
from figwatch_agent.model.secret import Secret

METHODS = ("get", "post", "put", "patch", "delete")

MAX_ARGUMENT = 32 * 1024


def _http(**members: Any) -> HttpCall:
    chosen = [method for method in METHODS if method in members]
    if len(chosen) != 1:
        raise wrong(f"a call names exactly one of {', '.join(METHODS)}", 'such as {post: "http://gateway:8080/routes"}')
    if chosen == ["get"] and "json" in members:
        raise wrong("a GET carries no body", "remove json, or choose another method")
    body = members.get("json")
    return HttpCall(
        method=chosen[0].upper(),
        url=members[chosen[0]],
        json=canonical(body) if "json" in members else None,
        headers=members.get("headers", ()),
    )


def canonical(body: object) -> str:
    """JSON with its keys in order, so that the same plan always reads the same."""
    import json  # most of what is checked has no body

    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _argument(value: object) -> str:
    text = string(value, "an argument")
    if "\0" in text or len(text) > MAX_ARGUMENT:
        raise wrong("an argument holds no NUL and at most 32 KiB")
    return text


def _environment(values: dict[str, str | Secret]) -> tuple[tuple[str, str | Secret], ...]:
    for name in values:
        if not name or "=" in name or "\0" in name:
            raise wrong(f"{quoted(name)} is not the name of an environment variable")
    return tuple(sorted(values.items()))


def _get(get: str, headers: tuple[tuple[str, str | Secret], ...] = ()) -> HttpCall:
    return HttpCall(method="GET", url=get, headers=headers)


HEADERS = named(headers, TEXT, HEADER)

HTTP = record(
    _http,
    {
        **{method: may(URL, f"URL to call with {method.upper()}") for method in METHODS},
        "json": may(core_schema.any_schema(), "body"),
        "headers": may(HEADERS, "headers; credentials as {env: NAME}, {file: PATH} or {bearer: {env: NAME}}"),
    },
)

EXEC = record(
    ExecCall,
    {
        "argv": need(items(scalar(_argument, STR)), "program and arguments, never a shell line"),
        "environment": may(named(_environment, TEXT, TEXT_OR_SECRET), "variables; only PATH and HOME are inherited"),
        "stdin": may(TEXT, "what the process reads"),
    },
)

READING = one_of(
    lambda value: "url" if isinstance(value, str) else "get" if isinstance(value, dict) else None,
    {
        "url": core_schema.no_info_after_validator_function(_get, URL),
        "get": record(_get, {"get": need(URL, "URL to read"), "headers": may(HEADERS, "headers")}),
    },
    "expected a URL, or {get: URL, headers: {...}}",
)
"""Something that is only asked."""


def _call_form(value: Any) -> str | None:
    return next((form for form in ("http", "exec") if isinstance(value, dict) and form in value), None)


CALL = one_of(
    _call_form,
    {
        "http": record(lambda http: http, {"http": need(HTTP, "one HTTP request")}),
        "exec": record(lambda **members: members["exec"], {"exec": need(EXEC, "one process")}),
    },
    "expected a call: {http: {post: URL, ...}} or {exec: {argv: [...], ...}}",
)

ASKED = one_of(
    lambda value: "url" if isinstance(value, str) else "get" if isinstance(value, dict) and "get" in value else "call",
    {
        "url": core_schema.no_info_after_validator_function(_get, URL),
        "get": record(_get, {"get": need(URL, "URL to read"), "headers": may(HEADERS, "headers")}),
        "call": CALL,
    },
    "expected a URL or a call",
)
"""A step's probe: a URL, or any call."""
