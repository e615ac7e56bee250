"""Environments with one answer, against a second implementation that reads nothing but the prompt."""

import calendar
import datetime
import re
from itertools import product

import numpy as np

from rlvr_gym.envs.algorithmic.arc_1d import RULES


def block(task, index=1):
    """A block of the prompt, between empty lines."""
    return task.prompt.split("\n\n")[index]


def rows(text):
    return np.array([[int(cell) for cell in line.split()] for line in text.splitlines()])


def grid(array):
    return "\n".join(" ".join(map(str, row)) for row in array.tolist())


def assert_only(name, task, answer, mutated, scored):
    assert scored(name, task, answer) == 1.0
    assert answer != mutated
    assert scored(name, task, mutated) == 0.0


def test_dates(tasks, scored):
    for task in tasks("DateArithmetic", (1, 5, 10)):
        days, word, start = re.search(r"is (\d+) days (\w+) (\S+)", task.prompt).groups()
        end = np.datetime64(start) + np.timedelta64(int(days) * (1 if word == "after" else -1), "D")
        assert_only("DateArithmetic", task, str(end), str(end + np.timedelta64(1, "D")), scored)
        year, month, day = map(int, str(end).split("-"))
        for text in (
            f"{day} {calendar.month_name[month]} {year}",
            f"{calendar.month_abbr[month]} {day}, {year}",
            f"{calendar.day_name[calendar.weekday(year, month, day)]}, {calendar.month_name[month]} {day}, {year}",
        ):
            assert scored("DateArithmetic", task, text) == 1.0
        wrong_weekday = calendar.day_name[(calendar.weekday(year, month, day) + 1) % 7]
        assert (
            scored("DateArithmetic", task, f"{wrong_weekday}, {calendar.month_name[month]} {day}, {year}")
            == 0.0
        )


def test_calendar(tasks, scored):
    kinds = set()
    for task in tasks("CalendarQuestions", (1, 4, 7, 10)):
        kind = task.answer["kind"]
        kinds.add(kind)
        dates = [datetime.date.fromisoformat(text) for text in re.findall(r"\d{4}-\d\d-\d\d", task.prompt)]
        if kind == "days":
            days = abs((dates[1] - dates[0]).days)
            assert_only("CalendarQuestions", task, f"{days} days", str(days + 1), scored)
        elif kind == "weekday":
            names = calendar.day_name
            assert_only(
                "CalendarQuestions",
                task,
                names[dates[1].weekday()],
                names[(dates[1].weekday() + 1) % 7],
                scored,
            )
        else:
            rank, day, month, year = re.search(r"the (\w+) (\w+) of (\w+) (\d+)", task.prompt).groups()
            wanted = list(calendar.day_name).index(day)
            weeks = calendar.monthcalendar(int(year), list(calendar.month_name).index(month))
            days = [week[wanted] for week in weeks if week[wanted]]
            found = days[("first", "second", "third", "fourth").index(rank)]
            assert_only(
                "CalendarQuestions", task, f"{found} {month} {year}", f"{found + 1} {month} {year}", scored
            )
    assert len(kinds) == 3


def test_life(tasks, scored):
    for task in tasks("GameOfLife", (1, 5, 10)):
        board = rows(block(task))
        for _ in range(task.metadata["generations"]):
            alive = {(int(r), int(c)) for r, c in np.argwhere(board)}
            around = {
                (r, c): sum((r + i, c + j) in alive for i in (-1, 0, 1) for j in (-1, 0, 1))
                - ((r, c) in alive)
                for r, c in np.ndindex(board.shape)
            }
            board = np.array(
                [
                    [
                        int(around[r, c] == 3 or (around[r, c] == 2 and (r, c) in alive))
                        for c in range(len(board))
                    ]
                    for r in range(len(board))
                ]
            )
        mutated = board.copy()
        mutated[-1, 0] ^= 1
        assert_only("GameOfLife", task, grid(board), grid(mutated), scored)


def test_automata(tasks, scored):
    for task in tasks("CellularAutomaton", (1, 5, 10)):
        table = dict(re.findall(r"([01]{3}) -> ([01])", task.prompt))
        row, steps = re.search(r"row ([01]+) become after (\d+)", task.prompt).groups()
        for _ in range(int(steps)):
            row = "".join(table[row[i - 1] + row[i] + row[(i + 1) % len(row)]] for i in range(len(row)))
        flipped = ("0" if row[0] == "1" else "1") + row[1:]
        assert_only("CellularAutomaton", task, row, flipped, scored)


def test_matrices_are_turned(tasks, scored):
    turns = {
        "by 90 degrees clockwise": lambda m: np.rot90(m, -1),
        "by 90 degrees counterclockwise": np.rot90,
        "by 180 degrees": lambda m: np.rot90(m, 2),
        "transpose it": np.transpose,
        "left to right": np.fliplr,
        "top to bottom": np.flipud,
    }
    for task in tasks("MatrixRotation", (1, 4, 7, 10)):
        matrix = rows(block(task))
        for move in task.prompt.split("matrix and ")[1].split(":")[0].split(", then "):
            (turn,) = (turn for name, turn in turns.items() if move.endswith(name))
            matrix = turn(matrix)
        mutated = matrix.copy()
        mutated[0, 0] += 1
        assert_only("MatrixRotation", task, str(matrix.tolist()), str(mutated.tolist()), scored)


def test_spirals(tasks, scored):
    for task in tasks("SpiralMatrix", (1, 5, 8, 10)):
        matrix = rows(block(task))
        way = [(0, 1), (1, 0), (0, -1), (-1, 0)]
        if "counterclockwise" in task.prompt:
            way = [(1, 0), (0, 1), (-1, 0), (0, -1)]
        place, turn, seen = (0, 0), 0, [(0, 0)]
        while len(seen) < matrix.size:
            after = (place[0] + way[turn % 4][0], place[1] + way[turn % 4][1])
            inside = 0 <= after[0] < matrix.shape[0] and 0 <= after[1] < matrix.shape[1]
            if inside and after not in seen:
                place = after
                seen.append(after)
            else:
                turn += 1
        order = [int(matrix[p]) for p in seen][:: -1 if "reverse" in task.prompt else 1]
        assert_only("SpiralMatrix", task, str(order), str([order[0] + 1, *order[1:]]), scored)


def test_stack_programs(tasks, scored):
    for task in tasks("StackMachine", (1, 5, 10)):
        s = []
        for line in block(task, 2).splitlines():
            match line.split():
                case ["PUSH", number]:
                    s.append(int(number))
                case ["ADD"]:
                    s[-2:] = [s[-2] + s[-1]]
                case ["SUB"]:
                    s[-2:] = [s[-2] - s[-1]]
                case ["MUL"]:
                    s[-2:] = [s[-2] * s[-1]]
                case ["MAX"]:
                    s[-2:] = [max(s[-2:])]
                case ["SWAP"]:
                    s[-2:] = s[:-3:-1]
                case ["OVER"]:
                    s.append(s[-2])
                case ["ROT"]:
                    s.append(s.pop(-3))
                case ["DUP"]:
                    s.append(s[-1])
                case ["NEG"]:
                    s[-1] = -s[-1]
                case ["DROP"]:
                    s.pop()
                case _:
                    raise AssertionError(line)
        assert_only("StackMachine", task, str(s), str(s[:-1]), scored)


def test_turing_machines(tasks, scored):
    rule = re.compile(r"state (\w), read (\d): write (\d), move (\w), go to state (\w)")
    for task in tasks("TuringMachine", (1, 5, 10)):
        rules = {(a, b): rest for a, b, *rest in rule.findall(task.prompt)}
        tape = re.search(r"of the tape ([\d ]+)\.", task.prompt)[1].split()
        state, place = "A", 0
        for _ in range(int(re.search(r"exactly (\d+) steps", task.prompt)[1])):
            tape[place], move, state = rules[state, tape[place]]
            place = (place + {"R": 1, "L": -1}[move]) % len(tape)
        mutated = [str((int(tape[0]) + 1) % 3), *tape[1:]]
        assert_only("TuringMachine", task, " ".join(tape), "".join(mutated), scored)


def test_table_questions(tasks, scored):
    tied = 0
    for task in tasks("TableQuestion", (1, 3, 4, 8, 10), count=60):
        header, _, *lines = (line.strip("| ").split(" | ") for line in block(task, 0).splitlines())
        table = [dict(zip(header, line, strict=True)) for line in lines]
        question = block(task, 1)
        for column in ("town", "team"):
            if match := re.search(rf"the {column} (\w+)", question):
                table = [row for row in table if row[column] == match[1]]
        if match := re.search(r"at least (\d+)", question):
            table = [row for row in table if int(row["age"]) >= int(match[1])]
        points = [int(row["points"]) for row in table]
        if question.startswith("Who"):
            best = max(points) if "most" in question else min(points)
            right = {row["name"] for row in table if int(row["points"]) == best}
            tied += len(right) > 1
            for name in task.answer["names"]:
                assert scored("TableQuestion", task, f"**{name}**") == float(name in right)
        else:
            value = len(table) if "How many" in question else sum(points)
            assert_only("TableQuestion", task, str(value), str(value + 1), scored)
    assert tied


def test_character_codes(tasks, scored):
    for task in tasks("BaseConversionStrings", (1, 5, 10)):
        given = block(task).split("\n")[0]
        size, base = (8, 2) if "binary" in task.prompt else (2, 16)
        if task.prompt.startswith("Write"):
            digits = "".join(format(byte, "08b" if base == 2 else "02X") for byte in given.encode())
            assert_only("BaseConversionStrings", task, digits, "0" * size + digits, scored)
            prefix = "0x" if base == 16 else ""
            pieces = ", ".join(prefix + digits[i : i + size] for i in range(0, len(digits), size))
            assert scored("BaseConversionStrings", task, pieces) == 1.0
        else:
            text = bytes(int(code, base) for code in given.split()).decode()
            assert_only("BaseConversionStrings", task, text, text[:-1], scored)


def test_no_rule_agrees_with_the_examples_and_not_with_the_answer(tasks, scored):
    for task in tasks("ARC1D", (1, 5, 6, 10), count=4):
        examples = re.findall(r"([\d ]+) becomes ([\d ]+)", task.prompt)
        pairs = [(bytes(map(int, a.split())), bytes(map(int, b.split()))) for a, b in examples]
        given = bytes(map(int, re.search(r"make of ([\d ]+)\?", task.prompt)[1].split()))
        agreeing = set()
        for depth in (1, 2) if task.metadata["difficulty"] >= 6 else (1,):
            for rules in product(RULES.values(), repeat=depth):
                results = []
                for row in [*(a for a, _ in pairs), given]:
                    for rule in rules:
                        row = rule(row)
                    results.append(row)
                if results[:-1] == [b for _, b in pairs]:
                    agreeing.add(results[-1])
        (result,) = agreeing
        text = " ".join(map(str, result))
        assert_only("ARC1D", task, text, " ".join(map(str, [(result[0] + 1) % 5, *result[1:]])), scored)
