"""Families: the facts determine them, and words for relations are right."""

import re

import pytest

import rlvr_gym
from rlvr_gym.envs.logic.family_relations import Kinship

FACT = re.compile(r"(\w+) is the (son|daughter|brother|sister|husband|wife) of (\w+)\.")


def couple(family, her, him, parents_of_her=(), parents_of_him=()):
    family[her] = {"sex": 0, "parents": list(parents_of_her), "spouse": him}
    family[him] = {"sex": 1, "parents": list(parents_of_him), "spouse": her}


@pytest.fixture
def kin():
    family = {}
    couple(family, "Gran", "Gramps")
    couple(family, "Mum", "Dad", ("Gran", "Gramps"))
    couple(family, "Auntie", "Unk", (), ("Gran", "Gramps"))
    couple(family, "Kid", "Mate", ("Mum", "Dad"))
    couple(family, "Coz", "Cozmate", ("Auntie", "Unk"))
    for name, sex, parents in (
        ("Baby", 1, ("Kid", "Mate")),
        ("Bro", 1, ("Mum", "Dad")),
        ("Cozkid", 0, ("Coz", "Cozmate")),
    ):
        family[name] = {"sex": sex, "parents": list(parents), "spouse": None}
    return Kinship(family)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("Mum", "Kid", {"mother"}),
        ("Kid", "Mum", {"daughter"}),
        ("Dad", "Mum", {"husband"}),
        ("Gran", "Kid", {"grandmother"}),
        ("Baby", "Gran", {"great-grandson"}),
        ("Bro", "Kid", {"brother"}),
        ("Unk", "Kid", {"uncle"}),
        ("Auntie", "Kid", set()),
        ("Kid", "Unk", {"niece"}),
        ("Baby", "Unk", {"great-nephew"}),
        ("Unk", "Baby", {"great-uncle"}),
        ("Coz", "Kid", {"cousin"}),
        ("Coz", "Baby", {"cousin once removed"}),
        ("Baby", "Coz", {"cousin once removed"}),
        ("Cozkid", "Baby", {"second cousin"}),
        ("Mate", "Bro", {"brother-in-law"}),
        ("Bro", "Mate", {"brother-in-law"}),
        ("Auntie", "Mum", {"sister-in-law"}),
        ("Mum", "Mate", {"mother-in-law"}),
        ("Mate", "Mum", {"son-in-law"}),
        ("Dad", "Kid", {"father"}),
        ("Gran", "Dad", {"mother-in-law"}),
        ("Dad", "Gran", {"son-in-law"}),
        ("Mate", "Coz", set()),
    ],
)
def test_words(kin, first, second, words):
    assert set(kin.words(first, second)) == words


def told_family(prompt):
    """The family that the sentences tell: parents as sets, spouses and sexes."""
    facts = FACT.findall(prompt)
    spouse, sex, parent, sibling = {}, {}, {}, {}
    for name, word, other in facts:
        sex[name] = int(word in ("son", "brother", "husband"))
        if word in ("husband", "wife"):
            spouse[name], spouse[other] = other, name
            sex[other] = 1 - sex[name]
        elif word in ("son", "daughter"):
            parent[name] = other
        else:
            sibling[name] = other
    for name, other in sibling.items():
        parent[name] = parent[other]
    parents = {name: {one, spouse[one]} for name, one in parent.items()}
    return {
        name: {"sex": sex[name], "parents": sorted(parents.get(name, [])), "spouse": spouse.get(name)}
        for name in sex
    }


@pytest.mark.parametrize("difficulty", [1, 4, 7, 10])
def test_the_facts_determine_the_family(difficulty):
    problem = rlvr_gym.load_problem("FamilyRelations", difficulty=difficulty)
    for index in range(10):
        task = problem.source(2)[index]
        assert told_family(task.prompt) == {
            name: {**person, "parents": sorted(person["parents"])}
            for name, person in task.answer["family"].items()
        }
        assert task.answer["words"] == sorted(Kinship(task.answer["family"]).words(*task.answer["pair"]))


@pytest.mark.parametrize("form", ["{0}", "The {0}.", "**{1}**", "{2}"])
def test_writing_is_forgiven_and_other_words_are_not(form):
    problem = rlvr_gym.load_problem("FamilyRelations", difficulty=8)
    verifier = problem.make_verifier()
    task = problem.source(4)[0]
    word = task.answer["reference"]
    assert verifier.verify(
        f"<answer>{form.format(word, word.upper(), word.replace('-', ' '))}</answer>", task
    ).correct
    for other in ("relative", "not " + word, word + " or cousin", "stepmother", word + "s"):
        assert not verifier.verify(f"<answer>{other}</answer>", task).correct
