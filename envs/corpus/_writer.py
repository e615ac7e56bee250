"""Writing the generated part of the bundled corpus: short texts in which later sentences follow from earlier ones.

``python -m rlvr_gym.envs.corpus._writer FOLDER`` writes ``train.jsonl`` and ``test.jsonl`` anew; the rows of the kind
``essay``, which people wrote, stay as they are. The rest is a pure function of :data:`SEED`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rlvr_gym.envs._authoring import integer, pick, shuffled
from rlvr_gym.task import task_rng

__all__ = ["KINDS", "SEED", "generated_rows"]

SEED = 20_260
PER_KIND = 30
TEST_PER_KIND = 6

NAMES = ("Anna", "Bruno", "Carla", "David", "Edith", "Felix", "Gina", "Hassan", "Irma", "Jakob", "Katja", "Louis",
         "Marta", "Nils", "Olga", "Pedro", "Rita", "Simon", "Teresa", "Victor")  # fmt: skip
TOWNS = (
    "Aldenmoor",
    "Brightwater",
    "Calder",
    "Dunmere",
    "Eastholm",
    "Farrow",
    "Greywick",
    "Hollin",
    "Ironbridge",
    "Larkfield",
)
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = ("first", "second", "third", "fourth", "fifth")

Rng = np.random.Generator
Text = tuple[str, list[str]]


def _one(rng: Rng, *options: str) -> str:
    return pick(rng, options)


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24}:{minutes % 60:02}"


def _journey(rng: Rng) -> Text:
    name = pick(rng, NAMES)
    start, middle, end = shuffled(rng, TOWNS)[:3]
    leave, first, wait, second = (
        integer(rng, 360, 900),
        integer(rng, 15, 70),
        integer(rng, 5, 30),
        integer(rng, 15, 70),
    )
    means = _one(rng, "train", "bus")
    return f"From {start} to {end}", [
        f"{name} wants to travel from {start} to {end}.",
        _one(rng, f"There is no direct {means}, so the way leads through {middle}.",
             f"Every {means} stops at {middle}, and there one has to change."),
        f"The first {means} leaves {start} at {_clock(leave)} and needs {first} minutes.",
        f"It reaches {middle} at {_clock(leave + first)}.",
        f"The next {means} goes {wait} minutes later, at {_clock(leave + first + wait)}.",
        f"From {middle} to {end} it takes another {second} minutes.",
        f"So {name} arrives in {end} at {_clock(leave + first + wait + second)}.",
    ]  # fmt: skip


def _shop(rng: Rng) -> Text:
    name, item = (
        pick(rng, NAMES),
        _one(rng, "candles", "baskets", "kites", "lamps", "scarves", "bowls", "brushes"),
    )
    made, morning, price = integer(rng, 15, 40), integer(rng, 3, 7), integer(rng, 2, 9)
    noon = integer(rng, 2, 7)
    left = made - morning - noon
    return f"{name} at the market", [
        f"{name} makes {item} at home and sells them at the market.",
        _one(rng, f"This week {name} has brought {made} of them.", f"There are {made} {item} on the table this morning."),
        f"Before ten o'clock {morning} of the {item} are sold.",
        f"At noon a school class comes by and buys {noon} more.",
        f"Now {left} {item} are left.",
        f"Each of them costs {price} coins.",
        f"For those that are gone, {name} has taken in {(morning + noon) * price} coins.",
        _one(rng, "The rest goes back into the box.", "The rest will be sold next week.", "In the evening the rest is packed up."),
    ]  # fmt: skip


def _animal(rng: Rng) -> Text:
    animal, food, home, enemy = pick(
        rng,
        (("marsh hare", "young reeds", "a hollow under the roots", "the fox"), ("stone owl", "beetles and mice", "a crack in the wall", "the marten"),
         ("river otter", "fish and crabs", "a burrow in the bank", "the eagle"), ("field hamster", "grain and roots", "a deep tunnel", "the hawk"),
         ("sand lizard", "spiders and flies", "a gap between the stones", "the snake"), ("wood mouse", "nuts and berries", "an old stump", "the owl")),
    )  # fmt: skip
    young, weeks = pick(rng, NUMBERS[:6]), pick(rng, NUMBERS[1:8])
    awake, asleep = pick(rng, (("by night", "by day"), ("by day", "by night")))
    return f"The {animal}", [
        _one(rng, f"The {animal} is shy, and few people have seen one.", f"The {animal} lives closer to us than most people think."),
        f"It eats {food}.",
        f"It is awake {awake} and sleeps {asleep}.",
        _one(rng, f"Its home is {home}.", f"It makes its home in {home}."),
        f"In spring the female has {young} young.",
        f"They stay with her for {weeks} weeks.",
        f"When {enemy} comes near, she gives a short cry.",
        f"Then all {young} of them hide in {home}.",
    ]  # fmt: skip


def _repair(rng: Rng) -> Text:
    name = pick(rng, NAMES)
    thing, sign, cause, part, fix = pick(
        rng,
        (("bicycle", "made a grinding noise", "the chain was dry", "chain", "put oil on it"), ("radio", "stayed silent", "a wire had come loose", "wire", "fixed it with solder"),
         ("lamp", "went on and off by itself", "the plug was worn", "plug", "put in a new one"), ("tap", "dripped all night", "the seal was torn", "seal", "put in a new one"),
         ("door", "would not close", "the hinge was bent", "hinge", "hammered it straight"), ("clock", "ran too slow", "the spring was dirty", "spring", "cleaned it with a brush"),
         ("oven", "stayed cold", "the fuse was burnt", "fuse", "bought a new one")),
    )  # fmt: skip
    minutes = 5 * integer(rng, 2, 12)
    first = _one(rng, "the switch", "the screws", "the handle", "the cable", "the cover")
    return f"The {thing} of {name}", [
        f"On {pick(rng, ('Monday', 'Tuesday', 'Thursday', 'Saturday'))} the {thing} of {name} {sign}.",
        _one(rng, f"{name} did not want to buy a new {thing}.", f"A new {thing} would have been expensive."),
        f"First {name} looked at {first}, but nothing was wrong with it.",
        f"Then it became clear that {cause}.",
        f"{name} took the {part} out and {fix}.",
        f"The work took {minutes} minutes.",
        f"Since then the {thing} has worked as it should.",
    ]


def _weather(rng: Rng) -> Text:
    town, start = pick(rng, TOWNS), integer(rng, 4, 20)
    days = shuffled(rng, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"))[0]
    week = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    at = week.index(days)
    rise, fall = integer(rng, 2, 6), integer(rng, 3, 9)
    sky, wind = _one(rng, "clear", "grey", "cloudy"), _one(rng, "north", "south", "east", "west")
    warm = start + rise
    return f"Weather in {town}", [
        f"On {week[at]} it was {start} degrees in {town}, and the sky was {sky}.",
        f"A light wind blew from the {wind}.",
        f"On {week[at + 1]} it became {rise} degrees warmer, so the thermometer showed {warm} degrees.",
        _one(rng, "Many people went out without a coat.", "In the park people sat on the grass.", "The children wanted ice cream."),
        f"In the night the wind turned and brought {_one(rng, 'rain', 'a storm', 'hail')}.",
        f"On {week[at + 2]} it was {fall} degrees colder than the day before.",
        f"The thermometer showed only {warm - fall} degrees.",
    ]  # fmt: skip


def _way(rng: Rng) -> Text:
    goal = _one(rng, "the museum", "the swimming pool", "the post office", "the old mill", "the castle")
    start = _one(rng, "the station", "the market square", "the harbour", "the town hall")
    a, b = pick(rng, (("left", "right"), ("right", "left")))
    marks = shuffled(
        rng, ("the church", "the bakery", "the fountain", "the school", "the bridge", "the chemist's shop")
    )
    minutes = integer(rng, 5, 25)
    return f"The way to {goal}", [
        f"The way from {start} to {goal} is easy to find.",
        f"Walk straight ahead until you reach {marks[0]}.",
        f"There you turn {a}.",
        f"Go on as far as {marks[1]} and turn {b}.",
        f"After a few steps you see {goal} on the {pick(rng, (a, b))} side.",
        f"The walk takes about {minutes} minutes.",
        f"On the way back, turn {a} at {marks[1]} and {b} at {marks[0]}.",
        f"Then you will come straight to {start}.",
    ]


def _life(rng: Rng) -> Text:
    name, town, other = pick(rng, NAMES), *shuffled(rng, TOWNS)[:2]
    born, start, own = integer(rng, 1820, 1930), integer(rng, 12, 17), integer(rng, 4, 12)
    trade, work = pick(rng, (("potter", "jugs and bowls"), ("carpenter", "tables and chairs"), ("bookbinder", "heavy ledgers"), ("tailor", "coats and gowns"),
                             ("clockmaker", "clocks for towers"), ("glazier", "coloured windows")))  # fmt: skip
    age = integer(rng, 60, 91)
    return f"{name}, {trade}", [
        f"{name} was born in {town} in {born}.",
        _one(rng, "There were seven children in the house, and money was short.", "The family was poor, but there were books in the house.",
             "The father worked on the river and was seldom at home."),
        f"At the age of {start}, in {born + start}, {name} went to {other} to learn the trade of a {trade}.",
        f"The master was strict and made only {work}.",
        f"After {own} years, in {born + start + own}, {name} opened a workshop.",
        f"It made {work} as well, but lighter and cheaper ones.",
        f"{name} died in {born + age}, at the age of {age}.",
        f"Some of the {work} can still be seen in the museum of {other}.",
    ]  # fmt: skip


def _notice(rng: Rng) -> Text:
    place, thing = pick(
        rng,
        (
            ("library", "books"),
            ("pool", "lockers"),
            ("museum", "guides"),
            ("workshop", "tools"),
            ("archive", "maps"),
        ),
    )
    shut, opens, hours = (
        pick(rng, ("Monday", "Tuesday", "Wednesday")),
        integer(rng, 8, 11),
        integer(rng, 6, 9),
    )
    fee = integer(rng, 2, 9)
    return f"Notice of the {place}", [
        f"The {place} has new hours from {pick(rng, ('March', 'May', 'August', 'October'))} on.",
        f"It opens at {opens} o'clock and stays open for {hours} hours, that is until {(opens + hours - 1) % 12 + 1} o'clock.",
        f"On {shut} it is closed.",
        f"A day ticket costs {fee} coins, and children pay half a coin less, {fee - 0.5:g} coins.",
        f"The {thing} are free for all who have a ticket.",
        _one(rng, "Please leave bags and coats at the entrance.", "Food and drinks have to stay outside.", "Dogs are not allowed in the building."),
        f"Anyone who comes on {shut} in spite of this will find the door locked.",
    ]  # fmt: skip


def _order(rng: Rng) -> Text:
    what, more, most, least = pick(rng, (("tower", "taller", "tallest", "lowest"), ("river", "longer", "longest", "shortest"), ("bridge", "older", "oldest", "newest"),
                                         ("lake", "deeper", "deepest", "shallowest"), ("street", "busier", "busiest", "quietest")))  # fmt: skip
    a, b, c = shuffled(rng, TOWNS)[:3]
    town = _one(rng, "schoolbook", "guidebook", "calendar", "brochure")
    return f"Three {what}s", [
        f"There are three well known {what}s in the district, in {', '.join(sorted((a, b)))} and {c}.",
        _one(rng, "People like to argue about them.", f"A picture of them is in every {town}."),
        f"The {what} of {a} is {more} than the {what} of {b}.",
        f"The {what} of {b} is {more} than that of {c}.",
        f"So the {what} of {a} is {more} than that of {c} as well.",
        f"The {most} of the three is that of {a}, and the {least} is that of {c}.",
        f"The {what} of {b} is in the middle.",
    ]


def _experiment(rng: Rng) -> Text:
    name, (thing, agent, effect, other) = pick(rng, NAMES), pick(
        rng,
        (("bean plants", "music", "grow faster", "silence"), ("ice cubes", "salt", "melt faster", "no salt"), ("paper planes", "a paper clip", "fly farther", "no clip"),
         ("slices of bread", "a closed bag", "stay soft longer", "open air"), ("candles", "a cold night", "burn longer", "a warm room")),
    )  # fmt: skip
    count, gain = pick(rng, NUMBERS[1:]), integer(rng, 2, 40)
    holds = bool(rng.random() < 0.5)
    end = (
        [
            f"Those with {agent} did better by {gain} percent.",
            f"So the guess was right, at least for these {thing}.",
        ]
        if holds
        else [
            "In the end there was no difference at all.",
            f"So the guess was wrong, and {agent} does not matter here.",
        ]
    )
    return f"{name} tries something", [
        f"{name} believes that {thing} {effect} with {agent}.",
        f"To find out, {name} takes {count} {thing} and treats them with {agent}.",
        f"Another {count} get {other}.",
        _one(rng, "Everything else is kept the same.", "Nothing else is different between the two groups."),
        f"Each day {name} writes the results into a table.",
        *end,
        _one(
            rng,
            f"{name} will repeat the test with more {thing}.",
            "A friend repeats the test and finds the same.",
        ),
    ]


def _match(rng: Rng) -> Text:
    a, b = shuffled(rng, TOWNS)[:2]
    first, second = integer(rng, 1, 4), integer(rng, 0, 3)
    third, fourth = integer(rng, 0, 3), integer(rng, 0, 4)
    total_a, total_b = first + third, second + fourth
    result = (
        f"{a} had won" if total_a > total_b else f"{b} had won" if total_b > total_a else "nobody had won"
    )
    return f"{a} against {b}", [
        f"The team of {a} played against the team of {b}.",
        _one(rng, "It had rained all morning, and the ground was heavy.", "The sun was low, and one goalkeeper wore a cap.", "More people than ever had come to watch."),
        f"In the first half {a} scored {first} and {b} scored {second}.",
        _one(rng, "During the break the players drank hot tea.", "In the break both coaches talked loudly."),
        f"In the second half {a} scored {third} and {b} scored {fourth}.",
        f"So the game ended {total_a} to {total_b}, and {result}.",
        f"Next year they will meet again, this time in {pick(rng, (a, b))}.",
    ]  # fmt: skip


def _recipe(rng: Rng) -> Text:
    dish, base, cut = pick(rng, (("onion soup", "onions", "into rings"), ("potato salad", "potatoes", "into slices"), ("carrot stew", "carrots", "into sticks"),
                                 ("apple cake", "apples", "into thin slices"), ("bean soup", "beans", "in half"), ("mushroom pie", "mushrooms", "into quarters")))  # fmt: skip
    people, factor, minutes = integer(rng, 2, 4), integer(rng, 2, 5), 5 * integer(rng, 3, 12)
    herb = _one(rng, "parsley", "thyme", "dill", "mint", "sage")
    return dish.capitalize(), [
        f"For {dish} you need {factor} {base} for each person.",
        f"If {people} people are coming, that makes {factor * people} {base}.",
        f"Wash the {base} and cut them {cut}.",
        _one(rng, f"Chop some {herb} and put it aside.", f"Put a handful of {herb} aside for later."),
        f"Cook the {base} for {minutes} minutes and stir now and then.",
        _one(rng, "Add salt, but not too much of it.", "Taste it and add a little salt."),
        f"After {minutes} minutes take it off the stove and let it rest.",
        f"At the end strew the {herb} over the {dish.split()[1]}.",
    ]  # fmt: skip


KINDS: dict[str, Callable[[Rng], Text]] = {
    "journey": _journey, "shop": _shop, "animal": _animal, "repair": _repair, "weather": _weather, "way": _way, "life": _life,
    "notice": _notice, "order": _order, "experiment": _experiment, "match": _match, "recipe": _recipe,
}  # fmt: skip
"""Kind of text -> its writer: a title and sentences."""


def generated_rows() -> dict[str, list[dict[str, str]]]:
    """The generated rows of each split; no two texts of a kind are equal."""
    rows: dict[str, list[dict[str, str]]] = {"train": [], "test": []}
    for number, (kind, write) in enumerate(KINDS.items()):
        texts: dict[str, str] = {}
        draw = 0
        while len(texts) < PER_KIND:
            title, sentences = write(task_rng(SEED + number, draw))
            texts.setdefault(" ".join(sentences), title)
            draw += 1
        for i, (text, title) in enumerate(texts.items()):
            split = "test" if i >= PER_KIND - TEST_PER_KIND else "train"
            rows[split].append({"kind": kind, "title": title, "text": text})
    return rows


def write_corpus(folder: Path) -> None:
    """Writes both files anew; rows of the kind ``essay`` are kept."""
    for split, rows in generated_rows().items():
        path = folder / f"{split}.jsonl"
        old = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [row for row in old if row["kind"] == "essay"]
        path.write_text("".join(json.dumps(row) + "\n" for row in [*kept, *rows]), encoding="utf-8")


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]))
