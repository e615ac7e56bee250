"""The verifier of JSON objects whose fields are stated one by one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rlvr_gym.task import Task
from rlvr_gym.verdict import Reason, Verdict
from rlvr_gym.verifier import AnswerVerifier, register_verifier
from rlvr_gym.verifiers.json_extraction_schema import JSONProblem, read_json

__all__ = ["JSONExtractionVerifier", "field_equal"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@register_verifier("json_extraction")
class JSONExtractionVerifier(AnswerVerifier):
    """Every field has its value, there is no other field, and no field twice; the order of keys does not matter.

    ``task.answer`` is ``{"fields": {name: type}, "reference": object, "graded": bool}``. A type is ``"string"`` (case
    and white space do not matter), ``"integer"`` and ``"number"`` (by value, and as JSON numbers), ``"boolean"``,
    ``"date"`` (as text, YYYY-MM-DD), or a list with one object of types (the items in any order). Any field may be
    null. With ``graded``, an object with exactly the right keys scores the share of its fields that are right and
    not null; it is correct only if all are.
    """

    def check(self, answer: str, task: Task) -> Verdict:
        """Reads the object, then compares field by field."""
        fields, reference = task.answer["fields"], task.answer["reference"]
        shown = answer[:400]
        try:
            value = read_json(answer)
        except JSONProblem as problem:
            return Verdict.wrong(Reason.UNPARSEABLE, shown, error=str(problem))
        if not isinstance(value, dict):
            return Verdict.wrong(Reason.BAD_FORMAT, shown, error="it is not an object")
        missing, extra = sorted(fields.keys() - value.keys()), sorted(value.keys() - fields.keys())
        if missing or extra:
            return Verdict.wrong(
                Reason.BAD_FORMAT, shown, missing=missing[:20], extra=[key[:40] for key in extra[:20]]
            )
        wrong = [name for name in fields if not field_equal(value[name], reference[name], fields[name])]
        if not wrong:
            return Verdict.right(shown)
        if not task.answer.get("graded"):
            return Verdict.wrong(extracted=shown, wrong=wrong)
        told = [name for name in fields if reference[name] is not None]
        # to say null everywhere is no extraction, and inventing a value costs as much as missing one
        right = sum(name not in wrong for name in told) - sum(name not in told for name in wrong)
        return Verdict.graded(max(right, 0) / len(fields), shown, wrong=wrong)


def field_equal(value: Any, truth: Any, kind: Any) -> bool:
    """Whether a field's value is the true one.

    Args:
        value: as :func:`read_json` gives it.
        truth: as it stands in the task: null, text, number, boolean, or a list of objects.
        kind: the field's type.
    """
    if truth is None or value is None:
        return truth is value
    if isinstance(kind, Sequence) and not isinstance(kind, str):
        return isinstance(value, list) and _same_items(value, truth, kind[0])
    if kind == "boolean":
        return value is truth
    if kind in ("integer", "number"):
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return is_number and value == Decimal(str(truth))
    if not isinstance(value, str):
        return False
    if kind == "date":
        return _DATE.fullmatch(value.strip()) is not None and value.strip() == truth
    return _folded(value) == _folded(truth)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _same_items(items: list[Any], truth: list[Mapping[str, Any]], kinds: Mapping[str, Any]) -> bool:
    """Whether two lists of flat objects have the same items, in any order."""
    if len(items) != len(truth):
        return False
    left = list(truth)
    for item in items:
        if not isinstance(item, dict) or item.keys() != kinds.keys():
            return False
        # equality is an equivalence, so the first one that fits is as good as any other
        match = next((t for t in left if all(field_equal(item[k], t[k], kinds[k]) for k in kinds)), None)
        if match is None:
            return False
        left.remove(match)
    return True
