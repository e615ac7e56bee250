"""Selections, sequences and texts: brute force finds exactly the answers that score."""

from itertools import combinations, pairwise, permutations, product

import pytest


def subsets(items, least=1):
    return [chosen for size in range(least, len(items) + 1) for chosen in combinations(items, size)]


def best_of(values, pick):
    best = pick(values.values())
    return {text: value == best for text, value in values.items()}


def knapsacks(puzzle):
    items = puzzle["items"]
    worth = {}
    for chosen in subsets(items):
        if sum(items[name][0] for name in chosen) <= puzzle["capacity"]:
            worth[" ".join(chosen)] = sum(items[name][1] for name in chosen)
    return best_of(worth, max)


def subset_sums(puzzle):
    return {" + ".join(map(str, c)): sum(c) == puzzle["target"] for c in subsets(puzzle["numbers"])}


def packings(puzzle):
    sizes, found = puzzle["sizes"], {}
    for bins in product(range(3), repeat=len(sizes)):
        groups = [[s for s, b in zip(sizes, bins, strict=True) if b == number] for number in range(3)]
        groups = [group for group in groups if group]
        text = "\n".join(f"Bin {i}: {', '.join(map(str, g))}" for i, g in enumerate(groups, 1))
        if all(sum(group) <= puzzle["capacity"] for group in groups):
            found[text] = len(groups)
    return best_of(found, min)


def schedules(puzzle):
    pay = {}
    for chosen in subsets(puzzle["jobs"]):
        jobs = [puzzle["jobs"][name] for name in chosen]
        if all(a[1] <= b[0] or b[1] <= a[0] for a, b in combinations(jobs, 2)):
            pay[", ".join(chosen)] = sum(job[2] for job in jobs)
    return best_of(pay, max)


def rising(puzzle):
    chains = [c for c in subsets(puzzle["numbers"]) if all(a < b for a, b in pairwise(c))]
    return best_of({" < ".join(map(str, c)): len(c) for c in chains}, max)


def swap_sequences(puzzle):
    numbers = puzzle["numbers"]
    pairs = list(combinations(range(len(numbers)), 2))
    found = {}
    for size in range(1, 4):
        for swaps in product(pairs, repeat=size):
            row = list(numbers)
            for i, j in swaps:
                row[i], row[j] = row[j], row[i]
            if row == sorted(numbers):
                found[", ".join(f"({i + 1}, {j + 1})" for i, j in swaps)] = size
    return best_of(found, min)


def palindromes(puzzle):
    words = {"".join(order) for order in permutations(puzzle["letters"])}
    return {word: word == word[::-1] for word in words}


def balanced(text):
    while text:
        shorter = text.replace("()", "").replace("[]", "").replace("{}", "")
        if shorter == text:
            return False
        text = shorter
    return True


def fillings(puzzle):
    choices = ["()[]{}" if bracket == "_" else bracket for bracket in puzzle["pattern"]]
    return {"".join(row): balanced("".join(row)) for row in product(*choices)}


SOLVERS = {
    "Knapsack": (knapsacks, None, (1, 3, 5)),
    "SubsetSum": (subset_sums, "impossible", (1, 2, 3, 4)),
    "BinPacking": (packings, None, (1,)),
    "JobScheduling": (schedules, None, (1, 2, 3)),
    "LIS": (rising, None, (1, 2)),
    "Sorting": (swap_sequences, None, (1,)),
    "Palindrome": (palindromes, "impossible", (1,)),
    "BracketCompletion": (fillings, "impossible", (1, 2, 3)),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_exactly_the_answers_of_brute_force_score(name, tasks, agrees):
    solve, impossible, difficulties = SOLVERS[name]
    counts = [agrees(name, t, solve(t.answer), impossible) for t in tasks(name, difficulties, count=12)]
    assert max(counts) > 1
    assert (0 in counts) == (impossible is not None)


def edit_distance(first, second):
    """By the plain recursion."""
    if not first or not second:
        return len(first) + len(second)
    if first[0] == second[0]:
        return edit_distance(first[1:], second[1:])
    return 1 + min(
        edit_distance(first[1:], second),
        edit_distance(first, second[1:]),
        edit_distance(first[1:], second[1:]),
    )


def scripts(first, second, edits, prefix=()):
    """All scripts of a given length, by trying every edit at every place."""
    if edits == 0:
        if first == second:
            yield "; ".join(prefix)
        return
    letters = sorted(set(second))
    for place in range(1, len(first) + 2):
        rest = first[place - 1 :]
        options = [(f"insert '{x}' at position {place}", x + rest) for x in letters]
        if rest:
            options += [(f"Replace {place} by {x}", x + rest[1:]) for x in letters]
            options.append((f"delete {place}", rest[1:]))
        for text, changed in options:
            if changed != rest:
                yield from scripts(first[: place - 1] + changed, second, edits - 1, (*prefix, text))


def test_every_shortest_edit_script_scores_and_others_do_not(tasks, scored, reference):
    different = 0
    for task in tasks("EditDistance", (1, 2, 3, 4), count=6):
        first, second, distance = (task.answer[key] for key in ("first", "second", "distance"))
        assert distance == edit_distance(first, second)
        if distance <= 2:
            found = list(scripts(first, second, distance))
            different += len(found) > 1
            assert found
            assert all(scored("EditDistance", task, text) == 1.0 for text in found[:30])
        edits = reference("EditDistance", task).split("; ")
        idle = f"insert a at 1; delete 1; {'; '.join(edits)}"
        assert scored("EditDistance", task, idle) == 0.0
        for i in range(len(edits)):
            assert scored("EditDistance", task, "; ".join(edits[:i] + edits[i + 1 :]) or "nothing") == 0.0
    assert different


def test_sorted_words_have_one_order(tasks, scored, reference):
    for task in tasks("WordSorting", (1, 4, 8)):
        order = sorted(task.answer["words"], reverse="reverse" in task.prompt)
        assert scored("WordSorting", task, "\n".join(f"- {word.upper()}" for word in order)) == 1.0
        for i in range(len(order) - 1):
            swapped = [*order[:i], order[i + 1], order[i], *order[i + 2 :]]
            assert scored("WordSorting", task, ", ".join(swapped)) == 0.0
        assert scored("WordSorting", task, ", ".join(order[:-1])) == 0.0


def test_letters_are_counted(tasks, scored):
    for task in tasks("LetterCounting", (1, 5, 6, 10)):
        question, text = task.prompt.split("in this text?")
        letters = question.split("letter")[1].removeprefix("s").split("occur")[0].split(" and ")
        count = sum(text.split("\n\n")[1].split("\n")[0].count(letter.strip()) for letter in letters)
        assert scored("LetterCounting", task, str(count)) == 1.0
        assert scored("LetterCounting", task, str(count + 1)) == 0.0


def cipher_text(task):
    return task.prompt.split("\n\n")[1].split("\n")[0]


def test_caesar_by_trying_all_shifts(tasks, scored):
    for task in tasks("Caesar", (1, 5, 6, 10)):
        texts = [
            "".join(chr((ord(c) - 97 + s) % 26 + 97) if c.isalpha() else c for c in cipher_text(task))
            for s in range(26)
        ]
        assert [scored("Caesar", task, f"`{text.upper()}`") for text in texts].count(1.0) == 1


def test_vigenere_both_ways(tasks, scored):
    for task in tasks("Vigenere", (1, 5, 10)):
        key = task.prompt.split("The key is ")[-1].split(".")[0]
        sign = -1 if "Decipher" in task.prompt else 1
        place, found = 0, ""
        for letter in cipher_text(task):
            if letter == " ":
                found += " "
                continue
            found += chr((ord(letter) - 97 + sign * (ord(key[place % len(key)]) - 97)) % 26 + 97)
            place += 1
        assert scored("Vigenere", task, found) == 1.0
        assert scored("Vigenere", task, found[:-1] + "?") == 0.0


def test_run_lengths_both_ways(tasks, scored):
    for task in tasks("RunLength", (1, 5, 10)):
        given, found, digits = cipher_text(task), "", ""
        if "Decode" in task.prompt:
            for ch in given:
                found, digits = (found, digits + ch) if ch.isdigit() else (found + ch * int(digits), "")
        else:
            while given:
                rest = given.lstrip(given[0])
                found, given = f"{found}{len(given) - len(rest)}{given[0]}", rest
        assert scored("RunLength", task, found) == 1.0
        assert scored("RunLength", task, found + found[-1]) == 0.0


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("[3, 4], [5]", True),
        ("[[4, 3], [5]]", True),
        ("Bin 1: 3, 4\nBin 2: 5", True),
        ("3 4 | 5", True),
        ("(5) (3, 4)", True),
        ("[3, 4, 5]", False),
        ("[3], [4], [5]", False),
        ("[3, 4]", False),
        ("[3, 4], [5] and more", False),
        ("[3, 4], [5], []", False),
        ("[3, 4.5], [5]", False),
    ],
)
def test_how_groups_may_be_written(text, right, scored, tasks):
    task = tasks("BinPacking", (1,), 1)[0]
    task.answer.update(sizes=[5, 4, 3], capacity=8, bins=2)
    assert scored("BinPacking", task, text) == float(right)
