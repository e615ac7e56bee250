"""TicTacToe and Connect Four against a second, plain solver; every line of play of small boards."""

import random
import re
from functools import lru_cache
from itertools import islice

import pytest

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.envs.games._boards import Rules, Solver, draw_position, solver_of
from rlvr_gym.testing import play_oracle
from rlvr_gym.testing.subject import act, begin

NAMES = ("TicTacToe", "Connect4")


class Plain:
    """A board as a tuple of marks, searched to the end without any short cut."""

    def __init__(self, rows, columns, line, gravity):
        self.rows, self.columns, self.gravity = rows, columns, gravity
        steps = [(0, 1), (1, 0), (1, 1), (1, -1)]
        inside = {(r, c) for r in range(rows) for c in range(columns)}
        lines = [[(r + i * a, c + i * b) for i in range(line)] for r, c in sorted(inside) for a, b in steps]
        self.lines = [[r * columns + c for r, c in cells] for cells in lines if set(cells) <= inside]
        self.value = lru_cache(maxsize=None)(self._value)

    def moves(self, board):
        free = [i for i, mark in enumerate(board) if mark == "."]
        below = [i + self.columns for i in free]
        return [
            i
            for i, b in zip(free, below, strict=True)
            if not self.gravity or b >= len(board) or board[b] != "."
        ]

    def won(self, board, mark):
        return any(all(board[i] == mark for i in line) for line in self.lines)

    def after(self, board, move, mark):
        return board[:move] + mark + board[move + 1 :]

    def move_value(self, board, move, mark, other):
        after = self.after(board, move, mark)
        return 1 if self.won(after, mark) else -self.value(after, other, mark)

    def _value(self, board, mark, other):
        return max((self.move_value(board, move, mark, other) for move in self.moves(board)), default=0)

    def name(self, move):
        row, column = divmod(move, self.columns)
        return str(column + 1) if self.gravity else "abcde"[column] + str(row + 1)


def shown(prompt, gravity):
    """The board, and whose turn it is, as a reader of the prompt sees them."""
    rows = [line.split() for line in prompt.split("your turn:\n\n")[1].split("\n\n")[0].splitlines()]
    board = "".join("".join(row if gravity else row[1:]) for row in (rows[:-1] if gravity else rows[1:]))
    mark = prompt.partition("You are ")[2][0]
    return board, mark, "O" if mark == "X" else "X"


@pytest.mark.parametrize("rules", [(3, 3, 3, False), (3, 4, 3, False), (4, 4, 3, True), (4, 5, 4, True)])
def test_the_solver_agrees_with_a_plain_search(rules):
    import numpy as np

    plain, rng = Plain(*rules), np.random.default_rng(0)
    for empty in (2, 3, 5, 7, 8):
        for _ in range(8):
            own, other = draw_position(rng, Rules(*rules), empty)
            board = "".join(
                "X" if own >> i & 1 else "O" if other >> i & 1 else "." for i in range(rules[0] * rules[1])
            )
            solver = Solver(Rules(*rules))
            assert solver.value((own, other)) == plain.value(board, "X", "O")
            best = {
                plain.name(m)
                for m in plain.moves(board)
                if plain.move_value(board, m, "X", "O") == plain.value(board, "X", "O")
            }
            assert {solver.rules.name(move) for move in solver.best_moves((own, other))} == best
            assert set(solver.good_moves((own, other))) <= set(solver.best_moves((own, other)))


def test_no_line_of_tic_tac_toe_beats_the_perfect_opponent():
    """Every line of the policy from the empty board; the opponent is a function of the position."""
    problem = load_problem("TicTacToe", difficulty=1, empty=9, strength=1)
    task = problem.source(0)[0]
    assert task.prompt.count("Do not lose") == 1
    results = {"loss": 0, "draw": 0}
    cells = [column + str(row) for column in "abc" for row in (1, 2, 3)]

    def follow(state):
        for cell in cells:
            child = list(state)
            reply = problem.reply(task, child, f"<answer>{cell}</answer>")
            if reply.metrics:
                assert child == state
            elif reply.verdict is None:
                follow(child)
            else:
                results[reply.verdict.details["result"]] += 1
                assert reply.verdict.correct == (reply.verdict.details["result"] == "draw")

    follow(problem.start(task))
    assert results["draw"] > 5
    assert results["loss"] > 100


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("difficulty", [1, 3, 4])
def test_the_oracle_reaches_the_goal_whatever_the_opponent_does(name, difficulty):
    """Not only against this opponent: against every reply that the rules allow."""
    problem = load_problem(name, difficulty=difficulty)
    for task in islice(problem.source(5), 4):
        rules = Rules(*task.answer["rules"])
        solver = solver_of(rules)

        def worst(own, other, rules=rules, solver=solver):
            move = solver.good_moves((own, other))[0]
            if rules.wins(own, move):
                return 1
            own |= move
            results = []
            for reply in rules.moves(own | other):
                if rules.wins(other, reply):
                    return -1
                more = rules.moves(own | other | reply)
                results.append(worst(own, other | reply) if more else 0)
            return min(results, default=0)

        assert worst(*task.answer["position"]) >= (1 if task.answer["must_win"] else 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_terse_form_tells_the_same_game(name):
    full, terse = (load_problem(name, difficulty=2, prompt=prompt) for prompt in ("full", "terse"))
    for index in range(6):
        one, other = full.source(0)[index], terse.source(0)[index]
        assert one.answer == other.answer
        plain = Plain(*one.answer["rules"])
        board, mark, _ = shown(one.prompt, plain.gravity)
        letters = "." * 25 if plain.gravity else "abcdefghijklmnopqrstuvwxy"
        board = "".join(letters[i] if mark == "." else mark for i, mark in enumerate(board))
        rows = [board[i : i + plain.columns] for i in range(0, len(board), plain.columns)]
        goal = "win" if "Win the game" in one.prompt else "draw"
        assert other.prompt == " ".join([*rows, mark, goal, str(other.metadata["turns"])])
        games = begin(full, one), begin(terse, other)
        while not games[0].done:
            for problem, game in zip((full, terse), games, strict=True):
                act(problem, game, problem.oracle(game.task, game.state))
            assert games[0].state == games[1].state
            if not games[0].done:
                told = games[0].messages[-1]["content"].split("\n\n")[1]
                board, _, _ = shown(f"your turn:\n\n{told}\n\nYou are X", plain.gravity)
                terse_board = games[1].messages[-1]["content"].replace(" ", "")
                assert re.sub("[a-z]", ".", terse_board) == board
                assert all(letters[i] == mark for i, mark in enumerate(terse_board) if mark not in "XO")
        assert games[1].verdict.correct
        assert play_oracle(terse, other).verdict.correct
    for text in ("z9", "a1 b1", "y", "zz", ""):
        assert terse.reply(other, terse.start(other), f"<answer>{text}</answer>").text == "no"
    with pytest.raises(ConfigError):
        load_problem(name, prompt="short")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("difficulty", [1, 2, 3, 4])
def test_the_goal_is_the_best_that_can_be_forced(name, difficulty):
    for task in islice(load_problem(name, difficulty=difficulty).source(2), 6):
        plain = Plain(*task.answer["rules"])
        value = plain.value(*shown(task.prompt, plain.gravity))
        assert ("Win the game" in task.prompt, "Do not lose" in task.prompt) == (value == 1, value == 0)


@pytest.mark.parametrize("name", ["TicTacToeMove", "Connect4Move"])
def test_exactly_the_best_moves_score(name):
    several = 0
    for difficulty in (1, 2, 3, 4, 5):
        problem = load_problem(name, difficulty=difficulty)
        verify = problem.make_verifier().verify
        for task in islice(problem.source(1), 10):
            plain = Plain(*task.answer["rules"])
            board, mark, other = shown(task.prompt, plain.gravity)
            value = plain.value(board, mark, other)
            legal = plain.moves(board)
            best = {plain.name(m) for m in legal if plain.move_value(board, m, mark, other) == value}
            several += len(best) > 1
            for move in range(len(board)):
                text = plain.name(move)
                assert verify(f"<answer>{text}</answer>", task).score == float(text in best), (board, text)
    assert several


@pytest.mark.parametrize(("text", "right"), [("B2", 1), ("b2", 1), ("2b", 1), ("b 2", 1), ("**b2**", 1), ("(b2)", 1),
    ("b22", 0), ("b2 or a1", 0), ("b", 0), ("2", 0), ("b2 b2", 0), ("z9", 0), ("cell", 0)])  # fmt: skip
def test_how_a_cell_may_be_written(text, right):
    problem = load_problem("TicTacToeMove")
    task = problem.source(0)[0]
    task.answer.update(rules=[3, 3, 3, False], position=[1, 2], best=["b2"])
    assert problem.make_verifier().verify(f"<answer>{text}</answer>", task).score == right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("3", 1),
        ("column 3", 1),
        ("Column: 3.", 1),
        ("33", 0),
        ("3, 4", 0),
        ("0", 0),
        ("-3", 0),
        ("- 3", 1),
        ("three", 0),
    ],
)
def test_how_a_column_may_be_written(text, right):
    problem = load_problem("Connect4Move")
    task = problem.source(0)[0]
    task.answer.update(rules=[4, 5, 4, True], position=[0, 0], best=["3"])
    assert problem.make_verifier().verify(f"<answer>{text}</answer>", task).score == right


@pytest.mark.parametrize("name", NAMES)
def test_illegal_moves_change_nothing_but_the_count(name):
    problem = load_problem(name)
    task = problem.source(3)[0]
    episode = begin(problem, task)
    before = list(episode.state)
    for text in ("", "z9", "0", "a1 b1", "99999", "resign", "<answer>a1</answer><answer>b2</answer>"):
        reply = problem.reply(task, episode.state, text if "<" in text else f"<answer>{text}</answer>")
        assert reply.metrics == {"illegal_moves": 1.0}
        assert reply.verdict is None
    assert episode.state == before
    full = load_problem("Connect4", difficulty=9)
    for task in islice(full.source(0), 3):
        rules, (own, other) = Rules(*task.answer["rules"]), task.answer["position"]
        open_columns = {rules.name(m) for m in rules.moves(own | other)}
        for column in set("1234567") - open_columns:
            assert full.reply(task, full.start(task), column).metrics == {"illegal_moves": 1.0}


@pytest.mark.parametrize("name", NAMES)
def test_the_opponent_is_a_function_of_the_position(name):
    """Illegal moves in between change nothing, and a copy of the task plays alike."""
    problem = load_problem(name, difficulty=3, strength=0)
    rng = random.Random(0)
    for task in islice(problem.source(4), 8):
        first, second = begin(problem, task), begin(problem, type(task).from_json(task.to_json()))
        while not first.done:
            rules = Rules(*task.answer["rules"])
            move = rules.name(rng.choice(rules.moves(first.state[0] | first.state[1])))
            problem.reply(second.task, second.state, "nonsense")
            act(problem, first, f"<answer>{move}</answer>")
            act(problem, second, f"<answer>{move}</answer>")
            assert first.messages == second.messages
            assert first.state == second.state


def test_a_weaker_opponent_is_beaten_more_often_by_chance():
    wins = []
    for strength in (0, 1):
        problem = load_problem("TicTacToe", difficulty=4, strength=strength)
        rng, won = random.Random(1), 0
        for task in islice(problem.source(0), 60):
            episode = begin(problem, task)
            rules = Rules(*task.answer["rules"])
            while not episode.done:
                act(
                    problem, episode, rules.name(rng.choice(rules.moves(episode.state[0] | episode.state[1])))
                )
            won += episode.verdict.correct
        wins.append(won)
    assert wins[0] > wins[1] + 10


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("empty", [2, 5, 9, 12])
def test_the_setting_empty(name, empty):
    for difficulty in (2, 10) if empty < 12 else (2,):
        task = load_problem(name, difficulty=difficulty, empty=empty).source(0)[0]
        cells = task.answer["rules"][0] * task.answer["rules"][1]
        assert shown(task.prompt, task.answer["rules"][3])[0].count(".") == min(empty, cells)
        assert play_oracle(load_problem(name), task).verdict.correct


@pytest.mark.parametrize("wrong", [{"strength": 1.1}, {"strength": -0.5}, {"empty": 1}, {"empty": 13}])
def test_settings(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        load_problem("TicTacToe", **wrong)
