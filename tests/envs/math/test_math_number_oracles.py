"""Generated tasks against SymPy or brute force, which read nothing but the prompt."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction

import pytest
import sympy


def numbers(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"-?\d+", text)]


def between(text: str, start: str, end: str) -> str:
    return text.split(start, 1)[1].split(end, 1)[0]


def matrix(text: str) -> sympy.Matrix:
    return sympy.Matrix(
        [[sympy.Rational(x) for x in row.split(",")] for row in re.findall(r"\[([^\[\]]+)\]", text)]
    )


def test_fractions(tasks, sym):
    for task in tasks("Fractions"):
        assert sym(between(task.prompt, "Work out ", ".\n")) == sympy.Rational(task.answer)


def test_base_conversion(tasks):
    for task in tasks("BaseConversion"):
        digits, source, target = re.search(
            r"numeral (\w+) .* base (\d+)\. .* base (\d+)", task.prompt
        ).groups()
        assert int(digits, int(source)) == int(task.answer["digits"], int(target))


def test_gcd_lcm(tasks):
    for task in tasks("GcdLcm"):
        listed = numbers(between(task.prompt, " of ", "?"))
        combine = sympy.ilcm if "multiple" in task.prompt else sympy.igcd
        assert combine(*listed) == int(task.answer)


def test_prime_factorization(tasks):
    for task in tasks("PrimeFactorization"):
        found = sympy.factorint(numbers(task.prompt)[0])
        assert sorted(p for p, k in found.items() for _ in range(k)) == task.answer


def test_modular_inverse(tasks):
    for task in tasks("ModularInverse"):
        a, modulus = (int(n) for n in re.search(r"with (\d+) \* x .* modulo (\d+)", task.prompt).groups())
        assert sympy.mod_inverse(a, modulus) == task.answer["inverse"]


def test_chinese_remainder(tasks):
    from sympy.ntheory.modular import crt

    for task in tasks("ChineseRemainder"):
        pairs = re.findall(r"remainder (\d+) when divided by (\d+)", task.prompt)
        remainders, moduli = zip(*((int(r), int(m)) for r, m in pairs), strict=True)
        assert crt(moduli, remainders)[0] == task.answer["value"]


def test_divisors(tasks):
    for task in tasks("Divisors"):
        number = task.metadata["number"]
        assert str(number) in task.prompt
        step = numbers(between(task.prompt, "multiples of ", "?"))[0] if "multiples" in task.prompt else 1
        found = [d for d in sympy.divisors(number) if d % step == 0]
        assert int(task.answer) == (sum(found) if "sum" in task.prompt else len(found))


def test_linear_equation(tasks, sym):
    for task in tasks("LinearEquation"):
        left, right = between(task.prompt, "Solve for x: ", "\n").split("=")
        assert sympy.solve(sym(left) - sym(right)) == [sympy.Rational(task.answer)]


def test_linear_system(tasks, sym):
    kinds = set()
    for task in tasks("LinearSystem", (2, 5, 9), 8):
        lines = [line for line in task.prompt.split("\n") if re.fullmatch(r"[-+\dxyzw ]+= -?\d+", line)]
        unknowns = sympy.symbols("x y z w")[: len(lines)]
        solutions = sympy.linsolve(
            [sym(a) - sym(b) for a, b in (line.split("=") for line in lines)], *unknowns
        )
        free = {"none": None, "one": False, "many": True}[task.answer["kind"]]
        assert (solutions == sympy.S.EmptySet) == (free is None)
        if free is not None:
            assert any(value.free_symbols for value in next(iter(solutions))) == free
        kinds.add(task.answer["kind"])
    assert kinds == {"none", "one", "many"}


def test_polynomial_roots(tasks, sym):
    for task in tasks("PolynomialRoots"):
        found = sympy.roots(sym(between(task.prompt, "All roots of ", " are")))
        assert sorted(r for r, k in found.items() for _ in range(k)) == sorted(
            map(sympy.Rational, task.answer.split(", "))
        )


def test_sequence(tasks, sym):
    """The rule is applied by substitution into the text of the prompt."""
    for task in tasks("Sequence", (1, 3, 6, 10), 8):
        rule = between(task.prompt, "given by ", ". Find")
        terms = {int(n): int(v) for n, v in re.findall(r"a\((\d+)\) = (-?\d+)", rule)}
        last = max(numbers(between(task.prompt, "Find ", ".\n")))
        formulas = re.findall(r"a\(n\) = (.+?)(?: if |,| for | and )", rule + ",")
        for n in range(max(terms) + 1, last + 1):
            formula = formulas[0]
            if "even" in rule:
                formula = (
                    formulas[0]
                    if terms[n - 1] % 2 == 0
                    else re.search(r"and a\(n\) = (.+?) if it is odd", rule)[1]
                )
            text = re.sub(r"(\d?)a\(n-(\d)\)", lambda m: f"{m[1] or 1}*({terms[n - int(m[2])]})", formula)  # noqa: B023
            terms[n] = int(sym(re.sub(r"(\d?)n", lambda m: f"{m[1] or 1}*({n})", text)))  # noqa: B023
        expected = sum(terms.values()) if "the sum" in task.prompt else terms[last]
        assert int(task.answer) == expected, task.prompt


def test_dice(tasks):
    for task in tasks("DiceProbability", (1, 3, 5, 7), 6):
        faces = numbers(between(task.prompt, "dice with ", " faces"))
        event = between(task.prompt, "probability that ", "?")
        value = numbers(event)[0]
        rolls = list(itertools.product(*(range(1, n + 1) for n in faces)))
        if event.startswith("their sum is at least"):
            good = [sum(roll) >= value for roll in rolls]
        elif event.startswith("their sum is"):
            good = [sum(roll) == value for roll in rolls]
        elif event.startswith("the highest"):
            good = [max(roll) == value for roll in rolls]
        else:
            good = [value in roll for roll in rolls]
        assert Fraction(sum(good), len(rolls)) == Fraction(task.answer)


def test_urns(tasks):
    for task in tasks("UrnProbability", (1, 4, 6), 8):
        urn = re.findall(r"(\d+) (\w+)", between(task.prompt, "balls: ", "."))
        balls = [colour for n, colour in urn for _ in range(int(n))]
        drawn = int(re.search(r"\. (\d) balls are drawn", task.prompt)[1])
        event = between(task.prompt, "probability that ", "?")
        colour = event.split()[-1]
        hands = list(itertools.combinations(balls, drawn))
        if event.startswith("exactly"):
            good = [hand.count(colour) == int(event.split()[1]) for hand in hands]
        elif event.startswith("at least one"):
            good = [colour in hand for hand in hands]
        else:
            good = [len(set(hand)) == (1 if event.startswith("all") else 2) for hand in hands]
        assert Fraction(sum(good), len(hands)) == Fraction(task.answer), task.prompt


def _brute_force(question: str) -> int | None:
    if "the letters" in question:
        word = between(question, "the letters ", " be")
        rows = set(itertools.permutations(word))
        block = "A" * word.count("A")
        return len([r for r in rows if "such that" not in question or block not in "".join(r)])
    if "committee" in question:
        women, men, chosen = numbers(question)[:3]
        least = numbers(question)[3] if "at least" in question else 0
        people = ["w"] * women + ["m"] * men
        return sum(hand.count("w") >= least for hand in itertools.combinations(people, chosen))
    if "path" in question:
        points = [tuple(map(int, p)) for p in re.findall(r"\((\d+), (\d+)\)", question)]
        banned = points[2] if len(points) > 2 else None
        ways = {(0, 0): 1}
        for x, y in itertools.product(range(points[1][0] + 1), range(points[1][1] + 1)):
            if (x, y) != (0, 0):
                ways[x, y] = 0 if (x, y) == banned else ways.get((x - 1, y), 0) + ways.get((x, y - 1), 0)
        return ways[points[1]]
    if "identical balls" in question:
        balls, boxes = numbers(question)[:2]
        least = numbers(question)[2] if "at least" in question else 0
        rows = itertools.product(range(least, balls + 1), repeat=boxes - 1)
        return sum(balls - sum(row) >= least for row in rows)
    if "digit" in question:
        length = numbers(question)[0] if numbers(question)[0] > 0 else -numbers(question)[0]
        if length > 5:
            return None
        texts = [str(n) for n in range(10 ** (length - 1), 10**length)]
        if "repeated" in question:
            return sum(len(set(t)) == length for t in texts)
        digit = re.search(r"the digit (\d)", question)[1]
        wanted = 1 if "once" in question else int(re.search(r"exactly (\d+) times", question)[1])
        return sum(t.count(digit) == wanted for t in texts)
    people = numbers(question)[0]
    if people > 8:
        return None
    friends = set(range(numbers(question)[1])) if "friends" in question else set()
    total = 0
    for rest in itertools.permutations(range(1, people)):
        circle = [0, *rest]
        doubled = circle + circle
        together = any(set(doubled[i : i + len(friends)]) == friends for i in range(people))
        total += not (friends and together)
    return total


def test_combinatorics_by_enumeration(tasks):
    checked = 0
    for task in tasks("Combinatorics", (1, 2, 3, 4, 5), 16):
        expected = _brute_force(task.prompt.split("\nThink")[0])
        if expected is not None:
            assert expected == int(task.answer), task.prompt
            checked += 1
    assert checked > 60


def test_polygon_area(tasks):
    for task in tasks("PolygonArea"):
        corners = [tuple(map(int, p)) for p in re.findall(r"\((-?\d+), (-?\d+)\)", task.prompt)]
        polygon = sympy.Polygon(*corners)  # a polygon that crosses itself raises
        assert abs(polygon.area) == sympy.Rational(task.answer)


def test_coordinate_geometry(tasks, sym):
    for task in tasks("CoordinateGeometry", range(1, 11), 3):
        question = task.prompt.split("\nThink")[0]
        points = [sympy.Point(*map(int, p)) for p in re.findall(r"\((-?\d+), (-?\d+)\)", question)]
        lines = []
        for left, right in re.findall(r"(-?\d*x [+-] \d*y|-?\d*x [+-] y) = (-?\d+)", question):
            lines.append(sympy.Line(sym(f"{left} - ({right})"), x="x", y="y"))
        if "segment" in question:
            m, n = numbers(question.split(" = ")[1])
            found = points[0] + (points[1] - points[0]) * sympy.Rational(m, m + n)
        elif "centroid" in question:
            found = (
                sympy.Triangle(*points).centroid
                if not sympy.Point.is_collinear(*points)
                else sum(points[1:], points[0]) / 3
            )
        elif "meet" in question:
            found = lines[0].intersection(lines[1])[0]
        elif "foot" in question:
            found = lines[0].projection(points[0])
        elif "mirror" in question:
            found = points[0].reflect(lines[0])
        else:
            found = sympy.Circle(*points).center
        assert f"({found.x}, {found.y})" == task.answer, question


def test_unit_conversion(tasks, sym):
    from sympy.physics import units as u

    known = {"mg": u.milligram, "g": u.gram, "kg": u.kilogram, "t": 1000 * u.kilogram, "mm": u.millimeter}
    known |= {
        "cm": u.centimeter,
        "dm": u.decimeter,
        "m": u.meter,
        "km": u.kilometer,
        "in": u.inch,
        "ft": u.foot,
    }
    known |= {"mi": u.mile, "s": u.second, "min": u.minute, "h": u.hour, "d": u.day}

    def unit(text):
        result = sympy.Integer(1)
        for sign, name, exponent in re.findall(r"([*/]?)([a-z]+)\^?(\d?)", text):
            result *= known[name] ** (int(exponent or 1) * (-1 if sign == "/" else 1))
        return u.convert_to(result, [u.kilogram, u.meter, u.second])

    for task in tasks("UnitConversion", (2, 4, 6, 8, 10), 8):
        value, source, target = re.search(r"Convert ([\d.]+) (\S+) to (\S+)\.(?:\s|$)", task.prompt).groups()
        ratio = sympy.nsimplify(unit(source) / unit(target), rational=True)
        if "dimension" in task.answer:
            assert not ratio.is_number
        else:
            assert sympy.Rational(value) * ratio == sympy.Rational(task.answer["value"])


def _solve_story(text: str) -> int:
    """The story as equations, solved at once; then the events in order; then the question."""
    count, equations = {}, []

    def amount(name):
        return count.setdefault(name, sympy.Symbol(name))

    times = {"twice": 2, "three times": 3, "four times": 4, "five times": 5}
    sentences = re.split(r"(?<=[.?]) ", text)
    events = []
    for s in sentences:
        if m := re.fullmatch(r"(\w+) has (\d+) more \w+ than (\w+)\.", s):
            equations.append(amount(m[1]) - amount(m[3]) - int(m[2]))
        elif m := re.fullmatch(r"(\w+) has (\d+) fewer \w+ than (\w+)\.", s):
            equations.append(amount(m[1]) - amount(m[3]) + int(m[2]))
        elif m := re.fullmatch(r"If (\w+) gave away (\d+) \w+, \w+ would have as many as (\w+)\.", s):
            equations.append(amount(m[1]) - int(m[2]) - amount(m[3]))
        elif m := re.fullmatch(r"(\w+) would need (\d+) more \w+ to have as many as (\w+)\.", s):
            equations.append(amount(m[1]) + int(m[2]) - amount(m[3]))
        elif m := re.fullmatch(r"(\w+) has (twice|\w+ times) as many \w+ as (\w+)\.", s):
            equations.append(amount(m[1]) - times[m[2]] * amount(m[3]))
        elif m := re.fullmatch(r"For every one that (\w+) has, (\w+) has (\d+) \w+\.", s):
            equations.append(amount(m[2]) - int(m[3]) * amount(m[1]))
        elif m := re.fullmatch(r"(\w+) has as many \w+ as (\w+) and (\w+) together\.", s):
            equations.append(amount(m[1]) - amount(m[2]) - amount(m[3]))
        elif m := re.fullmatch(r"(\w+) has (\d+) \w+\.|In a box of (\w+) there are (\d+) \w+\.", s):
            equations.append(amount(m[1] or m[3]) - int(m[2] or m[4]))
        elif s.startswith("Then"):
            events.append(s)
    (values,) = [{str(k): int(v) for k, v in sympy.solve(equations, dict=True)[0].items()}]
    for s in events:
        if m := re.fullmatch(r"Then (\w+) gives (\d+) \w+ to (\w+)\.", s):
            values[m[1]] -= int(m[2])
            values[m[3]] += int(m[2])
        elif m := re.fullmatch(r"Then (\w+) buys (\d+) packs of (\d+) \w+\.", s):
            values[m[1]] += int(m[2]) * int(m[3])
    if m := re.search(r"do (\w+) and (\w+) have together now", text):
        return values[m[1]] + values[m[2]]
    if m := re.search(r"(\w+) sells all of them for (\d+) cents", text):
        return values[m[1]] * int(m[2])
    m = re.search(r"(\w+) packs all of them into bags that hold (\d+)", text)
    return -(-values[m[1]] // int(m[2]))


def test_word_problems_as_equations(tasks):
    for task in tasks("WordProblem", range(1, 11), 4):
        assert _solve_story(task.prompt.split("\nThink")[0]) == int(task.answer), task.prompt


def test_matrices(tasks):
    for task in tasks("MatrixProduct"):
        a, b = (matrix(part) for part in between(task.prompt, "A = ", ".\n").split(" and B = "))
        assert a * b == matrix(task.answer)
    for task in tasks("Determinant"):
        assert matrix(between(task.prompt, "of ", "?")).det() == int(task.answer)
    for task in tasks("MatrixInverse"):
        assert matrix(between(task.prompt, "matrix ", ".\n")).inv() == matrix(task.answer)
    for task in tasks("MatrixRank", (1, 5, 10)):
        assert matrix(between(task.prompt, "matrix ", "?")).rank() == int(task.answer)
    for task in tasks("Eigenvalues"):
        found = matrix(between(task.prompt, "A = ", " are")).eigenvals()
        assert sorted(v for v, k in found.items() for _ in range(k)) == sorted(
            map(int, task.answer.split(", "))
        )


def test_null_space_of_sympy_is_accepted(tasks, score):
    for task in tasks("NullSpace"):
        basis = matrix(between(task.prompt, "A = ", ". Any")).nullspace()
        assert len(basis) == task.answer["nullity"]
        assert (
            score("null_space", task.answer, str([list(map(str, 3 * v)) for v in basis]).replace("'", ""))
            == 1.0
        )


def test_series_coefficient(tasks, sym):
    for task in tasks("SeriesCoefficient", (1, 4, 7, 9), 3):
        n, function = re.search(
            r"coefficient of x\^(\d+) in the power series of (.*) at x = 0", task.prompt
        ).groups()
        x = sympy.Symbol("x")
        series = sym(function).series(x, 0, int(n) + 1).removeO()
        assert series.coeff(x, int(n)) == sympy.Rational(task.answer), function


def test_parity(tasks):
    for task in tasks("BitParity"):
        ones = re.search(r"ones in ([01]+)", task.prompt)[1].count("1")
        assert task.answer == ("odd" if ones % 2 else "even")


def test_rare_demonstrations():
    from rlvr_gym.registration import load_problem

    source = load_problem("BitParity", worked=0.1, prompt="terse", bits=20).source(0)
    worked = [source[i].solution is not None for i in range(300)]
    assert 10 <= sum(worked) <= 60
    assert source[0].prompt.endswith("=")
    assert len(source[0].prompt) == 21


@pytest.mark.parametrize("name", ["ModularInverse", "ChineseRemainder"])
def test_no_constant_is_a_solution(name, tasks, score):
    verifier = {"ModularInverse": "modular_inverse", "ChineseRemainder": "congruences"}[name]
    for task in tasks(name, range(1, 11), 10):
        assert score(verifier, task.answer, "0") == score(verifier, task.answer, "1") == 0.0


def test_counting_multiples(tasks):
    for task in tasks("CountingMultiples", (1, 3, 6, 9), 8):
        bound, kind, listed = re.search(
            r"to (\d+) are divisible by (.*) of the numbers (.*)\?", task.prompt
        ).groups()
        hits = [sum(n % d == 0 for d in numbers(listed)) for n in range(1, int(bound) + 1)]
        wanted = {"at least one": sum(map(bool, hits)), "none": hits.count(0), "exactly one": hits.count(1)}
        assert int(task.answer) == wanted[kind]
