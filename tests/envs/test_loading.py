"""Data sets out of files, folders and the hub: the same rows, and errors that name file and line."""

import gzip
import json
import os
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import pytest

from rlvr_gym import ConfigError, DataError, MissingExtraError, Task
from rlvr_gym.envs.loading import DataProblem, load_rows


@dataclass(frozen=True, kw_only=True)
class Capitals(DataProblem):
    verifier: ClassVar[str] = "rational"

    def task_from_row(self, row):
        return Task(
            prompt=row.text("question", "problem"), answer=row.get("answer"), metadata={"hardness": 1}
        )


ROWS = [{"question": f"{i} + 1 = ?", "answer": str(i + 1)} for i in range(30)]


def write(path, rows=ROWS):
    text = "\n".join(json.dumps(row) for row in rows) + "\n"
    (gzip.open if path.suffix == ".gz" else open)(path, "wb").write(text.encode())
    return str(path)


@pytest.mark.parametrize("name", ["test.jsonl", "test.jsonl.gz", "Other.jsonl"])
def test_a_file(tmp_path, name):
    tasks = Capitals(data=write(tmp_path / name)).tasks()
    assert [task.prompt for task in tasks] == [row["question"] for row in ROWS]
    assert tasks[3].id == f"Capitals-{name.partition('.')[0]}-4"


def test_a_folder_has_splits(tmp_path):
    write(tmp_path / "test.jsonl", ROWS[:10])
    write(tmp_path / "train.jsonl.gz", ROWS[10:])
    test, train = (Capitals(data=str(tmp_path), split=split).tasks() for split in ("test", "train"))
    assert (len(test), len(train)) == (10, 20)
    assert not {task.id for task in test} & {task.id for task in train}
    with pytest.raises(DataError, match=r"no validation\.jsonl .* test\.jsonl, train\.jsonl\.gz"):
        Capitals(data=str(tmp_path), split="validation").source(0)


def test_a_seed_is_an_order(tmp_path):
    problem = Capitals(data=write(tmp_path / "test.jsonl"))
    first, second = (list(problem.source(seed)) for seed in (0, 1))
    assert first != second
    assert (
        sorted(t.id for t in first) == sorted(t.id for t in second) == sorted(t.id for t in problem.tasks())
    )
    assert list(problem.source(0)) == first
    with pytest.raises(IndexError):
        problem.source(0)[30]


def test_a_changed_file_is_read_again(tmp_path):
    path = write(tmp_path / "test.jsonl")
    assert len(Capitals(data=path).tasks()) == 30
    write(tmp_path / "test.jsonl", ROWS[:5])
    os.utime(path, (1, 1))
    assert len(Capitals(data=path).tasks()) == 5


def test_blank_lines_are_passed_over_and_counted(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text('{"question": "a", "answer": 1}\n\n{"question": "b"}\n')
    with pytest.raises(
        DataError, match=r"test\.jsonl, line 3: a field 'answer' is expected; there are \['question'\]"
    ):
        Capitals(data=str(path)).tasks()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"question": "a"\n', "line 1: this is no JSON"),
        (b'{"question": "a", "answer": 1}\n[1, 2]\n', "line 2: a JSON object is expected; got list"),
        (b'{"question": 5, "answer": 1}\n', "line 1: text is expected in question or problem; got int"),
        (b"\xff\xfe\n", "cannot be read as JSONL in UTF-8"),
        (b"[" * 100_000 + b"\n", "line 1: this is no JSON"),
        (b"", "has no rows"),
    ],
)
def test_broken_files(tmp_path, content, message):
    path = tmp_path / "test.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        Capitals(data=str(path)).tasks()


def test_a_gz_that_is_none(tmp_path):
    path = tmp_path / "test.jsonl.gz"
    path.write_bytes(b"plain")
    with pytest.raises(DataError, match="cannot be read"):
        Capitals(data=str(path)).tasks()


def test_missing_data():
    with pytest.raises(ConfigError, match="needs data"):
        Capitals()
    with pytest.raises(DataError, match=r"no file 'nowhere\.jsonl'"):
        Capitals(data="nowhere.jsonl").tasks()
    with pytest.raises(DataError, match=r"no file '\./nowhere'"):
        Capitals(data="./nowhere").tasks()


def test_the_hub_needs_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"datasets: pip install 'rlvr-gym\[hf\]'"):
        load_rows("someone/absent", "test")


def test_the_hub_is_asked_for_name_configuration_and_split(monkeypatch):
    asked = []

    def load_dataset(name, config, split):
        asked.append((name, config, split))
        if name == "someone/wrong":
            raise RuntimeError("no such thing\nlong traceback")
        return ROWS

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    assert load_rows("someone/sums", "test", hub_config="main")[2].name == "test-2"
    load_rows("someone/sums:other", "train", hub_config="main")
    assert asked == [("someone/sums", "main", "test"), ("someone/sums", "other", "train")]
    with pytest.raises(DataError, match=r"'someone/wrong' .* could not be loaded: no such thing$"):
        load_rows("someone/wrong", "test")
