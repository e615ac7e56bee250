"""``rlvr-gym init``: the package that it makes is whole, clean and well named; bad names are refused."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rlvr_gym.cli.main import run
from rlvr_gym.errors import ConfigError
from rlvr_gym.scaffold import check_name, package_files
from rlvr_gym.scaffold.package import TEMPLATE


def tool(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def test_every_file_of_the_template_is_written(tmp_path, capsys):
    folder = tmp_path / "deep" / "graph-games"
    assert run(["init", "graph-games", "--path", str(folder)]) == 0
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == set(package_files("graph-games"))
    assert len(written) == sum(path.is_file() for path in TEMPLATE.rglob("*"))
    assert {".gitignore", ".github/workflows/ci.yml", "src/graph_games/py.typed"} <= written
    told = capsys.readouterr().out
    assert f"cd {folder}" in told
    assert "rlvr-gym list --family graph-games" in told


def test_nothing_of_the_template_s_name_is_left():
    for path, text in package_files("graph-games").items():
        assert not re.search(r"my[-_ ]?env|\.tmpl|RLVR_GYM_VERSION", f"{path}\n{text}"), path


def test_the_package_names_its_module_as_the_entry_point():
    project = tomllib.loads(package_files("graph-games")["pyproject.toml"])["project"]
    assert project["name"] == "graph-games"
    assert project["entry-points"]["rlvr_gym.envs"] == {"graph-games": "graph_games"}
    assert project["dependencies"] == ["rlvr-gym>=0.1.0"]


# names of other lengths wrap and sort otherwise
@pytest.mark.parametrize("name", ["a", "zebra-puzzles", "puzzles-of-the-chess-club-2026"])
def test_style_of_what_is_written(name, tmp_path):
    folder = tmp_path / name
    assert run(["init", name, "--path", str(folder)]) == 0
    for command in (["ruff", "check", "--no-cache", "."], ["ruff", "format", "--no-cache", "--check", "."]):
        done = tool(*command, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("MyEnv", "such as my-env"),
        ("my_env", "such as my-env"),
        ("9lives", "such as my-env"),
        ("", "got ''"),
        ("../up", "such as up"),
        ("a--b", "such as a-b"),
        ("a" * 31, "at most 30"),
        ("json", "exists already"),
        ("class", "exists already"),
        ("rlvr-gym", "exists already"),
        ("rlvr", "exists already"),
        ("numpy", "exists already"),
    ],
)
def test_a_bad_name_is_refused_in_one_sentence(name, fragment, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["init", name]) == 2
    told = capsys.readouterr().err
    assert fragment in told
    assert told.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_id_s_namespace_can_be_made_of_every_good_name():
    assert check_name("a1-b2") == "a1_b2"
    with pytest.raises(ConfigError):
        check_name("a1-b2\n")


def test_what_is_there_already_is_left_alone(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my-env").mkdir()
    Path("file").write_text("kept")
    assert run(["init", "my-env"]) == 2
    assert run(["init", "my-env", "--path", "file"]) == 2
    assert run(["init", "my-env", "--path", "file/below"]) == 2
    assert capsys.readouterr().err.count("--path") == 3
    assert Path("file").read_text() == "kept"
    assert not list(Path("my-env").iterdir())
