"""What schemas are made of: objects whose members are all named and required, closed sets of words, figures."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

Schema = dict[str, Any]


def of(**members: Schema) -> Schema:
    """An object with exactly these members."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def many(item: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    """This or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """A schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def word(known: Iterable[str]) -> Schema:
    """One of a closed set."""
    return {"type": "string", "enum": [str(each) for each in known]}


def said(schema: Schema, text: str) -> Schema:
    """With a description."""
    return {**schema, "description": text}


def words(known: type[StrEnum]) -> Schema:
    """One of the words of the model."""
    return word(each.value for each in known)


TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
NUMBER: Final[Schema] = {"type": "number"}
WHOLE: Final[Schema] = {"type": "integer"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
SHARE: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 1}
DURATION: Final[Schema] = {"type": "number", "minimum": 0}
INSTANT: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
}
DECIMAL: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,12})?$"}
VERSION: Final[Schema] = {"type": "integer", "const": 1}
SIDES: Final[Schema] = of(legacy=COUNT, service=COUNT, shadow=COUNT, unknown=COUNT)
COUNTS: Final[Schema] = of(bad=WHOLE, total=COUNT)
BETWEEN: Final[Schema] = of(low=NUMBER, high=maybe(NUMBER))
SHARES: Final[Schema] = many(maybe(of(legacy=COUNT, total=COUNT)))


def tally(known: type[StrEnum]) -> Schema:
    """How many there are of each of a few words."""
    return of(**{each.value: COUNT for each in known})
