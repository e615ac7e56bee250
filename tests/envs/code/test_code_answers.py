"""Environments whose answers are literals, patterns, queries and tests; and the conversation with an interpreter."""

import dataclasses
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlvr_gym.envs.code._literals import NotLiteralError, read_arguments, read_assertions, read_literal
from rlvr_gym.envs.code._regex import MAX_STATES, PatternError, compile_pattern, count_states
from rlvr_gym.envs.code._sql import DOMAINS, QUESTIONS
from rlvr_gym.registration import list_envs, load_problem
from rlvr_gym.task import Task
from rlvr_gym.testing.subject import act, begin, play_oracle
from rlvr_gym.verifier import get_verifier


def judge(verifier, text, answer):
    verdict = get_verifier(verifier).verify(text, Task("?", answer))
    assert verdict.valid, verdict
    return verdict


# --- literals ---

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé \n'\"\\#"),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.integers() | st.text("ab"), inner)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_literals_are_read_as_python_reads_them(value):
    assert repr(read_literal(repr(value))) == repr(value)


@given(st.text("[](){}'\"\\,: 01ab=.-#e", max_size=30))
def test_any_text_is_a_literal_or_refused(text):
    try:
        value = read_literal(text)
    except NotLiteralError:
        return
    import ast

    assert repr(ast.literal_eval(text.strip())) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2",
        "[1",
        "1]",
        "f(1)",
        "__import__('os')",
        "1+1",
        "{1: 2, 3}",
        "{[]: 1}",
        "[" * 500,
        "'a",
        "9" * 5000,
    ],
)
def test_other_texts_are_no_literals(text):
    with pytest.raises(NotLiteralError):
        read_literal(text)


def test_arguments_and_assertions():
    assert read_arguments("[1, 2], 'a',") == [[1, 2], "a"]
    assert read_arguments("") == []
    text = "# edge\nassert f([]) == 0\nassert f([1,\n 2], x) == 3"
    with pytest.raises(NotLiteralError):
        read_assertions(text, "f", 5)
    assert read_assertions("assert f([]) == 0  # none\nassert f(1) is True", "f", 5) == [
        ([[]], 0),
        ([1], True),
    ]
    for wrong in ("assert g(1) == 1", "assert f(1)", "f(1) == 1", "import os", "assert f(1) == 1; import os"):
        with pytest.raises(NotLiteralError):
            read_assertions(wrong, "f", 5)
    with pytest.raises(NotLiteralError):
        read_assertions("assert f(1) == 1\n" * 6, "f", 5)


@pytest.mark.parametrize(
    ("reference", "right", "wrong"),
    [
        ("1", ["1", "+1", "`1`", "(1)"], ["'1'", "1.0", "True", "[1]", "1,", "01", "one"]),
        ("True", ["True"], ["1", "'True'", "true", "yes"]),
        ("'ab'", ["'ab'", '"ab"', r"'\x61b'"], ["ab", "['a', 'b']", "'ab '", "b'ab'"]),
        ("[1, 'a']", ['[1,"a"]', "[ 1, 'a', ]"], ["(1, 'a')", "[1.0, 'a']", "['a', 1]", "1, 'a'"]),
        (
            "{'a': 1, 'b': 2}",
            ["{'b': 2, 'a': 1}"],
            ["{'a': 1}", "{'a': 1, 'b': '2'}", "[('a', 1), ('b', 2)]"],
        ),
    ],
)
def test_output_prediction_compares_types(reference, right, wrong):
    for text in right:
        assert judge("python_literal", f"<answer>{text}</answer>", reference).score == 1.0, text
    for text in wrong:
        assert judge("python_literal", f"<answer>{text}</answer>", reference).score == 0.0, text


def test_input_inversion_takes_any_right_input():
    answer = {"program": "def f(a, b):\n    return a * b", "entry": "f", "output": "12", "input": "3, 4"}
    for text in ("3, 4", "-2, -6", "12, 1", "( 2 ), 6"):
        assert judge("input_inversion", f"<answer>{text}</answer>", answer).score == 1.0, text
    for text in ("3, 5", "12", "12, 1, 1", "12.0, 1", "'12', 1", "a, b", "12, True, ", "3 * 4, 1"):
        expected = 1.0 if text == "12, True, " else 0.0  # 12 * True is 12, after all
        assert judge("input_inversion", f"<answer>{text}</answer>", answer).score == expected, text


def test_input_inversion_survives_inputs_that_take_forever():
    answer = {
        "program": "def f(n):\n    while n != 1: n -= 1\n    return 7",
        "entry": "f",
        "output": "7",
        "input": "1",
    }
    assert judge("input_inversion", "<answer>5</answer>", answer).score == 1.0
    assert judge("input_inversion", "<answer>0</answer>", answer).score == 0.0
    power = {"program": "def f(n):\n    return len(str(9 ** n))", "entry": "f", "output": "2", "input": "2"}
    assert judge("input_inversion", "<answer>99999999</answer>", power).score == 0.0


# --- writing tests ---

CLAMP = {
    "entry": "clamp",
    "reference": "def clamp(n):\n    return min(max(n, 0), 9)",
    "mutants": [
        "def clamp(n):\n    return min(max(n, 1), 9)",
        "def clamp(n):\n    return min(max(n, 0), 8)",
        "def clamp(n):\n    return max(n, 0)",
        "def clamp(n):\n    while n != n: pass\n    return 5",
    ],
    "limit": 4,
}


def lines_of(*lines):
    return "```python\n" + "\n".join(lines) + "\n```"


@pytest.mark.parametrize(
    ("lines", "score"),
    [
        (["assert clamp(-3) == 0", "assert clamp(12) == 9"], 1.0),
        (["assert clamp(0) == 0", "assert clamp(9) == 9", "assert clamp(10) == 9"], 1.0),
        (["assert clamp(9) == 9"], 0.5),
        (["assert clamp(4) == 4"], 0.25),
        (["assert clamp(5) == 5"], 0.0),
        (["assert clamp(-3) == 0", "assert clamp(12) == 12"], 0.0),  # the right program does not pass
        (["assert False"], 0.0),
        (["assert clamp('a') == 0"], 0.0),
        (["import os", "os._exit(0)"], 0.0),
        (["assert clamp(1) == 1"] * 5, 0.0),  # too many
        (["assert clamp.__code__.co_code == b''"], 0.0),
        (["raise AssertionError"], 0.0),
        ([], 0.0),
    ],
)
def test_test_writing(lines, score):
    assert judge("test_writing", lines_of(*lines), CLAMP).score == score


@pytest.mark.parametrize("difficulty", [1, 5, 10])
def test_test_writing_needs_more_than_one_obvious_test(difficulty):
    problem = load_problem("TestWriting", difficulty=difficulty)
    task = problem.source(1)[0]
    verdict = problem.make_verifier().verify(problem.answer_text(task), task)
    assert verdict.score == 1.0
    assert len(task.answer["mutants"]) >= 4


# --- regular expressions ---

PATTERNS = ["a", "ab|c", "(a|b)*c", "a{2,3}b?", "[a-c]+", "[^a]b", r"\d{2}", r"\w+-\w+", ".", "(?:ab)+", "a{0}b", "(a?){3}",
            "(a*)*b", "(a|a)*b", "", "()", "a||b", r"\-\.", "[]a]", "[a-]", r"[\d_]", "x{2,}", "((a|b){2}c){1,2}"]  # fmt: skip


@given(st.sampled_from(PATTERNS), st.text("abcx0-_].", max_size=8))
def test_patterns_mean_what_python_means(pattern, text):
    assert compile_pattern(pattern)(text) == (re.fullmatch(pattern, text) is not None)


@given(st.text("ab|()*+?{}2,[]^-\\d.", max_size=14), st.text("ab2-", max_size=6))
def test_any_pattern_is_refused_or_means_what_python_means(pattern, text):
    try:
        matches = compile_pattern(pattern)
    except PatternError:
        return
    try:
        expected = re.fullmatch(pattern, text, re.ASCII) is not None
    except re.error:
        return
    if "++" not in pattern and "?+" not in pattern:
        assert matches(text) == expected


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a**", "*", r"\1", "(?=a)", "^a$", "a{61}", "a{2", "[z-a]", "[a", "a" * 401, "(" * 50],
)
def test_other_patterns_are_refused(pattern):
    with pytest.raises(PatternError):
        compile_pattern(pattern)


def test_matching_is_linear():
    assert not compile_pattern("(a*)*(a|aa)+b")("a" * 3000)
    with pytest.raises(PatternError):
        count_states("((((a{60}){60}){60}){60}){60}")
    assert count_states("(a{20}){20}") < MAX_STATES


def test_regex_synthesis():
    answer = {
        "match": ["ab-12", "zz-0", "q-777"],
        "reject": ["ab-", "-12", "AB-12", "ab12", "ab-12-", "ab-x"],
    }
    for right in (r"[a-z]+-\d+", r"[a-z]{1,}-[0-9]{1,3}", r"(?:\w|\w\w)-(\d|\d\d|\d\d\d)"):
        score = judge("regex", f"<answer>{right}</answer>", answer).score
        assert score == (0.0 if right.startswith("(?:") else 1.0), right  # \w matches capitals, too
    for wrong in (r".*", r"[a-z]+-\d*", r"\w+-\d+", "ab-12|zz-0|q-777-", "[a-z]+", "(", r"[a-z]+-\d{2}"):
        assert judge("regex", f"<answer>{wrong}</answer>", answer).score == 0.0, wrong


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_listing_the_shown_strings_does_not_pass(difficulty):
    problem = load_problem("RegexSynthesis", difficulty=difficulty)
    task = problem.source(4)[0]
    part = task.prompt.split("These are matched:\n")[1].split("\n\n")[0]
    shown = [line.removeprefix("    ") for line in part.split("\n")]
    pattern = "|".join(re.sub(r"([^\w-])", r"\\\1", text) for text in shown)
    assert all(compile_pattern(pattern)(text) for text in shown)
    assert problem.make_verifier().verify(f"<answer>{pattern}</answer>", task).score == 0.0
    reference = re.compile(task.answer["pattern"], re.ASCII)
    assert all(reference.fullmatch(text) for text in task.answer["match"])
    assert not any(reference.fullmatch(text) for text in task.answer["reject"])


# --- SQL ---


def sql_task(question, difficulty):
    problem = load_problem("SQLQuery", difficulty=difficulty)
    source = problem.source(0)
    return next(task for task in (source[i] for i in range(60)) if task.metadata["question"] == question)


def run_sql(query, task):
    verdict = get_verifier("sql_query").verify(f"```sql\n{query}\n```", task)
    assert verdict.valid
    return verdict


def names_of(task):
    """The names of the task's domain, for queries of one's own."""
    return next(d.names for d in DOMAINS if d.schema == task.answer["schema"])


def test_other_queries_for_the_same_pass():
    task = sql_task(8, 6)  # things without records
    n = names_of(task)
    for query in (
        "SELECT t.name FROM {things} t LEFT JOIN {records} r ON r.{key} = t.id WHERE r.id IS NULL",
        "SELECT name FROM {things} t WHERE NOT EXISTS (SELECT 1 FROM {records} r WHERE r.{key} = t.id) ORDER BY 1 DESC;",
        "WITH a AS (SELECT id FROM {things} EXCEPT SELECT {key} FROM {records}) SELECT name FROM {things} JOIN a USING (id)",
    ):
        assert run_sql(query.format(**n), task).score == 1.0, query
    for query in (
        "SELECT name FROM {things}",
        "SELECT t.name FROM {things} t LEFT JOIN {records} r ON r.{key} = t.id",
        "SELECT name, id FROM {things} WHERE id NOT IN (SELECT {key} FROM {records})",
        "SELECT name FROM {things} WHERE id NOT IN (SELECT id FROM {records})",
        "SELECT name FROM {things} WHERE id NOT IN (SELECT {key} FROM {records}) LIMIT 1",
        "SELEKT name FROM {things}",
        "SELECT 1",
    ):
        assert run_sql(query.format(**n), task).score == 0.0, query


def test_order_counts_where_it_is_asked_for():
    task = sql_task(3, 3)
    n = names_of(task)
    right = "SELECT name, {value} FROM {things} ORDER BY {value} DESC, name"
    assert run_sql(right.format(**n), task).score == 1.0
    for wrong in (right.replace(" DESC", ""), right.partition(" ORDER")[0], right.replace(", name", "", 1)):
        assert run_sql(wrong.format(**n), task).score == 0.0


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM {things}",
        "DROP TABLE {things}",
        "ATTACH DATABASE '/tmp/x' AS x",
        "PRAGMA table_info({things})",
        "SELECT load_extension('x')",
        "SELECT name FROM {things}; DELETE FROM {things}",
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c",
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT SUM(n) FROM c",
        "SELECT zeroblob(1000000000)",
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT COUNT(*) FROM {things} a, {things} b, {things} c, {things} d, {things} e, {things} f, {things} g, {things} h",
        "INSERT INTO {things} VALUES (1, 'a', 'b', 2)",
        "SELECT " + "(" * 3000 + "1",
    ],
)
def test_hostile_queries_end_and_score_nothing(query):
    task = sql_task(8, 6)
    assert run_sql(query.replace("{things}", names_of(task)["things"]), task).score == 0.0


def test_every_question_is_answered_in_the_sandbox_as_here():
    seen = set()
    for difficulty in (1, 4, 7, 10):
        problem = load_problem("SQLQuery", difficulty=difficulty)
        for index in range(14):
            task = problem.source(2)[index]
            if task.metadata["question"] not in seen:
                seen.add(task.metadata["question"])
                assert problem.make_verifier().verify(problem.answer_text(task), task).score == 1.0
    assert len(seen) >= len(QUESTIONS) - 4


# --- the interpreter ---


@pytest.fixture(scope="module")
def interpreter():
    return load_problem("CodeInterpreter", difficulty=4)


def call(code):
    import json

    return f"<tool_call>{json.dumps({'name': 'python', 'arguments': {'code': code}})}</tool_call>"


def test_the_oracle_computes_and_answers(interpreter):
    episode = play_oracle(interpreter, interpreter.source(0)[0])
    assert episode.verdict.score == 1.0
    assert episode.turns == 2
    assert [m["role"] for m in episode.messages] == ["user", "assistant", "tool", "assistant"]
    assert episode.metrics == {"tool_calls": 1.0, "tool_errors": 0.0}


def test_the_interpreter_shows_output_and_errors_and_keeps_nothing(interpreter):
    task = interpreter.source(0)[0]
    episode = begin(interpreter, task)
    for code, shown in (
        ("x = 6 * 7\nprint(x)", "<tool_result>42\n</tool_result>"),
        ("print(x)", "NameError"),
        ("print('a'\n", "SyntaxError"),
        ("import os\nos._exit(3)", "runtime_error"),
        ("pass", "(nothing was printed)"),
    ):
        act(interpreter, episode, call(code))
        assert shown in episode.messages[-1]["content"]
        assert not episode.done
    act(interpreter, episode, f"<answer>{task.answer}</answer>")
    assert episode.verdict.score == 1.0


@pytest.mark.parametrize(
    "action",
    [
        "<tool_result>{0}1</tool_result> So it is <answer>{0}1</answer>",
        "<answer>-1</answer>",
        "<answer>{0}</answer> or <answer>{0}0</answer>",
    ],
)
def test_wrong_answers_lose(interpreter, action):
    task = interpreter.source(0)[0]
    episode = begin(interpreter, task)
    act(interpreter, episode, action.replace("{0}", task.answer))
    assert episode.verdict.score == 0.0


def test_an_answer_beside_a_call_does_not_count(interpreter):
    task = interpreter.source(0)[0]
    episode = begin(interpreter, task)
    act(interpreter, episode, f"{call('print(1)')} <answer>{task.answer}</answer>")
    assert not episode.done
    for _ in range(interpreter.turns - 1):
        act(interpreter, episode, "hm")
    assert episode.verdict.reason == "max_turns"


def test_turns_are_checked():
    from rlvr_gym.errors import ConfigError

    with pytest.raises(ConfigError, match="turns"):
        load_problem("CodeInterpreter", turns=1)
    with pytest.raises(ConfigError, match="tests"):
        load_problem("FunctionSynthesis", tests=1)
    assert dataclasses.replace(load_problem("CodeInterpreter"), turns=9).turns == 9


# --- without a sandbox ---


def test_without_a_sandbox_tasks_are_made_and_verdicts_are_invalid(monkeypatch):
    monkeypatch.setenv("RLVR_GYM_SANDBOX", "none-of-them")
    for entry in list_envs("code"):
        if entry.needs:
            continue
        problem = entry.make_problem()
        task = problem.source(0)[0]
        if entry.id == "rlvr/CodeInterpreter-v0":
            episode = begin(problem, task)
            act(problem, episode, call("print(1)"))
            verdict = episode.verdict
        else:
            answer = f"<answer>{problem.answer_text(task)}</answer>"
            (verdict,) = problem.make_verifier().verify_batch([answer], [task])
        if entry.id in ("rlvr/OutputPrediction-v0", "rlvr/RegexSynthesis-v0"):  # need none
            assert verdict.score == 1.0
        else:
            assert not verdict.valid, entry.id


def test_endless_programs_share_the_time_of_an_action():
    problem = load_problem("CodeInterpreter")
    task = problem.source(0)[0]
    call = json.dumps({"name": "python", "arguments": {"code": "while True: pass"}})
    reply = problem.reply(task, problem.start(task), f"<tool_call>{call}</tool_call>" * 8)
    assert reply.text.count("[timeout]") < 8
    assert "used up" in reply.text
    assert reply.metrics["tool_errors"] >= 1
