"""Tasks with several right answers, or none: every answer is tried, and judged by rules written again here."""

import re
from itertools import combinations, permutations, product

import pytest

import rlvr_gym


def tasks_of(name, difficulty, count=12, **settings):
    problem = rlvr_gym.load_problem(name, difficulty=difficulty, **settings)
    source = problem.source(11)
    return problem, problem.make_verifier(), [source[i] for i in range(count)]


def sat_answers(puzzle):
    """(answer, whether it is right) for every assignment."""
    for bits in product((0, 1), repeat=puzzle["variables"]):
        right = all(
            any((literal > 0) == bool(bits[abs(literal) - 1]) for literal in clause)
            for clause in puzzle["clauses"]
        )
        yield ", ".join(f"x{i}={bit}" for i, bit in enumerate(bits, 1)), right


def python_formula(formula):
    """The formula as a Python expression over a list v."""
    if isinstance(formula, int):
        return f"v[{formula}]"
    if formula[0] == "not":
        return f"(not {python_formula(formula[1])})"
    left, right = map(python_formula, formula[1:])
    signs = {
        "and": f"({left} and {right})",
        "or": f"({left} or {right})",
        "implies": f"((not {left}) or {right})",
    }
    return signs.get(formula[0]) or f"({left} {'==' if formula[0] == 'iff' else '!='} {right})"


def entailment_answers(puzzle):
    premises = [eval(f"lambda v: {python_formula(p)}") for p in puzzle["premises"]]
    conclusion = eval(f"lambda v: {python_formula(puzzle['conclusion'])}")
    for bits in product((False, True), repeat=puzzle["variables"]):
        right = all(p(bits) for p in premises) and not conclusion(bits)
        yield ", ".join(f"{name}={int(bit)}" for name, bit in zip("ABCDE", bits, strict=False)), right


def circuit_answers(puzzle):
    gates = {
        "AND": lambda a, b: a and b,
        "OR": lambda a, b: a or b,
        "XOR": lambda a, b: a != b,
        "NAND": lambda a, b: not (a and b),
        "NOR": lambda a, b: not (a or b),
    }
    for bits in product((False, True), repeat=puzzle["inputs"]):
        wires = list(bits)
        for name, a, b in puzzle["gates"]:
            wires.append(gates[name](wires[a], wires[b]))
        right = [int(w) for w in wires[-len(puzzle["wanted"]) :]] == puzzle["wanted"]
        yield ", ".join(f"{name}={int(bit)}" for name, bit in zip("abcdefgh", bits, strict=False)), right


def cryptarithm_answers(puzzle):
    first, second, total = puzzle["words"]
    letters = sorted(set(first + second + total))
    for digits in permutations(range(10), len(letters)):
        value = dict(zip(letters, digits, strict=True))
        numbers = [int("".join(str(value[c]) for c in word)) for word in puzzle["words"]]
        whole = all(len(word) == 1 or value[word[0]] for word in puzzle["words"])
        right = whole and numbers[0] + numbers[1] == numbers[2]
        yield ", ".join(f"{letter}={digit}" for letter, digit in value.items()), right


def scheduling_answers(puzzle):
    length, talks = puzzle["day_length"], puzzle["talks"]
    slots = [(day, number) for day in range(puzzle["days"]) for number in range(1, length + 1)]
    days = ["Mon", "Tue", "Wed"]
    for places in permutations(slots, len(talks)):
        where = dict(zip(talks, places, strict=True))
        right = all(
            obeyed(kind, where[talk], where.get(other), other, slots) for kind, talk, other in puzzle["rules"]
        )
        yield "\n".join(f"{talk}: {days[day]}{number}" for talk, (day, number) in where.items()), right


def obeyed(kind, a, b, other, slots):
    """Slots are (day, number); ``other`` is a talk, whose slot is ``b``, or a number."""
    if kind == "before":
        return a < b
    if kind == "next":
        return a[0] == b[0] and b[1] == a[1] + 1
    if kind in ("same_day", "other_day"):
        return (a[0] == b[0]) == (kind == "same_day")
    if kind == "same_time":
        return a[1] == b[1]
    if kind == "not_at":
        return a != slots[other]
    return (a[0] == other) == (kind == "on_day")


CASES = [
    ("SAT", 2, sat_answers, "unsatisfiable"),
    ("SAT", 6, sat_answers, "unsatisfiable"),
    ("Entailment", 4, entailment_answers, "entailed"),
    ("Entailment", 9, entailment_answers, "entailed"),
    ("Circuit", 4, circuit_answers, "impossible"),
    ("Circuit", 8, circuit_answers, "impossible"),
    ("Cryptarithm", 1, cryptarithm_answers, None),
    ("Cryptarithm", 2, cryptarithm_answers, None),
    ("ZebraScheduling", 1, scheduling_answers, "impossible"),
    ("ZebraScheduling", 3, scheduling_answers, "impossible"),
]


@pytest.mark.parametrize(("name", "difficulty", "answers", "nothing"), CASES)
def test_every_answer_is_judged_by_the_property(name, difficulty, answers, nothing):
    problem, verifier, tasks = tasks_of(name, difficulty)
    others, infeasible = 0, 0
    for task in tasks:
        judged = dict(answers(task.answer))
        right = [text for text, is_right in judged.items() if is_right]
        wrong = [text for text, is_right in judged.items() if not is_right]
        for text in right + wrong[:: max(1, len(wrong) // 60)]:
            verdict = verifier.verify(f"<answer>{text}</answer>", task)
            assert verdict.valid
            assert verdict.score == float(judged[text]), text
        if nothing is not None:
            assert verifier.verify(nothing, task).correct == (not right)
        infeasible += not right
        others += len(right) > 1
        assert verifier.verify(problem.answer_text(task), task).correct
    assert others, "no task had an answer beside the generator's"
    assert nothing is None or 0 < infeasible < len(tasks)


@pytest.mark.parametrize(
    ("name", "difficulty", "answers", "nothing"), [case for case in CASES if case[3] is not None]
)
def test_one_step_from_a_right_answer_is_right_only_if_it_obeys_the_rules(name, difficulty, answers, nothing):
    problem, verifier, tasks = tasks_of(name, difficulty)
    checked = 0
    for task in tasks:
        if task.answer["reference"] is None:
            continue
        right = {
            frozenset(text.replace(": ", "=").replace(", ", "\n").split("\n"))
            for text, ok in answers(task.answer)
            if ok
        }
        parts = problem.answer_text(task).replace(" = ", "=").replace(", ", "\n").split("\n")
        for i, part in enumerate(parts):
            name_of, _, value = part.partition("=")
            for other in {"0", "1", "Mon1", "Mon2", "Tue1"} - {value}:
                changed = [*parts[:i], f"{name_of}={other}", *parts[i + 1 :]]
                assert verifier.verify(", ".join(changed), task).correct == (frozenset(changed) in right)
                checked += 1
        missing = ", ".join(parts[1:])
        assert not verifier.verify(f"<answer>{missing}</answer>", task).correct
    assert checked > 20


def test_circuit_outputs_are_those_of_the_circuit():
    problem, verifier, tasks = tasks_of("CircuitEvaluation", 5)
    for task in tasks:
        count = len(task.answer["wanted"])
        answers = [
            ", ".join(f"out{i}={b}" for i, b in enumerate(bits, 1)) for bits in product((0, 1), repeat=count)
        ]
        right = [text for text in answers if verifier.verify(text, task).correct]
        assert right == [problem.answer_text(task)]
        bits = dict(zip("abcdefgh", task.answer["given"], strict=False))
        inputs = ", ".join(f"{name}={bit}" for name, bit in bits.items())
        assert inputs in task.prompt
        assert task.answer["wanted"] == right_outputs(task.answer)


def right_outputs(puzzle):
    given = ", ".join(f"{n}={b}" for n, b in zip("abcdefgh", puzzle["given"], strict=False))
    for wanted in product((0, 1), repeat=len(puzzle["wanted"])):
        if dict(circuit_answers({**puzzle, "wanted": list(wanted)}))[given]:
            return list(wanted)
    raise AssertionError


@pytest.mark.parametrize("difficulty", [1, 2])
def test_syllogisms_against_all_worlds(difficulty):
    """Three kinds: eight sorts of individuals, and so 255 worlds, each of them asked."""
    _, verifier, tasks = tasks_of("Syllogism", difficulty)
    for task in tasks:
        given, _, asked = task.prompt.partition("Which of these conclusions")
        premises = [
            line.partition(". ")[2] for line in given.splitlines() if line[:1] == "S" and line[1:2].isdigit()
        ]
        conclusions = [line.partition(". ")[2] for line in asked.splitlines() if line[:1].isdigit()]
        nouns = sorted(
            {w.strip(".") for text in premises for w in text.split()} - {"All", "No", "Some", "are", "not"}
        )
        nouns += sorted(
            {w.strip(".") for t in conclusions for w in t.split()}
            - {*nouns, "All", "No", "Some", "are", "not"}
        )
        sorts = [frozenset(s) for k in range(len(nouns) + 1) for s in combinations(nouns, k)]
        worlds = [w for k in range(1, len(sorts) + 1) for w in combinations(sorts, k)]
        models = [
            w
            for w in worlds
            if all(any(noun in s for s in w) for noun in nouns) and all(is_true(text, w) for text in premises)
        ]
        assert models
        must = [n for n, text in enumerate(conclusions, 1) if all(is_true(text, world) for world in models)]
        assert verifier.verify(", ".join(map(str, must)) or "none", task).correct


def is_true(sentence, world):
    words = sentence.rstrip(".").split()
    quantifier, first, second, negated = words[0], words[1], words[-1], "not" in words
    meeting = [second in sort for sort in world if first in sort]
    if quantifier == "All":
        return all(meeting)
    if quantifier == "No":
        return not any(meeting)
    return not all(meeting) if negated else any(meeting)


def test_equivalent_formulas_are_told_from_others_by_their_truth_tables():
    _, verifier, tasks = tasks_of("PropositionalEquivalence", 6)
    for task in tasks:
        asked = [line for line in task.prompt.splitlines() if line]
        formula = asked[1]
        candidates = [line.partition(". ")[2] for line in asked if line[:2].rstrip(".").isdigit()]
        tables = [python_table(text) for text in (formula, *candidates)]
        same = [n for n, table in enumerate(tables[1:], 1) if table == tables[0]]
        assert verifier.verify(", ".join(map(str, same)) or "none", task).correct


def python_table(text):
    """The truth table of a printed formula, read by a parser of its own."""
    tokens = re.findall(r"[A-D]|->|<->|[~&|^()]", text)
    return [
        evaluated(tokens.copy(), dict(zip("ABCD", bits, strict=True)))
        for bits in product((False, True), repeat=4)
    ]


def evaluated(tokens, values):
    """Eats one operand and, if an operator follows, the second one."""
    left = operand(tokens, values)
    if not tokens or tokens[0] == ")":
        return left
    sign, right = tokens.pop(0), operand(tokens, values)
    return {
        "&": left and right,
        "|": left or right,
        "->": right or not left,
        "<->": left == right,
        "^": left != right,
    }[sign]


def operand(tokens, values):
    token = tokens.pop(0)
    if token == "~":
        return not operand(tokens, values)
    if token == "(":
        value = evaluated(tokens, values)
        assert tokens.pop(0) == ")"
        return value
    return values[token]
