"""GuessTheNumber: the terse form is the same game in fewer characters."""

import pytest

from rlvr_gym import ConfigError, load_problem
from rlvr_gym.testing import play_oracle
from rlvr_gym.testing.subject import act, begin


def test_the_terse_form_tells_the_same_game():
    full, terse = (load_problem("GuessTheNumber", largest=100, prompt=prompt) for prompt in ("full", "terse"))
    signs = {"higher": ">", "lower": "<", "right": "="}
    for index in range(12):
        one, other = full.source(0)[index], terse.source(0)[index]
        assert (one.answer, one.metadata) == (other.answer, other.metadata)
        assert other.prompt == "1-100 in 8"
        games = begin(full, one), begin(terse, other)
        while not games[0].done:
            guess = terse.oracle(other, games[1].state)
            assert full.oracle(one, games[0].state).endswith(guess)
            for problem, game in zip((full, terse), games, strict=True):
                act(problem, game, guess)
            told, sign = (game.messages[-1]["content"] for game in games)
            assert [signs[word] for word in signs if word in told] == [sign]
        assert games[1].verdict.correct
        assert play_oracle(terse, other).verdict.correct
    reply = terse.reply(other, terse.start(other), "<answer>101</answer>")
    assert (reply.text, reply.metrics) == ("no", {"illegal_guesses": 1.0})


def test_another_form_is_refused():
    with pytest.raises(ConfigError, match="terse"):
        load_problem("GuessTheNumber", prompt="short")
