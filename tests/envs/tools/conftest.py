"""Playing episodes of environments with tools."""

import json
import warnings
from dataclasses import dataclass

import pytest

from rlvr_gym.registration import entry
from rlvr_gym.testing.subject import act, begin


def written(name, arguments):
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


@dataclass
class Game:
    """An episode of one task."""

    problem: object
    task: object

    def __post_init__(self):
        self.episode = begin(self.problem, self.task)

    def say(self, action):
        """What the environment says to it."""
        act(self.problem, self.episode, action)
        last = self.episode.messages[-1]
        return last["content"] if last["role"] != "assistant" else ""

    def call(self, name, /, **arguments):
        """The result, without its tags."""
        text = self.say(written(name, arguments))
        return text.removeprefix("<tool_result>").removesuffix("</tool_result>")

    def oracle(self):
        """Plays to the end."""
        while not self.episode.done:
            self.say(self.problem.oracle(self.task, self.episode.state))
        return self.episode.verdict

    @property
    def verdict(self):
        return self.episode.verdict

    @property
    def metrics(self):
        return self.episode.metrics


@pytest.fixture
def play():
    """``play("rlvr/Name-v0", seed, index, **settings)`` begins an episode."""

    def start(env_id, seed=0, index=0, **settings):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            problem = entry(env_id).make_problem(**settings)
        return Game(problem, problem.source(seed)[index])

    return start
