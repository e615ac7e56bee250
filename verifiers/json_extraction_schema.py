"""JSON out of untrusted text, and the part of JSON Schema that tasks use.

Reading is strict and bounded: one value and nothing after it, no duplicate keys, no NaN or infinity, no number of more
than a few hundred digits, limited nesting. The schema subset has no ``pattern``, ``$ref`` or ``format``: nothing in it
can take more than linear time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from rlvr_gym.errors import DataError

__all__ = ["JSONProblem", "check_schema", "read_json", "schema_fault"]

MAX_CHARS = 20_000
MAX_DEPTH = 24
MAX_DIGITS = 300

_FENCED = re.compile(r"```(?:json|JSON)?[ \t]*\n(.*)\n[ \t]*```", re.DOTALL)
# a string that never ends is taken to the end: what is passed over is not looked at again
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)
_TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "minLength"}
    | {"maxLength", "minimum", "maximum", "enum"}
)


class JSONProblem(ValueError):
    """A text is not the JSON that is accepted here; the message says why."""


def read_json(text: str) -> Any:
    """The value of a JSON text, which may stand in a Markdown code fence; numbers with a fraction as ``Decimal``.

    Raises:
        JSONProblem: if it is not one JSON value, or is one that is refused.
    """
    if len(text) > MAX_CHARS:
        raise JSONProblem(f"it is longer than {MAX_CHARS} characters")
    text = text.strip()
    fenced = _FENCED.fullmatch(text)
    text = fenced[1] if fenced else text
    if _depth(text) > MAX_DEPTH:
        raise JSONProblem(f"it is nested more than {MAX_DEPTH} deep")
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except JSONProblem:
        raise
    except (ValueError, RecursionError) as error:
        raise JSONProblem(f"it is not JSON ({str(error)[:100]})") from error


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside strings."""
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise JSONProblem("an object has a key twice")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise JSONProblem(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _decimal(digits: str) -> Decimal:
    try:
        value = Decimal(digits) if len(digits) <= MAX_DIGITS else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value.adjusted()) > MAX_DIGITS:
        raise JSONProblem("a number is too long or too large")
    return value


def _constant(name: str) -> Any:
    raise JSONProblem(f"{name} is no JSON")


def kind_of(value: Any) -> str:
    """The JSON type of a value as :func:`read_json` gives it; a whole ``Decimal`` such as 5.0 is an integer."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, Decimal) and value == value.to_integral_value()):
        return "integer"
    if isinstance(value, Decimal | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def check_schema(schema: Any, depth: int = 0) -> None:
    """Makes sure that a schema is of the subset that is understood.

    Raises:
        DataError: if it is not.
    """
    if not isinstance(schema, Mapping) or depth > MAX_DEPTH:
        raise DataError(
            f"A JSON schema is an object of at most {MAX_DEPTH} levels; got {str(schema)[:100]!r}."
        )
    unknown = schema.keys() - _KEYWORDS
    if unknown:
        raise DataError(f"JSON schemas here may use {sorted(_KEYWORDS)}; got {sorted(unknown)}.")
    kinds = schema.get("type", "object")
    if not all(kind in _TYPES for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        raise DataError(f"The type in a JSON schema is of {_TYPES}; got {kinds!r}.")
    for part in schema.get("properties", {}).values():
        check_schema(part, depth + 1)
    if "items" in schema:
        check_schema(schema["items"], depth + 1)


def schema_fault(value: Any, schema: Mapping[str, Any], place: str = "the value") -> str | None:
    """Where a value differs from its schema, in words; None if it conforms.

    Args:
        value: as :func:`read_json` gives it.
        schema: one that :func:`check_schema` accepts.
        place: how to call the value.
    """
    if "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
        kind = kind_of(value)
        if kind not in kinds and not (kind == "integer" and "number" in kinds):
            return f"{place} is of type {kind}, not {' or '.join(kinds)}"
    if "enum" in schema and not any(same_json(value, option) for option in schema["enum"]):
        return f"{place} is none of the values that are allowed"
    size = _size_fault(value, schema, place)
    if size is not None:
        return size
    if isinstance(value, dict):
        return _object_fault(value, schema, place)
    if isinstance(value, list) and "items" in schema:
        found = (schema_fault(item, schema["items"], f"{place}[{i}]") for i, item in enumerate(value))
        return next((fault for fault in found if fault), None)
    return None


def _size_fault(value: Any, schema: Mapping[str, Any], place: str) -> str | None:
    """Whether a value is too small or too large, by what its kind is measured."""
    size: int | Decimal
    if isinstance(value, str):
        size, least, most, unit = len(value), "minLength", "maxLength", "characters"
    elif isinstance(value, list):
        size, least, most, unit = len(value), "minItems", "maxItems", "items"
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        size, least, most, unit = value, "minimum", "maximum", "as value"
    else:
        return None
    if size < schema.get(least, size) or size > schema.get(most, size):
        return f"{place} has {str(size)[:40]} {unit}, which is out of range"
    return None


def _object_fault(value: dict[str, Any], schema: Mapping[str, Any], place: str) -> str | None:
    properties = schema.get("properties", {})
    for key in schema.get("required", ()):
        if key not in value:
            return f"{place} lacks {key!r}"
    for key, part in value.items():
        if key not in properties:
            if schema.get("additionalProperties", True) is False:
                return f"{place} has the key {key[:40]!r}, which is not in the schema"
            continue
        fault = schema_fault(part, properties[key], f"{place}.{key}")
        if fault is not None:
            return fault
    return None


def same_json(one: Any, other: Any) -> bool:
    """Equality of JSON values: numbers by value, ``true`` is not 1, keys in any order, lists in order."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same_json(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, int | Decimal | float) and isinstance(other, int | Decimal | float):
        return _exact(one) == _exact(other)
    return isinstance(one, str) and isinstance(other, str) and one == other


def _exact(number: int | Decimal | float) -> Decimal | int:
    # a task's own 0.1 is a float, which equals no decimal fraction but its shortest one
    return Decimal(repr(number)) if isinstance(number, float) else number
