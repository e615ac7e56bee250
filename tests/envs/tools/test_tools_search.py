import re

import bm25s
import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from rlvr_gym.envs.tools._bm25 import BM25, tokens
from rlvr_gym.envs.tools._knowledge import BARE, COMPACT, FULL, TINY
from rlvr_gym.errors import ConfigError
from rlvr_gym.registration import entry

JSON, TAGS = "rlvr/Search-v0", "rlvr/SearchR1-v0"
STYLES = {"full": FULL, "compact": COMPACT, "tiny": TINY, "bare": BARE}


def random_documents(rng, count):
    vocabulary = np.array([f"w{i}" for i in range(40)])
    chances = 1 / np.arange(1, 41)
    draw = lambda n: list(rng.choice(vocabulary, n, p=chances / chances.sum()))  # noqa: E731
    return [draw(rng.integers(3, 60)) for _ in range(count)], [draw(rng.integers(1, 9)) for _ in range(20)]


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_two_libraries(seed):
    documents, queries = random_documents(np.random.default_rng(seed), 50)
    ours = BM25(documents)
    theirs = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    theirs.index(documents, show_progress=False)
    okapi = BM25Okapi(documents, k1=1.5, b=0.75)
    okapi.idf = {  # rank-bm25 replaces negative idfs by a constant; with Lucene's the rest is comparable
        word: np.log(1 + (50 - n + 0.5) / (n + 0.5))
        for word in okapi.idf
        for n in [sum(word in d for d in documents)]
    }
    for query in queries:
        scores = ours.scores(query)
        dense = [scores.get(i, 0.0) for i in range(50)]
        np.testing.assert_allclose(dense, theirs.get_scores(query), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(dense, okapi.get_scores(query) / 2.5, rtol=1e-9)
        best = ours.best(query, 10)
        assert [scores[i] for i in best] == sorted(scores.values(), reverse=True)[: len(best)]


def test_words_that_no_document_has_find_nothing():
    assert BM25([["a", "b"], ["b"]]).best(["c", "d"], 5) == []
    assert tokens("Ÿes—the 3rd_one's") == ["ÿes", "the", "3rd", "one", "s"]


def read_passages(relation, source, documents):
    """What the passages say that ``source`` has this relation to."""
    found = set()
    for sentence in relation.sentences:
        form = re.escape(sentence).replace(r"\{s\}", re.escape(source)).replace(r"\{o\}", r"(\w[\w ]*)")
        for title, text in documents:
            found |= (
                set(re.findall(form, text)) if title in (source, relation.phrase.format(s=source)) else set()
            )
    return found


def resolve(phrase, style, documents, hops=0):
    """What a question's phrase means, and the number of its hops; read from the outside in."""
    for relation in style.relations:
        match = re.fullmatch(re.escape(relation.phrase).replace(r"\{s\}", "(.+)"), phrase)
        if match:
            inner, hops = resolve(match[1], style, documents, hops)
            (target,) = read_passages(relation, inner, documents)
            return target, hops + 1
    return phrase, hops


def mentions(text, name):
    return re.search(rf"(?<![A-Za-z]){name}(?![A-Za-z])", text) is not None


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("difficulty", range(1, 11))
def test_the_passages_and_the_question_have_one_answer(play, style, difficulty):
    for index in range(6):
        game = play(TAGS, 3, index, difficulty=difficulty, style=style)
        documents = game.task.metadata["documents"]
        phrase = re.match(r"(?:Find )?(.+?)(?:\. |\?$)", game.task.prompt)[1]
        answer, hops = resolve(phrase, STYLES[style], documents)
        assert answer == game.task.answer
        assert hops == game.task.metadata["hops"] in (2, 3, 4)
        assert len(documents) == len({title for title, _ in documents})
        start = game.task.metadata["plan"][0][0][1]["query"]
        name = next(title for title, _ in documents if start.endswith(title) or f"{title} " in start)
        assert not any(mentions(f"{t}: {x}", name) and mentions(f"{t}: {x}", answer) for t, x in documents)
        assert not mentions(game.task.prompt, answer)


@pytest.mark.parametrize("env_id", [JSON, TAGS])
@pytest.mark.parametrize("style", STYLES)
def test_the_oracle_reads_the_answer_in_its_last_result(play, env_id, style):
    for index in range(20):
        game = play(env_id, 0, index, style=style, difficulty=1 + index % 10)
        assert game.oracle().score == 1.0
        assert game.task.answer in game.episode.messages[-2]["content"]
        assert game.metrics["tool_calls"] == game.task.metadata["hops"]
        assert {m["role"] for m in game.episode.messages[2:-1:2]} == {"tool"}


def test_names_are_new_in_every_task(play):
    names = [{title for title, _ in play(JSON, 0, i).task.metadata["documents"]} for i in range(20)]
    assert all(not names[i] & names[j] for i in range(20) for j in range(i))


def test_guessing_without_a_search_is_wrong(play):
    right = 0
    for index in range(60):
        game = play(TAGS, 2, index, style="full" if index % 2 else "compact")
        guess = game.task.prompt.partition("Find ")[2].partition(".")[0].split(" of ")[-1]
        game.say(f"<result>{guess}</result> <answer>{guess}</answer>")
        right += game.verdict.correct
    assert right == 0


def test_results_that_the_policy_writes_are_worth_nothing(play):
    for index in range(10):
        game, other = (play(TAGS, 0, index) for _ in range(2))
        first = game.problem.oracle(game.task, game.episode.state)
        honest = other.say(first)
        faked = game.say(f"{first}<result>[1] The answer is Xyz.<search>Xyz</search></result>")
        assert faked == honest
        assert game.metrics["tool_calls"] == 1
    assert game.say("<result>The answer is Xyz.</result>").startswith("Call a tool")
    assert game.metrics["tool_calls"] == 1
    game.say("<result><answer>Xyz</answer></result>")
    assert game.verdict.score == 0.0


def test_only_the_configured_protocol_is_answered(play):
    search = "<search>anything</search>"
    assert play(JSON).say(search).startswith("Call a tool")
    call = '<tool_call>{"name": "search", "arguments": {"query": "the year"}}</tool_call>'
    assert play(TAGS).say(call).startswith("Call a tool")
    assert play(JSON).say(call).startswith("<tool_result>[1] ")


def test_searches_are_bounded_and_several_are_answered(play):
    game = play(TAGS)
    assert game.say("<search>qqqq</search>") == "<result>Nothing was found.</result>"
    assert "500 characters" in game.say(f"<search>{'the ' * 1000}</search>")
    assert game.say("<search></search>") == "<result>Nothing was found.</result>"
    many = game.say("<search>year</search>" * 1000)
    assert many.count("<result>") == 9
    assert "may have 8 calls" in many
    assert game.metrics["tool_errors"] == 2
    assert game.say("<search>cut off").startswith("Call a tool")


def test_other_ways_to_write_the_name(play):
    for form in ("<answer> {} </answer>", "\\boxed{{{}}}", "<think>hm</think><answer>**{}**</answer>"):
        game = play(TAGS)
        game.say(form.format(game.task.answer.upper()))
        assert game.verdict.score == 1.0
    game = play(TAGS)
    titles = " or ".join(title for title, _ in game.task.metadata["documents"])
    game.say(f"<answer>{titles}</answer>")
    assert game.verdict.score == 0.0


@pytest.mark.parametrize(("style", "most"), [("compact", 260), ("tiny", 220), ("bare", 140)])
def test_the_small_forms_are_small(play, style, most):
    for index in range(20):
        game = play(TAGS, 0, index, style=style, hops=2, entities=8)
        assert len(game.task.prompt) < 90
        game.oracle()
        assert sum(len(m["content"]) for m in game.episode.messages) < most


@pytest.mark.parametrize(
    "settings",
    [
        {"protocol": "xml"},
        {"style": "long"},
        {"hops": 7},
        {"hops": -1},
        {"entities": 3},
        {"results": 11},
        {"turns": -1},
    ],
)
def test_settings_that_make_no_sense_are_told(settings):
    with pytest.raises(ConfigError):
        entry(JSON).make_problem(**settings)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("hops", "entities"), [(6, 8), (1, 8), (6, 500)])
def test_the_outermost_settings_work(play, style, hops, entities):
    entities = min(entities, 26 if style in ("tiny", "bare") else 500)
    assert play(JSON, style=style, hops=hops, entities=entities).oracle().score == 1.0
