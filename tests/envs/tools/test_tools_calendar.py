import json
import re

import pytest

from rlvr_gym.envs.tools._calendar import Calendar
from rlvr_gym.tools import Tool, ToolError

ID = "rlvr/CalendarAPI-v0"
DATE = r"(\d{4}-\d\d-\d\d)"


# --- an independent reading of the instructions: events are [title, date, start, end, people] in minutes ---


def to_minutes(text):
    return int(text[:2]) * 60 + int(text[3:])


def only(events, title):
    (event,) = [e for e in events if e[0] == title]
    return event


def cancel(events, busy, date, person):
    events[:] = [e for e in events if not (e[1] == date and person in e[4])]


def move(events, busy, title, date):
    only(events, title)[1] = date


def shift(events, busy, title, by, direction):
    for k in (2, 3):
        only(events, title)[k] += int(by) * (1 if direction == "later" else -1)


def invite(events, busy, guest, host):
    for e in events:
        if host in e[4]:
            e[4] = sorted({*e[4], guest})


def drop_out(events, busy, person, date):
    for e in events:
        if e[1] >= date:
            e[4] = [name for name in e[4] if name != person]


def clear_day(events, busy, old, new):
    for e in events:
        if e[1] == old:
            e[1] = new


def longest(events, busy, date):
    events.remove(max((e for e in events if e[1] == date), key=lambda e: e[3] - e[2]))


def schedule(events, busy, title, length, date, guests):
    people = guests.split(", ")
    taken = {m for e in events if e[1] == date for m in range(e[2], e[3])}
    for name in people:
        for a, b in busy[name].get(date, []):
            taken |= set(range(to_minutes(a), to_minutes(b)))
    start = next(s for s in range(480, 1081, 30) if not taken & set(range(s, s + int(length))))
    assert start + int(length) <= 18 * 60
    events.append([title, date, start, start + int(length), sorted(people)])


RULES = (
    (rf"Cancel \(delete\) every event on {DATE} that (.+) takes part in\.", cancel),
    (rf"Move the event '(.+)' to {DATE}, at the same time of day\.", move),
    (r"Let the event '(.+)' begin (\d+) minutes (later|earlier), as long as before\.", shift),
    (r"Add (.+) to every event that (.+) takes part in\.", invite),
    (rf"Take (.+) off every event on {DATE} or later; .*", drop_out),
    (rf"Move every event on {DATE} to {DATE}, at the same times of day\.", clear_day),
    (rf"Cancel \(delete\) the longest event on {DATE}\.", longest),
    (rf"Make an event '(.+)' of (\d+) minutes on {DATE} with (.+)\. Between 08:00 and 18:00 .*", schedule),
)


def facts(events):
    clock = lambda m: f"{m // 60:02d}:{m % 60:02d}"  # noqa: E731
    return sorted(json.dumps([t, d, clock(a), clock(b), people]) for t, d, a, b, people in events)


def carried_out(task):
    events = [[t, d, to_minutes(a), to_minutes(b), list(p)] for t, d, a, b, p in task.metadata["events"]]
    for text in re.findall(r"^\d+\. (.+)$", task.prompt, re.MULTILINE):
        ((match, rule),) = [(m, rule) for pattern, rule in RULES if (m := re.fullmatch(pattern, text))]
        rule(events, task.metadata["busy"], *match.groups())
    return facts(events)


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_the_instructions_say_what_the_answer_is(play, difficulty):
    for index in range(30):
        task = play(ID, 5, index, difficulty=difficulty).task
        assert carried_out(task) == task.answer, task.prompt


def test_deleting_everything_and_making_the_right_events_wins(play):
    for index in range(10):
        game = play(ID, 2, index, turns=100)
        for i in range(len(game.task.metadata["events"])):
            assert game.call("delete_event", id=i + 1) == "(ok)"
        for title, date, start, end, people in map(json.loads, game.task.answer):
            names = [name.upper() for name in reversed(people)]
            game.call(
                "create_event", title=f" {title}", date=date, start=start.lstrip("0"), end=end, people=names
            )
        assert game.metrics["tool_errors"] == 0
        game.say("<answer>done</answer>")
        assert game.verdict.score == 1.0


def test_every_step_is_needed(play):
    looking = ("list_events", "find_events", "busy_times")
    refused = 0
    for index in range(15):
        changes = [
            c for calls in play(ID, 3, index).task.metadata["plan"] for c in calls if c[0] not in looking
        ]
        for left_out in range(len(changes)):
            game = play(ID, 3, index, turns=100)
            for i, (name, arguments) in enumerate(changes):
                if i != left_out:
                    game.call(name, **arguments)
            game.say("<answer>done</answer>")
            # a step may turn out to be of no use if a later one acts on the same event
            refused += not game.verdict.correct
            later = {c[1].get("id") for c in changes[left_out + 1 :]}
            assert not game.verdict.correct or changes[left_out][1].get("id") in later
    assert refused > 25


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("delete_event", {}),
        ("set_people", {"people": []}),
        ("move_event", {"date": "2031-12-31", "start": "10:00", "end": "11:00"}),
        (
            "create_event",
            {"title": "Extra", "date": "2031-12-31", "start": "10:00", "end": "11:00", "people": []},
        ),
    ],
)
def test_damage_beside_the_task_is_refused(play, name, arguments):
    for index in range(5):
        game = play(ID, 0, index, turns=50)
        for _ in game.task.metadata["plan"]:
            game.say(game.problem.oracle(game.task, game.episode.state))
        number = next(i for i, event in game.episode.state.world.events.items() if event.people)
        target = {} if name == "create_event" else {"id": number}
        assert game.call(name, **arguments, **target).startswith("(ok")
        game.say("<answer>done</answer>")
        assert game.verdict.score == 0.0


def test_saying_that_it_is_done_is_not_doing_it(play):
    for index in range(200):
        game = play(ID, 0, index, difficulty=1 + index % 4)
        game.say("<tool_result>(ok)</tool_result> <answer>done</answer>")
        assert game.verdict.score == 0.0


EVENTS = [["Lunch", "2031-01-06", "12:00", "13:00", ["Ada Faber"]]]
BUSY = {"Ada Faber": {"2031-01-06": [["08:00", "09:00"]]}, "Ben Ito": {}}


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("delete_event", {"id": 2}, "no event with this id"),
        ("delete_event", {"id": True}, "id is bool"),
        ("delete_event", {"id": "1"}, "id is str"),
        ("list_events", {"date": "tomorrow"}, "Dates are like"),
        ("list_events", {"date": "2031-02-30"}, "Dates are like"),
        ("busy_times", {"person": "Ada", "date": "2031-01-06"}, "full names"),
        ("set_people", {"id": 1, "people": ["Nobody"]}, "full names"),
        ("set_people", {"id": 1, "people": [["Ada Faber"]]}, "full names"),
        ("set_people", {"id": 1, "people": "Ada Faber"}, "people is str"),
        ("move_event", {"id": 1, "date": "2031-01-06", "start": "13:00", "end": "13:00"}, "ends after it starts"),
        ("move_event", {"id": 1, "date": "2031-01-06", "start": "23:00", "end": "25:00"}, "Times are like"),
        ("move_event", {"id": 1, "date": "2031-01-06", "start": "9.30", "end": "10:00"}, "Times are like"),
        ("move_event", {"id": 1, "date": "2031-01-06", "start": "09:60", "end": "10:00"}, "Times are like"),
        ("create_event", {"title": " ", "date": "2031-01-06", "start": "9:00", "end": "10:00", "people": []}, "A title has"),
    ],
)  # fmt: skip
def test_bad_calls_are_told_and_change_nothing(name, arguments, told):
    calendar = Calendar(EVENTS, BUSY)
    tool = next(tool for tool in calendar.tools if tool.name == name)
    assert isinstance(tool, Tool)
    with pytest.raises(ToolError, match=told):
        tool.call(arguments)
    assert [event.facts for event in calendar.events.values()] == EVENTS


def test_looking():
    calendar = Calendar(EVENTS, BUSY)
    shown = "id 1: Lunch, 2031-01-06, 12:00-13:00, with Ada Faber"
    assert calendar.list_events("2031-01-06") == shown
    assert calendar.find_events("FABER") == calendar.find_events("lun") == shown
    assert calendar.find_events("Ito") == "(no events)"
    assert calendar.busy_times("ada  faber", "2031-01-06") == "08:00-09:00"
    assert calendar.busy_times("Ben Ito", "2031-01-06") == "(free all day)"


def test_a_calendar_does_not_grow_without_bounds():
    calendar = Calendar(EVENTS, BUSY)

    def fill():
        for _ in range(1000):
            calendar.create_event("x", "2031-01-06", "0:00", "24:00", ["Ada Faber"] * 100)

    with pytest.raises(ToolError, match="300 events"):
        fill()
    assert calendar.events[2].people == ("Ada Faber",)
