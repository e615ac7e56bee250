"""Derivations, mazes, words and slots: every valid answer that a second search finds scores, others do not."""

import re
from itertools import product

import pytest


def test_all_free_slots(tasks, scored, agrees):
    different = infeasible = 0
    for task in tasks("TimeIntervals", (1, 3, 6, 10)):
        length, busy = task.answer["length"], [m for ms in task.answer["busy"].values() for m in ms]
        answers = {}
        for start in range(7 * 60, 19 * 60, 5):
            end = start + length
            minutes = set(range(start, end))
            free = start >= 480 and end <= 1080 and not any(minutes & set(range(a, b)) for a, b in busy)
            answers[f"{start // 60}:{start % 60:02} – {end // 60:02}:{end % 60:02}"] = free
            if free:
                longer = f"{start // 60}:{start % 60:02}-{(end + 5) // 60}:{(end + 5) % 60:02}"
                assert scored("TimeIntervals", task, longer) == 0.0
        different += agrees("TimeIntervals", task, answers) > 1
        infeasible += not any(answers.values())
        assert scored("TimeIntervals", task, "none") == float(not any(answers.values()))
    assert different
    assert infeasible


def shortest_routes(maze):
    """All shortest sequences of moves from S to E, by extending all of them at once."""
    (start,) = ((r, c) for r, row in enumerate(maze) for c, cell in enumerate(row) if cell == "S")
    routes, seen = {start: [""]}, set()
    while routes:
        done = [route for (r, c), found in routes.items() if maze[r][c] == "E" for route in found]
        if done:
            return done
        seen |= routes.keys()
        after = {}
        for (r, c), found in routes.items():
            for move, cell in {"R": (r, c + 1), "L": (r, c - 1), "D": (r + 1, c), "U": (r - 1, c)}.items():
                inside = min(cell) >= 0 and max(cell) < len(maze)
                if inside and maze[cell[0]][cell[1]] != "X" and cell not in seen:
                    after.setdefault(cell, []).extend(route + move for route in found)
        routes = after
    return []


def test_all_shortest_routes(tasks, scored, agrees):
    different = infeasible = 0
    for task in tasks("PathInMaze", (1, 3, 5), count=12):
        routes = shortest_routes(task.answer["maze"])
        answers = dict.fromkeys(routes, True)
        if routes:
            others = {"".join(moves) for moves in product("UDLR", repeat=min(len(routes[0]), 4))}
            answers |= {moves: False for moves in others if moves not in routes}
            for i, move in enumerate(routes[0]):
                for other in set("UDLR") - {move}:
                    mutated = routes[0][:i] + other + routes[0][i + 1 :]
                    answers[mutated] = mutated in routes
            detour = (
                routes[0]
                + "".join({"U": "D", "D": "U", "L": "R", "R": "L"}[m] for m in routes[0][-1])
                + routes[0][-1]
            )
            answers[detour] = False
        different += agrees("PathInMaze", task, answers) > 1
        infeasible += not routes
        assert scored("PathInMaze", task, "Impossible.") == float(not routes)
    assert different
    assert infeasible


@pytest.mark.parametrize(
    "text", ["RRD", "r r d", "R, R, D", "right, right, down", "→→↓", "Right Right Down", "[R, R, D]"]
)
def test_how_moves_may_be_written(text, scored, tasks):
    task = tasks("PathInMaze", (1,), 1)[0]
    task.answer.update(maze=["S..", "XXE", "..."], distance=3, reference="RRD")
    assert scored("PathInMaze", task, text) == 1.0
    assert scored("PathInMaze", task, f"{text} then out") == 0.0


def test_accepted_words(tasks, scored, agrees):
    different = infeasible = 0
    for task in tasks("AutomatonAcceptance", (1, 3, 5)):
        moves, accepting, (count_a, count_b) = (task.answer[key] for key in ("moves", "accepting", "counts"))
        answers = {}
        for letters in product("ab", repeat=count_a + count_b):
            state = 0
            for letter in letters:
                state = moves[state][letter == "b"]
            answers["".join(letters)] = state in accepting and letters.count("a") == count_a
        different += agrees("AutomatonAcceptance", task, answers) > 1
        infeasible += not any(answers.values())
        assert scored("AutomatonAcceptance", task, "impossible") == float(not any(answers.values()))
    assert different
    assert infeasible


def test_strings_that_match(tasks, scored, agrees):
    different = infeasible = 0
    for task in tasks("RegexMatch", (1, 2, 3, 4), count=12):
        pattern = task.prompt.split("\n\n")[1]
        length = task.answer["length"]
        if length > 6:
            continue
        words = ["".join(letters) for n in (length, length - 1) for letters in product("abcd", repeat=n)]
        answers = {w: len(w) == length and re.fullmatch(pattern, w) is not None for w in words if w}
        different += agrees("RegexMatch", task, answers) > 1
        infeasible += not any(answers.values())
        assert scored("RegexMatch", task, "impossible") == float(not any(answers.values()))
    assert different
    assert infeasible


def test_longer_matches_agree_with_the_standard_library(tasks, scored):
    for task in tasks("RegexMatch", (6, 8, 10)):
        word, pattern = task.answer["reference"], task.prompt.split("\n\n")[1]
        if word is None:
            continue
        assert re.fullmatch(pattern, word)
        for i in range(len(word)):
            for letter in "abcd":
                mutated = word[:i] + letter + word[i + 1 :]
                assert scored("RegexMatch", task, mutated) == float(
                    re.fullmatch(pattern, mutated) is not None
                )


def derivations(puzzle):
    """All derivations of the allowed length, shorter ones included."""
    found, paths = [], [[puzzle["start"]]]
    for _ in range(puzzle["steps"]):
        longer = []
        for path in paths:
            text = path[-1]
            for left, right in puzzle["rules"]:
                for match in re.finditer(f"(?={left})", text):
                    longer.append([*path, text[: match.start()] + right + text[match.start() + len(left) :]])
        found += [path for path in longer if path[-1] == puzzle["end"]]
        paths = longer
    return found


def test_all_derivations(tasks, agrees):
    different = 0
    for task in tasks("StringRewriting", (1, 2, 3)):
        found = derivations(task.answer)
        assert found
        answers = {"\n".join(path): True for path in found}
        for path in found[:3]:
            answers["\n".join([*path, path[-1]])] = False
            answers["\n".join(path[:-1])] = False
            answers["\n".join(path[1:])] = False
            jump = [path[0], path[-1]]
            answers[" -> ".join(jump)] = jump in found
        different += agrees("StringRewriting", task, answers) > 1
    assert different
