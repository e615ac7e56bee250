"""Strings, words and mazes: enumeration and Python's own engines against the verifiers."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice, pairwise, permutations, product

import networkx as nx
from proof import Proof, extended, replaced, shortened, some, swapped

LETTERS = "abcdefghijklmnopqrstuvwxyz"


# --- edit scripts ---


def distances(first, second):
    """Of every pair of suffixes."""
    table = {(i, len(second)): len(first) - i for i in range(len(first) + 1)}
    table |= {(len(first), j): len(second) - j for j in range(len(second) + 1)}
    for i in range(len(first) - 1, -1, -1):
        for j in range(len(second) - 1, -1, -1):
            change = table[i + 1, j + 1] + (first[i] != second[j])
            table[i, j] = min(change, table[i + 1, j] + 1, table[i, j + 1] + 1)
    return table


def edit_scripts(puzzle):
    """From left to right, so that everything before the place is done."""
    first, second = puzzle["first"], puzzle["second"]
    table = distances(first, second)

    def scripts(i, j):
        if (i, j) == (len(first), len(second)):
            yield []
            return
        left = table[i, j]
        if i < len(first) and j < len(second) and first[i] == second[j] and table[i + 1, j + 1] == left:
            yield from scripts(i + 1, j + 1)
        if i < len(first) and j < len(second) and table[i + 1, j + 1] + 1 == left:
            yield from ([("replace", j + 1, second[j]), *rest] for rest in scripts(i + 1, j + 1))
        if i < len(first) and table[i + 1, j] + 1 == left:
            yield from ([("delete", j + 1, ""), *rest] for rest in scripts(i + 1, j))
        if j < len(second) and table[i, j + 1] + 1 == left:
            yield from ([("insert", j + 1, second[j]), *rest] for rest in scripts(i, j + 1))

    return some(scripts(0, 0), 10)


def script_holds(puzzle, script):
    word = list(puzzle["first"])
    for kind, place, letter in script:
        if not 1 <= place <= len(word) + (kind == "insert"):
            return False
        if kind == "insert":
            word.insert(place - 1, letter)
        elif kind == "delete":
            del word[place - 1]
        else:
            word[place - 1] = letter
    return "".join(word) == puzzle["second"]


def write_script(script):
    forms = {"insert": "insert {2} at {1}", "delete": "delete {1}", "replace": "replace {1} with {2}"}
    return "; ".join(forms[edit[0]].format(*edit) for edit in script)


def script_mutations(puzzle, script):
    yield from shortened(script)
    yield from swapped(script)
    yield from extended(script, [("delete", 1, ""), ("insert", 1, "q"), ("replace", 1, "q")])
    for i, (kind, place, letter) in enumerate(script):
        yield [*script[:i], (kind, place + 1, letter), *script[i + 1 :]]
        if letter:
            yield [*script[:i], (kind, place, "q"), *script[i + 1 :]]


# --- derivations ---


def after_one_rule(text, rules):
    found = []
    for left, right in rules:
        for match in re.finditer(f"(?={left})", text):
            found.append(text[: match.start()] + right + text[match.start() + len(left) :])
    return found


def derivations(puzzle):
    """Backwards from the end, by the rules turned round."""
    turned = [(right, left) for left, right in puzzle["rules"]]

    def back(chain):
        if chain[0] == puzzle["start"]:
            yield chain
        elif len(chain) <= puzzle["steps"]:
            for text in after_one_rule(chain[0], turned):
                yield from back([text, *chain])

    return some(islice(back([puzzle["end"]]), 400), 400)[-10:]


def derivation_holds(puzzle, chain):
    ends = (chain[0], chain[-1]) == (puzzle["start"], puzzle["end"])
    steps = all(b in after_one_rule(a, puzzle["rules"]) for a, b in pairwise(chain))
    return ends and steps and len(chain) <= puzzle["steps"] + 1


def derivation_mutations(puzzle, chain):
    yield from shortened(chain)
    yield from swapped(chain)
    yield [*chain, chain[-1]]
    for i, text in enumerate(chain):
        yield [*chain[:i], text + "a", *chain[i + 1 :]]


# --- words ---


def matches(puzzle):
    """All words over the letters of the pattern, by Python's re."""
    pattern = pattern_of(puzzle)
    words = map("".join, product("abcd", repeat=puzzle["length"]))
    return some((word for word in words if re.fullmatch(pattern, word)), 12)


def pattern_of(puzzle):
    return "".join(f"(?:{'|'.join(options)}){times}" for options, times in puzzle["pieces"])


def match_holds(puzzle, word):
    return len(word) == puzzle["length"] and re.fullmatch(pattern_of(puzzle), word) is not None


def accepted(puzzle):
    """Letter by letter, b before a; half-words that lead to the same place once too often are left out."""
    count = sum(puzzle["counts"])
    level = {(0, 0): [""]}
    for _ in range(count):
        after: dict[tuple[int, int], list[str]] = {}
        for (state, used), words in level.items():
            for letter in (1, 0):
                key = (puzzle["moves"][state][letter], used + (letter == 0))
                after.setdefault(key, []).extend(word + "ab"[letter] for word in words)
        level = {key: words[:6] for key, words in after.items()}
    good = [
        w for (state, used), ws in level.items() if state in puzzle["accepting"] and used == puzzle["counts"][0]
        for w in ws
    ]  # fmt: skip
    return good


def acceptance_holds(puzzle, word):
    state = 0
    for letter in word:
        state = puzzle["moves"][state]["ab".index(letter)]
    return state in puzzle["accepting"] and [word.count("a"), word.count("b")] == puzzle["counts"]


def word_mutations(letters):
    def mutate(_, word):
        changed = [*swapped(word), *shortened(word), *replaced(word, letters), *extended(word, letters)]
        return ["".join(one) for one in changed if one]

    return mutate


def palindromes(puzzle):
    counts = Counter(puzzle["letters"])
    odd = [letter for letter, count in counts.items() if count % 2]
    if len(odd) > 1:
        return []
    half = [letter for letter, count in counts.items() for _ in range(count // 2)]
    halves = dict.fromkeys(islice(permutations(half), 200))
    return ["".join((*h, *odd, *reversed(h))) for h in halves][-12:]


def palindrome_holds(puzzle, word):
    return sorted(word) == sorted(puzzle["letters"]) and word == word[::-1]


def bracketings(puzzle):
    """Gap by gap, closing brackets first."""
    closes = dict(zip(")]}", "([{", strict=True))

    def fill(place, text, stack):
        if place == len(puzzle["pattern"]):
            if not stack:
                yield text
            return
        given = puzzle["pattern"][place]
        for bracket in ")]}([{" if given == "_" else given:
            if bracket not in closes:
                yield from fill(place + 1, text + bracket, [*stack, bracket])
            elif stack and stack[-1] == closes[bracket]:
                yield from fill(place + 1, text + bracket, stack[:-1])

    return some(fill(0, "", []), 12)


def bracketing_holds(puzzle, text):
    fits = len(text) == len(puzzle["pattern"]) and all(
        g in ("_", c) for g, c in zip(puzzle["pattern"], text, strict=True)
    )
    before = None
    while before != text:
        before = text
        text = text.replace("()", "").replace("[]", "").replace("{}", "")
    return fits and not text


# --- mazes ---

STEPS = {"R": (0, 1), "L": (0, -1), "D": (1, 0), "U": (-1, 0)}


def cells_of(maze):
    return {(r, c): cell for r, row in enumerate(maze) for c, cell in enumerate(row) if cell in ".SE"}


def routes(puzzle):
    cells = cells_of(puzzle["maze"])
    graph = nx.Graph()
    graph.add_nodes_from(cells)
    for r, c in cells:
        graph.add_edges_from(((r, c), near) for near in ((r + 1, c), (r, c + 1)) if near in cells)
    start, end = (next(place for place, cell in cells.items() if cell == mark) for mark in "SE")
    if not nx.has_path(graph, start, end):
        return []
    names = {step: name for name, step in STEPS.items()}
    paths = islice(nx.all_shortest_paths(graph, start, end), 12)
    return ["".join(names[b[0] - a[0], b[1] - a[1]] for a, b in pairwise(path)) for path in paths]


def route_holds(puzzle, moves):
    cells = cells_of(puzzle["maze"])
    r, c = next(place for place, cell in cells.items() if cell == "S")
    for move in moves:
        r, c = r + STEPS[move][0], c + STEPS[move][1]
        if (r, c) not in cells:
            return False
    return cells[r, c] == "E"


PROOFS = {
    "EditDistance": Proof(
        edit_scripts, script_holds, write_script, script_mutations, lambda p, s: len(s), difficulties=(2, 4, 7)
    ),
    "StringRewriting": Proof(
        derivations, derivation_holds, " -> ".join, derivation_mutations, difficulties=(1, 2, 3, 4)
    ),
    "RegexMatch": Proof(
        matches,
        match_holds,
        str,
        word_mutations("abcd"),
        impossible="impossible",
        difficulties=(1, 2),
    ),
    "AutomatonAcceptance": Proof(
        accepted, acceptance_holds, str, word_mutations("ab"), impossible="impossible", difficulties=(1, 4, 8)
    ),
    "Palindrome": Proof(
        palindromes, palindrome_holds, str, word_mutations("ae"), impossible="impossible", difficulties=(1, 4, 9)
    ),
    "BracketCompletion": Proof(
        bracketings,
        bracketing_holds,
        "".join,
        word_mutations("()[]{}"),
        impossible="impossible",
        difficulties=(2, 4, 6, 8),
    ),
    "PathInMaze": Proof(
        routes,
        route_holds,
        str,
        word_mutations("UDLR"),
        lambda p, s: len(s),
        "impossible",
        difficulties=(1, 5, 9),
        tasks=10,
    ),
}  # fmt: skip
