"""The bundled corpus is what its card says; local files are read, and refused with a reason."""

import json
import math
from pathlib import Path

import pytest

from rlvr_gym import load_problem
from rlvr_gym.envs.corpus._passages import Corpus, Passage, load_corpus, split_sentences
from rlvr_gym.envs.corpus._writer import KINDS, PER_KIND, TEST_PER_KIND, generated_rows
from rlvr_gym.errors import DataError

FOLDER = Path(__file__).parents[3] / "datasets" / "corpus-plain"


def rows_of(split):
    return [json.loads(line) for line in (FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_files_are_what_the_writer_makes():
    for split, rows in generated_rows().items():
        assert [row for row in rows_of(split) if row["kind"] != "essay"] == rows
        assert len(rows) == len(KINDS) * (TEST_PER_KIND if split == "test" else PER_KIND - TEST_PER_KIND)


def test_the_card_tells_the_truth():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    train, test = rows_of("train"), rows_of("test")
    essays = [row for row in train + test if row["kind"] == "essay"]
    for number in (len(train), len(test), len(train) + len(test), len(essays)):
        assert str(number) in card
    assert len({row["text"] for row in train + test}) == len(train) + len(test)
    assert all(set(row) == {"kind", "title", "text"} and row["text"].isascii() for row in train + test)
    sizes = {len(split_sentences(row["text"])) for row in train + test}
    assert min(sizes) >= 5
    assert max(sizes) <= 9


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("It is 3.5 m long. So it fits.", ["It is 3.5 m long.", "So it fits."]),
        ('He said "No." She left.', ['He said "No."', "She left."]),
        ("Dr. Holm met J. Smith. They talked.", ["Dr. Holm met J. Smith.", "They talked."]),
        ("It ends at 9. 12 people came.", ["It ends at 9.", "12 people came."]),
        ("Why not?\n Because (so it is)\tit rains.", ["Why not?", "Because (so it is) it rains."]),
        ("Она пришла. Он ушёл.", ["Она пришла.", "Он ушёл."]),
        ("... !", []),
        ("", []),
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


PARAGRAPH = "The grey cat sat on the warm stove. Nobody in the house wanted to move it. After an hour the soup was cold, and the children went to bed."


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.jsonl", "folder"])
@pytest.mark.parametrize("env", ["NextSegment", "Cloze", "Unscramble"])
def test_local_files(tmp_path, name, env):
    other = PARAGRAPH.replace("cat", "dog").replace("stove", "bench")
    if name == "folder":
        (tmp_path / "train.jsonl").write_text(
            "".join(json.dumps({"text": t}) + "\n" for t in (PARAGRAPH, other))
        )
    elif name.endswith("jsonl"):
        (tmp_path / name).write_text("".join(json.dumps({"content": t}) + "\n" for t in (PARAGRAPH, other)))
    else:
        (tmp_path / name).write_text(f"# A heading\n\n{PARAGRAPH}\n \n{other}\n\nToo short.\n")
    data = str(tmp_path if name == "folder" else tmp_path / name)
    assert len(load_corpus(data, "train").passages) == 2
    for difficulty in (1, 10):
        problem = load_problem(env, data=data, difficulty=difficulty)
        task = problem.source(0)[0]
        assert (
            problem.make_verifier().verify(f"<answer>{problem.answer_text(task)}</answer>", task).score == 1.0
        )


@pytest.mark.parametrize("content", [None, "", "Too short. Really. Yes.", "no marks " * 50])
def test_no_text_is_told(tmp_path, content):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DataError, match=r"a\.txt"):
        load_corpus(str(path), "train")


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        load_corpus(str(tmp_path), "train")
    (tmp_path / "a.txt").rename(tmp_path / "a.pdf")
    with pytest.raises(DataError, match="folder"):
        load_corpus(str(tmp_path), "train")


@pytest.mark.parametrize(("env", "more"), [("Cloze", {}), ("Unscramble", {"mode": "letters"})])
def test_text_without_usable_words_is_told(tmp_path, env, more):
    (tmp_path / "a.txt").write_text("A 1 b c. " * 20)
    source = load_problem(env, data=str(tmp_path), **more).source(0)
    with pytest.raises(DataError, match="no words of four or more letters"):
        source[0]


def test_a_changed_file_is_read_again(tmp_path):
    import os

    path = tmp_path / "a.txt"
    path.write_text(PARAGRAPH)
    assert load_corpus(str(path), "train").passages[0].sentences[0].startswith("The grey cat")
    path.write_text(PARAGRAPH.replace("cat", "dog"))
    os.utime(path, ns=(1, 1))
    assert load_corpus(str(path), "train").passages[0].sentences[0].startswith("The grey dog")


def test_bits_by_hand():
    one, two = Passage(("a b a b.",)), Passage(("a b a c.",))
    corpus = Corpus((one, two))
    # of the other passage: a twice, b once, c once; after a: b once of two
    single = (1 + 1) / (4 + 3 + 1)
    assert corpus.bits(one, 1) == pytest.approx(-math.log2(0.4 * single + 0.6 * 1 / 2))
    assert corpus.bits(one, 0) == pytest.approx(-math.log2((2 + 1) / 8))
