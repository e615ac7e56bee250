"""Shapes of completions: predicates on tags, shared by reward terms and the format verifier. Linear time."""

from __future__ import annotations

__all__ = ["strict_think_answer", "think_then_answer"]

_TAGS = ("<think>", "</think>", "<answer>", "</answer>")


def think_then_answer(completion: str, *, prefilled: bool = False) -> bool:
    """The loose form of DeepSeek-R1 (2501.12948, sec. 2.2.2): one closed thinking block, then something.

    Args:
        completion: the text.
        prefilled: the prompt ended with ``<think>``, so that the completion begins inside it.
    """
    text = ("<think>" if prefilled else "") + completion.strip()
    if not text.startswith("<think>") or text.count("<think>") != 1 or text.count("</think>") != 1:
        return False
    return bool(text.partition("</think>")[2].strip())


def strict_think_answer(completion: str, *, prefilled: bool = False) -> bool:
    """The strict form of Logic-RL (2502.14768 and its ``kk.py``): each of the four tags once, and in order.

    Args:
        completion: the text.
        prefilled: the prompt ended with ``<think>``.
    """
    text = ("<think>" if prefilled else "") + completion
    positions = [text.find(tag) for tag in _TAGS]
    return all(text.count(tag) == 1 for tag in _TAGS) and positions == sorted(positions)
