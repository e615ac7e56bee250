"""Verdicts and the promises of verifiers in general."""

import json
import pickle

import pytest

import rlvr_gym
from rlvr_gym import Reason, RegistrationError, Task, UnknownNameError, Verdict, Verifier
from rlvr_gym.verifier import MAX_COMPLETION_CHARS

TASK = Task("?", "x")


@pytest.mark.parametrize(
    ("verdict", "score", "correct", "valid", "reason"),
    [
        (Verdict.right("5"), 1.0, True, True, "correct"),
        (Verdict.right(reason=Reason.PASSED), 1.0, True, True, "passed"),
        (Verdict.wrong(), 0.0, False, True, "wrong"),
        (Verdict.wrong(Reason.NO_ANSWER), 0.0, False, True, "no_answer"),
        (Verdict.graded(1.0), 1.0, True, True, "correct"),
        (Verdict.graded(0.25), 0.25, False, True, "partial"),
        (Verdict.graded(0.0), 0.0, False, True, "wrong"),
        (Verdict.failed(Reason.TIMEOUT), 0.0, False, False, "timeout"),
    ],
)
def test_kinds(verdict, score, correct, valid, reason):
    assert (verdict.score, verdict.correct, verdict.valid, verdict.reason) == (score, correct, valid, reason)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_scores_outside_the_unit_interval_are_refused(score):
    with pytest.raises(ValueError, match="lies in"):
        Verdict(score, False, Reason.WRONG)


def test_json_and_pickle_round_trip():
    verdict = Verdict.graded(0.5, "a", passed=3, cases=["x", "y"])
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict
    assert pickle.loads(pickle.dumps(verdict)) == verdict


class Broken(Verifier):
    def judge(self, completion, task):
        raise RuntimeError(completion)


def test_a_defect_of_a_verifier_is_not_a_wrong_answer():
    verdict = Broken().verify("boom", TASK)
    assert not verdict.valid
    assert verdict.reason is Reason.VERIFIER_ERROR
    assert verdict.details["error"] == "RuntimeError: boom"


def test_an_exception_that_cannot_be_printed():
    class Rude(Exception):
        def __str__(self):
            raise ValueError

    class Worse(Verifier):
        def judge(self, completion, task):
            raise Rude

    assert Worse().verify("x", TASK).details["error"] == "Rude"
    (outcome,) = rlvr_gym.executor.InlineExecutor().map(lambda _: Worse().judge("x", TASK), [0])
    assert (outcome.failure, outcome.message) == ("raised", "Rude")


def test_endless_completions_are_not_read():
    verdict = Broken().verify("x" * (MAX_COMPLETION_CHARS + 1), TASK)
    assert (verdict.valid, verdict.reason) == (True, Reason.TOO_COMPLEX)


def test_batches_are_in_order_and_of_one_length():
    verdicts = rlvr_gym.get_verifier("rational").verify_batch(["1", "2"], [Task("?", "1")] * 2)
    assert [v.correct for v in verdicts] == [True, False]
    with pytest.raises(ValueError, match="argument 2"):
        Broken().verify_batch(["1"], [TASK, TASK])


def test_names():
    assert "rational" in rlvr_gym.verifier_names()
    with pytest.raises(UnknownNameError, match="no verifier named 'rationl'; did you mean rational"):
        rlvr_gym.get_verifier("rationl")
    with pytest.raises(RegistrationError, match="'rational' is taken"):
        rlvr_gym.register_verifier("rational")(Broken)
