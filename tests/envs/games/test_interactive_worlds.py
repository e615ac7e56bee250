"""Dice, questions, houses, machines and floors: oracles against everything that can happen, and what is told."""

import itertools
import re
from collections import Counter, deque
from fractions import Fraction
from functools import cache
from itertools import islice, product

import numpy as np
import pytest

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.task import Task
from rlvr_gym.testing import play_oracle
from rlvr_gym.testing.subject import act, begin


def play(problem, task, actions):
    """The last reply, and the state, after these actions."""
    state = problem.start(task)
    replies = [problem.reply(task, state, f"<answer>{action}</answer>") for action in actions]
    return replies[-1], state


def changed(task, **answer):
    return Task(task.prompt, {**task.answer, **answer}, task.id, task.metadata)


# --- dice ---


def dice_value(answer):
    """Exact expected points by (points, rolled) -> {choice: value}, by recursion over what is still to come."""
    most, rolls = answer["most"], answer["rolls"]

    @cache
    def values(points, rolled):
        paid = max(0, points + (answer["bonus"] if points == most else 0) - answer["fee"] * rolled)
        choices = {"stop": Fraction(paid)}
        for sides in answer["dice"] if rolled < rolls else ():
            after = [points + face for face in range(1, sides + 1)]
            choices[f"roll {sides}"] = Fraction(
                sum(max(values(p, rolled + 1).values()) for p in after if p <= most), sides
            )
        return choices

    return values


@pytest.mark.parametrize("difficulty", [1, 3, 5, 8])
def test_exactly_the_best_decisions_count(difficulty):
    problem = load_problem("DiceGame", difficulty=difficulty)
    for task in islice(problem.source(0), 6):
        values = dice_value(task.answer)
        assert abs(float(max(values(0, 0).values())) - task.metadata["expected"]) < 1e-5
        rng = np.random.default_rng(0)
        for _ in range(12):
            lucky = changed(task, luck=rng.integers(2**32, size=task.answer["rolls"]).tolist())
            episode, optimal, lost = begin(problem, lucky), True, Fraction(0)
            while not episode.done:
                choices = values(episode.state.points, episode.state.rolled)
                best = max(choices.values())
                good = [name for name, value in choices.items() if value == best]
                name = good[-1] if rng.random() < 0.8 else sorted(choices)[int(rng.integers(len(choices)))]
                lost += best - choices[name]
                optimal &= name in good
                act(problem, episode, f"<answer>{name}</answer>")
            assert episode.verdict.correct == optimal == (lost == 0)
            expected = max(Fraction(0), 1 - lost / max(values(0, 0).values()))
            assert abs(episode.verdict.score - float(expected)) < 1e-6


@pytest.mark.parametrize("choice", ["stop", "roll", "roll 6", "Roll d6!", "ROLL 6."])
def test_equally_good_decisions_all_count(choice):
    """With 5 points, one roll left and a limit of 9, rolling earns (6 + 7 + 8 + 9) / 6 = 5 in the mean, too."""
    problem = load_problem("DiceGame", difficulty=1)
    luck = [(4 * 2**32 + 2**31) // 6, 0]
    task = changed(problem.source(0)[0], dice=[6], most=9, rolls=2, fee=0, bonus=0, luck=luck)
    assert dice_value(task.answer)(5, 1) == {"stop": 5, "roll 6": 5}
    reply, state = play(problem, task, ["roll", choice])
    assert (state.points, reply.verdict.score) == (5 + (choice != "stop"), 1.0)


def test_the_mean_score_is_the_share_of_the_expected_points():
    """Over all faces, for a policy that errs: without the limit at 0, regrets add up to exactly what it loses."""
    problem = load_problem("DiceGame", difficulty=1)
    task = problem.source(1)[0]
    (sides,), rolls, most = task.answer["dice"], task.answer["rolls"], task.answer["most"]
    best = max(dice_value(task.answer)(0, 0).values())
    regrets, points = [], []
    for faces in product(range(1, sides + 1), repeat=rolls):
        luck = [((face - 1) * 2**32 + 2**31) // sides for face in faces]
        episode = begin(problem, changed(task, luck=luck))
        while not episode.done:  # stops too early
            act(problem, episode, "roll" if episode.state.points < most // 3 else "stop")
        regrets.append(episode.verdict.details["regret"])
        points.append(episode.verdict.details["points"])
    earned = np.mean([p if p <= most else 0 for p in points])
    assert np.mean(regrets) > 0.01
    assert abs(float(best) - np.mean(regrets) - earned) < 1e-5


def test_dice_are_fair_and_nothing_of_them_is_told():
    problem = load_problem("DiceGame", difficulty=2)
    faces = Counter()
    for task in islice(problem.source(0), 600):
        other = changed(task, luck=[0] * task.answer["rolls"])
        assert problem.start(task) == problem.start(other)
        reply, _ = play(problem, task, ["roll"])
        if task.answer["dice"] == [6]:
            faces[int(re.search(r"shows (\d+)", reply.text)[1])] += 1
    assert set(faces) == set(range(1, 7))
    assert max(faces.values()) < 2 * min(faces.values())


@pytest.mark.parametrize(
    "text", ["", "roll 7", "roll 3.5", "stop roll", "roll d", "rolls", "roll -6", "halt"]
)
def test_what_is_no_decision(text):
    problem = load_problem("DiceGame", difficulty=10)
    task = changed(problem.source(0)[0], dice=[4, 6])
    reply, state = play(problem, task, [text])
    assert reply.metrics == {"illegal_moves": 1.0}
    assert state == problem.start(task)


# --- questions ---


@pytest.mark.parametrize("difficulty", [1, 4, 10])
def test_every_being_is_found_within_the_limit(difficulty):
    problem = load_problem("TwentyQuestions", difficulty=difficulty, spare=0)
    for task in islice(problem.source(0), 3):
        turns = []
        for secret in task.answer["table"]:
            episode = play_oracle(problem, changed(task, secret=secret))
            assert episode.verdict.correct
            turns.append(episode.turns)
        assert max(turns) == task.metadata["turns"]  # tight, and the same for every secret
        assert abs(np.mean(turns) - task.metadata["hardness"]) < 1e-3


def test_answers_are_true_and_the_prompt_holds_the_whole_table():
    problem = load_problem("TwentyQuestions", difficulty=6)
    for task in islice(problem.source(1), 5):
        lines = dict(re.findall(r"^([A-Z]\w+): (.*)$", task.prompt, re.MULTILINE))
        assert {name: sorted(has) for name, has in task.answer["table"].items()} == {
            name: sorted(has.split(", ")) if has != "nothing" else [] for name, has in lines.items()
        }
        assert len({tuple(sorted(has)) for has in task.answer["table"].values()}) == len(lines)
        for what in task.metadata["properties"]:
            has = what in task.answer["table"][task.answer["secret"]]
            reply, _ = play(problem, task, [f"Ask {what}?"])
            assert reply.text == f"{what.capitalize()}: {'yes' if has else 'no'}."


def test_names_and_what_is_neither():
    problem = load_problem("TwentyQuestions")
    task = problem.source(0)[0]
    secret = task.answer["secret"]
    for name in task.answer["table"]:
        for text in (f"guess {name}", f"Guess: {name.upper()}."):
            reply, _ = play(problem, task, [text])
            assert reply.verdict.correct == (name == secret)
    for text in (
        secret,
        "ask",
        "guess",
        f"ask {secret}",
        f"guess {secret} {secret}",
        "guess Nobody",
        "ask a halo",
    ):
        reply, state = play(problem, task, [text])
        assert (reply.verdict, reply.metrics, state) == (None, {"illegal_moves": 1.0}, [])


# --- the house ---


def test_houses_are_consistent_and_need_their_keys():
    for difficulty in (1, 3, 6, 10):
        for task in islice(load_problem("TextMaze", difficulty=difficulty).source(0), 10):
            exits, locks, things = (task.answer[name] for name in ("exits", "locks", "things"))
            back = {"north": "south", "east": "west", "up": "down"}
            back |= {b: a for a, b in back.items()}
            for room, ways in exits.items():
                for direction, other in ways.items():
                    assert exits[other][back[direction]] == room
                    assert locks[other].get(back[direction]) == locks[room].get(direction)

            def reach(keys, exits=exits, locks=locks, start=task.answer["start"]):
                seen, queue = {start}, deque([start])
                while queue:
                    room = queue.popleft()
                    for direction, other in exits[room].items():
                        if locks[room].get(direction) in {None, *keys} and other not in seen:
                            seen.add(other)
                            queue.append(other)
                return seen

            metals = {metal for ways in locks.values() for metal in ways.values()}
            assert len(metals) == task.metadata["doors"]
            assert reach(metals) == set(exits)
            for metal in metals:  # each key is needed, and the key of each door lies before it
                assert task.answer["goal"] not in reach(metals - {metal})
                assert any(f"{metal} key" in things[room] for room in reach(metals - {metal}))


def test_only_the_room_is_described():
    problem = load_problem("TextMaze", difficulty=8)
    for task in islice(problem.source(0), 10):
        start, goal = task.answer["start"], task.answer["goal"]
        named = {room for room in task.answer["exits"] if room in task.prompt}
        assert named == {start, goal}
        episode = begin(problem, task)
        seen = {start}
        while not episode.done:
            act(problem, episode, problem.oracle(task, episode.state))
            here = episode.state.seen.here
            seen.add(here)
            named = {room for room in task.answer["exits"] if room in episode.messages[-1]["content"]}
            assert named <= {here}
            kept = {
                what for what in itertools.chain(*episode.state.house.things.values()) if what.endswith("key")
            }
            assert len(kept) + len(episode.state.seen.keys) == task.metadata["doors"]
        assert set(episode.state.seen.exits) <= seen


def test_the_oracle_decides_by_what_was_described():
    """Rooms that were never entered may be anything."""
    problem = load_problem("TextMaze", difficulty=5)
    for task in islice(problem.source(0), 5):
        episode = begin(problem, task)
        for _ in range(4):
            known = set(episode.state.seen.exits)
            hidden = {room: ways if room in known else {} for room, ways in task.answer["exits"].items()}
            action = problem.oracle(changed(task, exits=hidden, goal="nowhere"), episode.state)
            assert action == problem.oracle(task, episode.state)
            if not episode.done:
                act(problem, episode, action)


def test_actions_in_the_house():
    problem = load_problem("TextMaze")
    task = problem.source(0)[0]
    task = Task(
        task.prompt,
        {
            "exits": {"a": {"north": "b", "up": "c"}, "b": {"south": "a"}, "c": {"down": "a"}},
            "locks": {"a": {"north": "iron"}, "b": {"south": "iron"}, "c": {}},
            "things": {"a": ["coin"], "b": [], "c": ["iron key"]},
            "start": "a",
            "goal": "b",
        },
        metadata=task.metadata,
    )
    for text in (
        "north",
        "go",
        "go sideways",
        "take",
        "take iron key",
        "go north",
        "go up up",
        "open door",
        "",
    ):
        reply, state = play(problem, task, [text])
        assert reply.metrics == {"illegal_moves": 1.0}
        assert state.seen.here == "a"
    assert play(problem, task, ["Go UP.", "take the iron key", "go d", "go n"])[0].verdict.correct
    assert play(problem, task, ["go up", "go down", "go north"])[0].metrics == {"illegal_moves": 1.0}
    assert play(problem, task, ["take coin", "take coin"])[0].metrics == {"illegal_moves": 1.0}


# --- machines ---


def test_payments_do_not_depend_on_the_order_of_pulls():
    problem = load_problem("Bandit", difficulty=4)
    task = problem.source(0)[0]
    one, first = play(problem, task, ["pull A 3", "pull B 2", "pull A"])
    two, second = play(problem, task, ["pull B", "pull A 4", "pull b 1 times"])
    assert first.paid == second.paid
    averages, spread = task.answer["averages"], task.answer["spread"]
    assert all(abs(pay - averages[0]) <= spread for pay in first.paid["A"])
    assert (one.metrics, two.metrics) == ({"pulls": 1.0}, {"pulls": 1.0})


@pytest.mark.parametrize("difficulty", [1, 5, 10])
def test_the_best_machine_is_the_best_by_the_stated_gap(difficulty):
    for task in islice(load_problem("Bandit", difficulty=difficulty).source(0), 40):
        averages = dict(zip("ABCDEFGHIJ", task.answer["averages"], strict=False))
        gap = int(re.search(r"by at least (\d+)", task.prompt)[1])
        second, first = sorted(averages.values())[-2:]
        assert averages[task.answer["best"]] == first >= second + gap
        assert not any(
            str(average) in re.findall(r"\d+", task.prompt) for average in averages.values() if average > 100
        )


def test_naming_and_budget():
    problem = load_problem("Bandit", difficulty=2)
    task = problem.source(0)[0]
    for name in "ABC":
        for text in (f"name {name}", f"Name: {name.lower()}", f"name machine {name}"):
            assert play(problem, task, [text])[0].verdict.correct == (name == task.answer["best"])
    for text in (
        "pull D 3",
        "pull A 0",
        "pull A 11",
        "pull A -1",
        "pull",
        "name",
        "name A B",
        "A",
        "pull A 2 3",
        "name Z",
    ):
        assert play(problem, task, [text])[0].metrics == {"illegal_moves": 1.0}, text
    reply, state = play(problem, task, ["pull A 10", "pull A 10", "pull B 9", "pull C 2"])
    assert reply.metrics == {"illegal_moves": 1.0}
    assert (state.pulls, len(state.paid["C"])) == (29, 0)


def test_the_place_of_the_best_machine_says_nothing():
    best = Counter(t.answer["best"] for t in islice(load_problem("Bandit", difficulty=3).source(0), 300))
    assert set(best) == set("ABCD")
    assert max(best.values()) < 2 * min(best.values())


# --- floors ---

STEPS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def read_floor(prompt):
    """The floor as a reader of the prompt sees it."""
    found = {}
    for name, pattern in [
        ("walls", r"Walls are at (.*?)\. "),
        ("lava", r"Lava is at (.*?)\. "),
        ("ice", r"Ice is at (.*?)\. "),
    ]:
        text = re.search(pattern, prompt)
        found[name] = {(int(r), int(c)) for r, c in re.findall(r"\((\d+), (\d+)\)", text[1] if text else "")}
    found["size"] = int(re.search(r"floor of (\d+) rows", prompt)[1])
    return found


def one_step(floor, cell, direction):
    after = (cell[0] + STEPS[direction][0], cell[1] + STEPS[direction][1])
    return cell if after in floor["walls"] or not 1 <= min(after) <= max(after) <= floor["size"] else after


@pytest.mark.parametrize("difficulty", [1, 3, 6, 9])
def test_the_oracle_reaches_the_goal_whichever_steps_slip(difficulty):
    problem = load_problem("GridWorld", difficulty=difficulty)
    for task in islice(problem.source(0), 4):
        floor, goal = read_floor(task.prompt), tuple(task.answer["goal"])

        @cache
        def worst(cell, slips, floor=floor, goal=goal, task=task):
            assert cell not in floor["lava"]
            if cell == goal:
                return 0
            state = problem.start(task)
            state.at, state.slips = cell, slips
            direction = re.search("<answer>(.*)</answer>", problem.oracle(task, state))[1]
            sides = ("left", "right") if direction in ("up", "down") else ("up", "down")
            after = [(direction, slips), *((side, slips - 1) for side in sides if slips)]
            return 1 + max(worst(one_step(floor, cell, d), s) for d, s in after)

        assert worst(tuple(task.answer["start"]), task.answer["slips"]) == task.metadata["hardness"]
        assert task.metadata["turns"] == task.metadata["hardness"] + 2


def test_no_plan_needs_fewer_steps_at_worst():
    """By looking ahead a fixed number of steps, over all actions and slips."""
    for task in islice(load_problem("GridWorld", difficulty=4).source(1), 6):
        floor, goal = read_floor(task.prompt), tuple(task.answer["goal"])

        @cache
        def sure(cell, slips, steps, floor=floor, goal=goal):
            if cell == goal or cell in floor["lava"] or steps == 0:
                return cell == goal
            for direction in STEPS:
                sides = ("left", "right") if direction in ("up", "down") else ("up", "down")
                after = [(direction, slips), *((side, slips - 1) for side in sides if slips)]
                if all(sure(one_step(floor, cell, d), s, steps - 1) for d, s in after):
                    return True
            return False

        start, slips, hardness = tuple(task.answer["start"]), task.answer["slips"], task.metadata["hardness"]
        assert sure(start, slips, hardness)
        assert not sure(start, slips, hardness - 1)


def test_slips_come_as_often_as_stated_and_to_the_sides():
    problem = load_problem("GridWorld", difficulty=8, slips=2)
    slips = Counter()
    for task in islice(problem.source(0), 40):
        episode = begin(problem, task)
        before = None
        while not episode.done:
            before = (episode.state.at, episode.state.slips)
            act(problem, episode, "<answer>Go up</answer>")
            text = episode.messages[-1]["content"]
            if episode.state.slips < before[1]:
                assert re.match("You slip and go (left|right)", text)
        slips[int(episode.metrics.get("slips", 0))] += 1
    assert set(slips) == {0, 1, 2} or set(slips) == {1, 2}


def test_steps_lava_and_illegal_actions():
    problem = load_problem("GridWorld", difficulty=1)
    task = changed(problem.source(0)[0], size=3, walls=[[1, 2]], hazards=[[2, 1]], start=[1, 1], goal=[3, 3])
    assert not play(problem, task, ["down"])[0].verdict.correct
    reply, state = play(problem, task, ["right"])
    assert (reply.text, state.steps) == ("You are at (1, 1).", 1)
    for text in ("", "north", "up down", "(1, 2)", "nowhere"):
        reply, state = play(problem, task, [text])
        assert (reply.metrics, state.steps) == ({"illegal_moves": 1.0}, 0)


def simulate(floor, task, plan):
    """Whether a plan is right, by the words of the prompt."""
    cell, targets = tuple(task.answer["start"]), [tuple(t) for t in task.answer["targets"]]
    if len(plan) > int(re.search(r"at most (\d+) moves", task.prompt)[1]):
        return False
    for letter in plan:
        direction = {"U": "up", "D": "down", "L": "left", "R": "right"}[letter]
        while True:
            after = one_step(floor, cell, direction)
            moved, cell = after != cell, after
            if cell in floor["lava"]:
                return False
            if not moved or cell not in floor["ice"]:
                break
        if targets and cell == targets[0]:
            targets.pop(0)
    return not targets


def test_every_plan_that_works_scores_and_no_other():
    different = 0
    for difficulty in (1, 2, 4, 7):
        problem = load_problem("GridWorldPlan", difficulty=difficulty)
        verify = problem.make_verifier().verify
        for task in islice(problem.source(0), 6):
            floor, reference = read_floor(task.prompt), task.answer["reference"]
            assert re.search(r"Go to (.*?)\. Use", task.prompt)[1].count("(") == len(task.answer["targets"])
            plans = {
                reference,
                reference + "U",
                reference + "UD",
                reference + "UDU",
                reference[:-1],
                reference[::-1],
            }
            for i, letter in product(range(len(reference)), "UDLR"):
                plans |= {reference[:i] + letter + reference[i + 1 :], reference[:i] + letter + reference[i:]}
                plans |= {reference[:i] + letter + other + reference[i:] for other in "UDLR"}
            if difficulty == 1:
                plans |= {"".join(p) for n in range(1, 6) for p in product("UDLR", repeat=n)}
            works = {plan for plan in plans if plan and simulate(floor, task, plan)}
            different += len(works) > 1
            for plan in plans - {""}:
                assert verify(f"<answer>{plan}</answer>", task).score == float(plan in works), plan
            assert min(map(len, works)) == len(reference)
    assert different > 15


@pytest.mark.parametrize("form", ["{}", "{sep}", "{words}", "moves: {}"])
def test_how_a_plan_may_be_written(form):
    problem = load_problem("GridWorldPlan")
    task = problem.source(0)[0]
    plan = task.answer["reference"]
    names = {"U": "up", "D": "down", "L": "left", "R": "right"}
    text = form.format(plan, sep=", ".join(plan), words=" ".join(names[m] for m in plan))
    verdict = problem.make_verifier().verify(f"<answer>{text}</answer>", task)
    assert verdict.correct == (form != "moves: {}")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("GridWorld", {"slips": 6}), ("GridWorld", {"slips": -2}), ("TwentyQuestions", {"spare": -1})],
)
def test_settings(name, wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        load_problem(name, **wrong)


GAMES = (
    "Mastermind",
    "Wordle",
    "DiceGame",
    "TicTacToe",
    "Connect4",
    "TwentyQuestions",
    "TextMaze",
    "Bandit",
    "GridWorld",
)


@pytest.mark.parametrize("name", GAMES)
def test_the_prompt_as_an_action_wins_nothing_and_the_turns_run_out(name):
    problem = load_problem(name, difficulty=2)
    for task in islice(problem.source(0), 5):
        episode = begin(problem, task)
        while not episode.done:
            act(problem, episode, task.prompt)
        assert not episode.verdict.correct
        assert episode.turns <= episode.max_turns
        assert str(episode.max_turns) in re.findall(r"\d+", task.prompt)


@pytest.mark.parametrize("name", GAMES)
def test_the_state_belongs_to_one_episode(name):
    """Two interleaved episodes of one task go as one alone does, and the task stays as it was."""
    problem = load_problem(name, difficulty=4)
    task = problem.source(6)[0]
    before, alone = task.to_json(), play_oracle(problem, task).messages
    first, second = begin(problem, task), begin(problem, task)
    while not (first.done and second.done):
        for episode in (first, second):
            if not episode.done:
                act(problem, episode, problem.oracle(task, episode.state))
    assert first.messages == second.messages == alone
    assert task.to_json() == before
