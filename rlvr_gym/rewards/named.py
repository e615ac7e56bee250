"""The named designs: what papers reward, in the JSON forms of :mod:`rlvr_gym.rewards.design`."""

from __future__ import annotations

from typing import Any

__all__ = ["DESIGNS"]

_STAGE_STEPS = 100
"""Where designs of two stages go from the first to the second; runs of another length want a copy with another."""


def _from(step: int, of: Any) -> dict[str, Any]:
    """``of`` from this step on."""
    return {"op": "schedule", "points": [[0, 0], [step, 1]], "shape": "constant", "of": of}


def _until(step: int, of: Any) -> dict[str, Any]:
    """``of`` before this step."""
    return {"op": "schedule", "points": [[0, 1], [step, 0]], "shape": "constant", "of": of}


_METRICS = [{"term": "correct", "weight": 0}, {"term": "length", "weight": 0}]

DESIGNS: dict[str, Any] = {
    # correctness alone; length is a metric
    "binary": {"correct": 1.0, "length": 0.0},
    # the graded score alone
    "graded": {"score": 1.0, "correct": 0.0, "length": 0.0},
    # accuracy plus format: DeepSeek-R1 (2501.12948, sec. 2.2.2) weighs them alike
    "r1": {"correct": 1.0, "format_r1": 1.0, "length": 0.0},
    # the same, and the share of the thinking that is in one language (DeepSeek-R1, sec. 2.3.2)
    "r1_language": {"correct": 1.0, "format_r1": 1.0, "language": 1.0, "length": 0.0},
    # Logic-RL (2502.14768): totals +3, -0.5, -1, -3
    "logic_rl": {"format_strict": 1.0, "logic_rl_answer": 1.0, "correct": 0.0, "length": 0.0},
    # L1 (2503.04697); the environment LengthConditioned states each task's target in its prompt
    "lcpo_exact": {"lcpo_exact": 1.0, "correct": 0.0, "length": 0.0},
    "lcpo_max": {"lcpo_max": 1.0, "correct": 0.0, "length": 0.0},
    # Kimi k1.5 (2501.12599, sec. 2.3.3) warms the length reward up
    "kimi": {
        "op": "sum",
        "of": [
            "correct",
            {"op": "schedule", "points": [[0, 0], [_STAGE_STEPS, 1]], "of": "kimi_length"},
            {"term": "length", "weight": 0},
        ],
    },
    # Demystifying long CoT (2502.03373): cosine and repetition penalty
    "cosine": {"cosine_length": 1.0, "repetition": 1.0, "correct": 0.0, "length": 0.0},
    # DAPO (2503.14476): correctness is +1 or -1, too long costs up to 1 more
    "dapo": {
        "op": "sum",
        "of": [
            {"term": "correct", "weight": 2},
            {"term": "constant", "value": -1.0},
            "soft_overlong",
            {"term": "length", "weight": 0},
        ],
    },
    # concise RL (2504.05185): a second phase that trains only on prompts that are sometimes solved
    "concise": {
        "op": "sum",
        "of": [
            _until(_STAGE_STEPS, "correct"),
            _from(_STAGE_STEPS, {"op": "gate", "if": "sometimes_solved", "then": "correct"}),
            *_METRICS,
        ],
    },
    # RLCR (2507.16806): right, and aware of how sure that is
    "rlcr": {"correct": 1.0, "brier": 1.0, "length": 0.0},
    # R1-Searcher (2503.05592): retrieval and form, then answer and form
    "r1_searcher": {
        "op": "sum",
        "of": [
            _until(_STAGE_STEPS, "retrieval_format"),
            _from(
                _STAGE_STEPS,
                {"op": "sum", "of": ["token_f1", {"term": "retrieval_format", "stage": "answer"}]},
            ),
            *_METRICS,
            {"term": "tool_calls", "weight": 0},
        ],
    },
    # outcome, and the share of worked equations that hold
    "process": {"correct": 1.0, "steps": 0.2, "length": 0.0},
    # right programs are worth more if they are clean and fast
    "code": {
        "op": "sum",
        "of": [
            "code_tests",
            {"op": "gate", "if": "correct", "then": {"code_lint": 0.1, "code_speed": 0.5}},
            *_METRICS,
        ],
    },
}
"""The named designs."""
