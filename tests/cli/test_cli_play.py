"""``play`` with piped input: the same verdicts as the environment gives."""

import io

from rlvr_gym.cli.main import run
from rlvr_gym.registration import load_problem


def play(monkeypatch, capsys, text, *line):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    code = run(["play", *line])
    return code, capsys.readouterr()


def test_the_whole_piped_input_is_the_answer(monkeypatch, capsys):
    task = load_problem("Arithmetic").source(3)[1]
    text = f"some thinking\n\nmore of it\n<answer>{task.answer}</answer>\n"
    code, captured = play(monkeypatch, capsys, text, "Arithmetic", "--seed", "3", "--index", "1")
    assert code == 0
    assert task.prompt.split()[2] in captured.out
    assert "correct" in captured.out
    assert "reference" not in captured.out


def test_a_wrong_answer_is_shown_beside_the_reference(monkeypatch, capsys):
    task = load_problem("Arithmetic").source(0)[0]
    code, captured = play(monkeypatch, capsys, "<answer>banana</answer>", "Arithmetic", "--reward", "r1")
    assert code == 0
    assert "unparseable" in captured.out
    assert task.answer in captured.out
    assert "format_r1" in captured.out


def test_several_turns_take_a_line_each(monkeypatch, capsys):
    problem = load_problem("GuessTheNumber")
    task = problem.source(0)[0]
    state, lines, reply = problem.start(task), [], None
    while reply is None or (reply.verdict is None and reply.answer is None):
        lines.append(" ".join(problem.oracle(task, state).split()))
        reply = problem.reply(task, state, lines[-1])
    code, captured = play(monkeypatch, capsys, "\n".join(lines) + "\n", "GuessTheNumber")
    assert code == 0
    assert "correct" in captured.out
    code, captured = play(monkeypatch, capsys, "", "GuessTheNumber")
    assert code == 2
    assert "one action a line" in captured.err
