"""A grammar in pieces: each says what it takes, what it becomes and what to say when it is given something else.

The pieces are pydantic's core schemas. pydantic's model classes stand on the same schemas, but building them costs more
than all the rest of `figwatch check` together; the JSON Schema for editors comes from these pieces as well.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import PydanticCustomError, SchemaValidator, ValidationError, core_schema
from pydantic_core.core_schema import CoreSchema, TypedDictField

from figwatch_agent.files.diagnostics import Diagnostic, did_you_mean, quoted
from figwatch_agent.files.document import Document, Path

Context = dict[str, str]
"""What pieces may know beside the value: ``folder``, where relative paths begin."""

_FORM = "form:"  # marks the parts of an error's location that name a form of a value, not a key


def wrong(message: str, hint: str = "", *, key: str = "") -> PydanticCustomError:
    """What a piece raises about a value it does not take; ``key`` says which member of a mapping is to blame."""
    return PydanticCustomError("wrong", "{message}", {"message": message, "hint": hint, "key": key})


def describe(value: object) -> str:
    """What was found, for messages that say what was expected."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return quoted(value) if value else "empty text"
    return "a list" if isinstance(value, list) else "a mapping"


def scalar(parse: Callable[[Any], object], shown: CoreSchema) -> CoreSchema:
    """A value that ``parse`` turns into what the agent uses; ``shown`` is what editors are told about it."""
    return core_schema.no_info_plain_validator_function(parse, json_schema_input_schema=shown)


def placed(parse: Callable[[Any, Context], object], shown: CoreSchema) -> CoreSchema:
    """The same for a value that may hold a relative path."""

    def with_context(value: Any, info: core_schema.ValidationInfo) -> object:
        return parse(value, info.context or {})

    return core_schema.with_info_plain_validator_function(with_context, json_schema_input_schema=shown)


def need(schema: CoreSchema, about: str) -> TypedDictField:
    """A key that must be given."""
    return core_schema.typed_dict_field(_documented(schema, about), required=True)


def may(schema: CoreSchema, about: str) -> TypedDictField:
    """A key that can be left out."""
    return core_schema.typed_dict_field(_documented(schema, about), required=False)


def _documented(schema: CoreSchema, about: str) -> CoreSchema:
    copy: Any = dict(schema)
    copy["metadata"] = {"pydantic_js_updates": {"description": about}}
    documented: CoreSchema = copy
    return documented


def record(build: Callable[..., object], fields: dict[str, TypedDictField], *, open_: bool = False) -> CoreSchema:
    """A mapping with known keys, handed to ``build`` by name. Unknown keys are refused unless ``open_``."""
    inner = core_schema.typed_dict_schema(fields, extra_behavior="ignore" if open_ else "forbid")
    return core_schema.no_info_after_validator_function(lambda members: build(**members), inner)


def items(schema: CoreSchema, *, least: int = 1) -> CoreSchema:
    """A list as a tuple, with at least one member unless ``least`` is 0."""
    return core_schema.no_info_after_validator_function(
        tuple, core_schema.list_schema(schema, min_length=least, strict=True)
    )


def named(build: Callable[[dict[str, Any]], object], key: CoreSchema, value: CoreSchema) -> CoreSchema:
    """A mapping whose keys are people's own words."""
    return core_schema.no_info_after_validator_function(build, core_schema.dict_schema(key, value, strict=True))


def one_of(pick: Callable[[Any], str | None], forms: Mapping[str, CoreSchema], expected: str) -> CoreSchema:
    """A value with several forms; ``pick`` names the one that is meant, or None."""

    def form_of(value: Any) -> str | None:
        form = pick(value)
        return None if form is None else _FORM + form

    return core_schema.tagged_union_schema(
        {_FORM + name: schema for name, schema in forms.items()},
        form_of,
        custom_error_type="wrong",
        custom_error_message="{message}",
        custom_error_context={"message": expected, "hint": ""},
    )


def exactly_one(what: str, members: dict[str, Any], *names: str) -> Any:
    """The value of the one key that is given, for a record that is one of several things."""
    given = [name for name in names if name in members]
    if len(given) != 1:
        found = f"found {' and '.join(given)}" if given else "found none"
        raise wrong(f"{what} names exactly one of {', '.join(names)}; {found}")
    return members[given[0]]


def read(document: Document, schema: CoreSchema, context: Context) -> tuple[Any, list[Diagnostic]]:
    """The value that ``schema`` makes of the document, or None and all that is wrong with it."""
    try:
        return SchemaValidator(schema).validate_python(document.value, context=context), []
    except ValidationError as error:
        found = error.errors(include_url=False)
    return None, [diagnostic for item in found if (diagnostic := _diagnostic(document, schema, item)) is not None]


def json_schema(schema: CoreSchema, title: str) -> dict[str, Any]:
    """The same grammar as JSON Schema, for editors."""
    from pydantic.json_schema import GenerateJsonSchema  # costs more than a whole check, and only editors need it

    body = GenerateJsonSchema().generate(schema, mode="validation")
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": title, **body}


def _diagnostic(document: Document, schema: CoreSchema, item: Any) -> Diagnostic | None:
    location: Path = item["loc"]
    path = tuple(part for part in location if not (isinstance(part, str) and part.startswith(_FORM)))
    if any(path[:length] in document.broken for length in range(len(path) + 1)):
        return None  # the loader has said already what is wrong there
    if item["type"] == "missing":
        return document.problem(path[:-1], f'"{path[-1]}" is missing')
    if item["type"] == "extra_forbidden":
        return _unknown_key(document, path, _known_keys(schema, location[:-1]))
    message, hint = _said(item)
    blamed = item.get("ctx", {}).get("key")
    return document.problem((*path, blamed) if blamed else path, message, hint)


def _said(item: Any) -> tuple[str, str]:
    context = item.get("ctx", {})
    if item["type"] == "wrong":
        return context["message"], context["hint"]
    expected = {"dict_type": "a mapping", "list_type": "a list", "too_short": "at least one"}.get(item["type"])
    if item["type"] == "too_short":
        return "the list is empty", "name at least one"
    if expected is not None:
        return f"expected {expected}, found {describe(item['input'])}", ""
    return str(item["msg"]), ""


def _unknown_key(document: Document, path: Path, known: Sequence[str]) -> Diagnostic:
    key = str(path[-1])
    return document.problem(path, f"unknown key {quoted(key)}", did_you_mean(key, known, "known keys"), key=True)


def _known_keys(schema: Any, location: Path) -> list[str]:
    for part in location:
        schema = _unwrapped(schema)
        if schema["type"] == "typed-dict":
            schema = schema["fields"][part]["schema"]
        elif schema["type"] == "tagged-union":
            schema = schema["choices"][part]
        else:
            schema = schema["items_schema" if schema["type"] == "list" else "values_schema"]
    return list(_unwrapped(schema).get("fields", ()))


def _unwrapped(schema: Any) -> Any:
    while schema["type"].startswith("function-"):
        schema = schema["schema"]
    return schema
