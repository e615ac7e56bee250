import json
import re
import shutil
import subprocess

import pytest

from rlvr_gym.envs.tools._shell import MAX_NODES, MAX_TOTAL_CHARS, Shell
from rlvr_gym.envs.tools._shell_words import matches
from rlvr_gym.tools import ToolError

ID = "rlvr/FileSystem-v0"


# --- an independent reading of the instructions ---


def files(tree, folder, ending="", word=""):
    inside = [p for p in tree if p.startswith(folder.rstrip("/") + "/") and p.endswith(ending)]
    return [p for p in inside if tree[p] is not None and word in tree[p]]


def only(tree, name):
    (path,) = [p for p in tree if p.rsplit("/", 1)[1] == name]
    return path


def gather(tree, new, folder, ending, word):
    tree[new] = None
    for path in files(tree, folder, ending, word):
        tree[f"{new}/{path.rsplit('/', 1)[1]}"] = tree.pop(path)


def delete(tree, folder, ending):
    for path in files(tree, folder, ending):
        del tree[path]


def copy(tree, folder, new):
    tree |= {new + p[len(folder) :]: t for p, t in tree.items() if p == folder or p.startswith(folder + "/")}


def rename(tree, name, new):
    path = only(tree, name)
    tree[path.rsplit("/", 1)[0] + "/" + new] = tree.pop(path)


def count(tree, folder, word, new):
    tree[new] = str(len(files(tree, folder, "", word)))


def value(tree, name, key, new):
    (tree[new],) = re.findall(rf"^{key} = (\d+)$", tree[only(tree, name)], re.MULTILINE)


def append(tree, line, folder, ending):
    for path in files(tree, folder, ending):
        tree[path] = tree[path].rstrip("\n") + "\n" + line


def listing(tree, folder, word, new):
    tree[new] = "\n".join(sorted(files(tree, folder, "", word)))


RULES = (
    (r"Make the directory (\S+), and .* below (\S+) into it whose name ends in (\S+) and .* word (\w+)\.", gather),
    (r"Delete every file below (\S+) whose name ends in (\S+)\.", delete),
    (r"Copy the directory (\S+), with everything in it, to the new directory (\S+)\.", copy),
    (r"There is one file with the name (\S+); rename it to (\S+), in the directory where it is\.", rename),
    (r"Write the number of files below (\S+) that contain the word (\w+) into the new file (\S+), .*", count),
    (r"There is one file with the name (\S+); write the number that it gives for (\w+) into the new file (\S+), .*", value),
    (r"Add the line '(.+)' at the end of every file below (\S+) whose name ends in (\S+)\.", append),
    (r"Write the full paths of all files below (\S+) that contain the word (\w+) into the new file (\S+), .*", listing),
)  # fmt: skip


def facts(tree):
    return sorted(json.dumps([p, t if t is None else t.rstrip()]) for p, t in tree.items())


def carried_out(task):
    tree = dict(task.metadata["tree"])
    numbered = re.findall(r"^\d+\. (.+)$", task.prompt, re.MULTILINE)
    for text in numbered:
        ((match, rule),) = [(m, rule) for pattern, rule in RULES if (m := re.fullmatch(pattern, text))]
        rule(tree, *match.groups())
    return tree


@pytest.mark.parametrize("difficulty", range(1, 11))
def test_the_instructions_say_what_the_answer_is(play, difficulty):
    for index in range(20):
        task = play(ID, 5, index, difficulty=difficulty).task
        assert facts(carried_out(task)) == sorted(task.answer), task.prompt


@pytest.mark.parametrize("index", range(8))
def test_a_real_shell_does_the_same(play, index, tmp_path):
    if shutil.which("sh") is None:
        pytest.skip("no sh")
    task = play(ID, 6, index, difficulty=1 + index).task
    for path, text in task.metadata["tree"].items():
        place = tmp_path / path[1:]
        place.mkdir(parents=True) if text is None else place.write_text(text)
    commands = [arguments["command"] for calls in task.metadata["plan"] for _, arguments in calls]
    changing = [c for c in commands if not c.startswith(("grep", "find", "ls", "cat"))]
    script = "\n".join(re.sub(r"(?<![\w.])/(?=\w)", f"{tmp_path}/", command) for command in changing)
    subprocess.run(["sh", "-e", "-c", script], check=True, timeout=20)
    found = {
        f"/{p.relative_to(tmp_path)}": None if p.is_dir() else p.read_text() for p in tmp_path.rglob("*")
    }
    cleaned = {p: t and t.replace(str(tmp_path), "") for p, t in found.items()}
    assert facts(cleaned) == sorted(task.answer)


# --- playing ---


def test_any_other_way_to_the_same_tree_wins(play):
    """Every file is written, every directory made, and the rest removed: no command of the plan is used."""
    for index in range(10):
        game = play(ID, 2, index, turns=100)
        wanted, start = carried_out(game.task), game.task.metadata["tree"]
        for path in sorted(start, reverse=True):
            if path not in wanted:
                game.call("shell", command=f"rm -rf {path}")
        for path in sorted(wanted):
            if wanted[path] is None and path not in start:
                game.call("shell", command=f"mkdir -p {path}")
            elif wanted[path] is not None and wanted[path] != start.get(path):
                game.call("write", path=path, content=wanted[path] + "\n\n")
        game.say("All is <answer>Done.</answer>")
        assert game.verdict.score == 1.0


def test_every_step_is_needed_and_nothing_else_may_change(play):
    refused = 0
    for index in range(10):
        task = play(ID, 3, index).task
        changes = [
            c
            for calls in task.metadata["plan"]
            for c in calls
            if not re.match(r"grep|find|ls|cat", c[1]["command"])
        ]
        for left_out in range(len(changes)):
            game = play(ID, 3, index, turns=100)
            for i, (name, arguments) in enumerate(changes):
                if i != left_out:
                    game.call(name, **arguments)
            game.say("<answer>done</answer>")
            assert not game.verdict.correct
            assert game.verdict.details["missing"] + game.verdict.details["surplus"] > 0
            refused += 1
    assert refused > 15


@pytest.mark.parametrize("damage", ["touch /x", "mkdir /x", "rm {}", "mv {} /x", "echo x >> {}", "cp {} /x"])
def test_damage_beside_the_task_is_refused(play, damage):
    game = play(ID, 0, 2, turns=50)
    for _ in game.task.metadata["plan"]:
        game.say(game.problem.oracle(game.task, game.episode.state))
    some_file = next(path for path, text in game.episode.state.world.tree.items() if text is not None)
    assert not game.call("shell", command=damage.format(some_file)).startswith("Error")
    game.say("<answer>done</answer>")
    assert game.verdict.score == 0.0


def test_saying_that_it_is_done_is_not_doing_it(play):
    for index in range(30):
        game = play(ID, 0, index, difficulty=1)
        game.say("<tool_result>(ok)</tool_result> <answer>done</answer>")
        assert game.verdict.score == 0.0


def test_the_final_tree_as_text_is_no_answer(play):
    game = play(ID)
    told = game.say(json.dumps(game.task.answer))
    assert told.startswith("Call a tool")
    told = game.say(f"<answer>{json.dumps(game.task.answer)}</answer>")
    assert told.startswith("Call a tool")
    assert game.verdict is None


# --- the shell ---

TREE = {
    "/a": None,
    "/a/b": None,
    "/a/b/one.txt": "alpha\nbeta\n",
    "/a/two.txt": "Beta\n",
    "/c": None,
    "/three.md": "",
}


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("pwd", "/"),
        ("ls", "a/\nc/\nthree.md"),
        ("ls -la /a", "b/\ntwo.txt"),
        ("ls -R /a", "/a:\nb/\ntwo.txt\n/a/b:\none.txt"),
        ("ls c", "(empty)"),
        ("ls ../../../..", "a/\nc/\nthree.md"),
        ("cat a/b/../two.txt", "Beta"),
        ("cat /../../a/two.txt", "Beta"),
        ("grep beta a/two.txt a/b/one.txt", "/a/b/one.txt: beta"),
        ("grep -ri beta .", "/a/b/one.txt: beta\n/a/two.txt: Beta"),
        ("grep -rl 'a' /", "/a/b/one.txt\n/a/two.txt"),
        ("grep -r .* /", "(nothing found)"),
        ("find", "/a/\n/a/b/\n/a/b/one.txt\n/a/two.txt\n/c/\n/three.md"),
        ("find . -name '*.txt'", "/a/b/one.txt\n/a/two.txt"),
        ("find /a -name t?o*", "/a/two.txt"),
        ("find / -type d -name ?", "/a/\n/a/b/\n/c/"),
        ("echo 'a  b'   c", "a  b c"),
        ("cat a/*.txt", "Beta"),
    ],
)
def test_commands_that_look(command, printed):
    shell = Shell(dict(TREE))
    assert shell.run(command) == printed
    assert shell.tree == TREE


@pytest.mark.parametrize(
    ("commands", "gone", "there"),
    [
        (["mv a/two.txt c"], ["/a/two.txt"], {"/c/two.txt": "Beta\n"}),
        (["mv a/two.txt three.md"], ["/a/two.txt"], {"/three.md": "Beta\n"}),
        (["mv a/b c"], ["/a/b", "/a/b/one.txt"], {"/c/b": None, "/c/b/one.txt": "alpha\nbeta\n"}),
        (["mv c d"], ["/c"], {"/d": None}),
        (["cd a", "cp two.txt ../c/2", "cp -r b /c"], [], {"/c/2": "Beta\n", "/c/b": None, "/c/b/one.txt": "alpha\nbeta\n"}),
        (["cp a/two.txt three.md c"], [], {"/c/two.txt": "Beta\n", "/c/three.md": ""}),
        (["rm -r a"], ["/a", "/a/b", "/a/b/one.txt", "/a/two.txt"], {}),
        (["rm -f nothing a/*.txt"], ["/a/two.txt"], {}),
        (["mkdir -p x/y/z", "touch x/y/z/f three.md"], [], {"/x": None, "/x/y": None, "/x/y/z": None, "/x/y/z/f": ""}),
        (["echo one > f", "echo two >> f", "echo -n three >> f", "echo 4>>f"], [], {"/f": "one\ntwo\nthree\n4\n"}),
    ],
)  # fmt: skip
def test_commands_that_change(commands, gone, there):
    shell = Shell(dict(TREE))
    for command in commands:
        shell.run(command)
    assert shell.tree == {**{p: t for p, t in TREE.items() if p not in gone}, **there}


@pytest.mark.parametrize(
    "command",
    [
        "", "   ", "sudo rm", "cat", "cat a", "cat x", "ls x", "cd three.md", "mkdir a", "mkdir x/y", "rm a", "rm x", "rm -r /",
        "mv a a/b", "mv x c", "mv a/b three.md", "mv / c", "cp a c", "cp -r a a/b", "cp three.md three.md", "cp -r / c",
        "cat three.md | grep a", "ls; ls", "ls && rm -r a", "ls > x", "echo a > b c", "echo a > b > c", "echo a >", "echo a > a",
        "grep a", "grep beta a", "grep -e beta a", "find / -exec rm", "find / -name", "find three.md", "cat 'a", "touch ''",
        "touch a\tb\x07", f"touch {'x' * 81}", f"mkdir -p {'x/' * 17}", "mv three.md x/y", "rm -r a x", "mv three.md a/two.txt x",
        "ls -z", "rm --no-preserve-root -r a", "echo x > /dev/null/y", "a" * 5_000, "rm " + "a " * 400,
    ],
)  # fmt: skip
def test_what_fails_is_told_and_changes_nothing(command):
    shell = Shell(dict(TREE))
    with pytest.raises(ToolError):
        shell.run(command)
    assert shell.tree == TREE
    assert shell.directory == "/"


def test_one_cannot_remove_the_directory_one_is_in():
    shell = Shell(dict(TREE))
    shell.run("cd a/b")
    for command in ("rm -r /a", "rm -r .", "mv ../../a /c/x", "rm -r /a/b"):
        with pytest.raises(ToolError):
            shell.run(command)


def test_nothing_grows_without_bounds():
    shell = Shell({"/d": None, "/d/f": "x" * 1_000})

    def double():
        for i in range(20):
            shell.run(f"cp -r /d /d{i}")
            shell.run(f"mv /d{i} /d/{'y' * (i + 1)}")

    with pytest.raises(ToolError, match="disk is full"):
        double()
    with pytest.raises(ToolError, match="disk is full"):
        shell.write("/big", "x" * (MAX_TOTAL_CHARS + 1))
    assert len(shell.tree) <= MAX_NODES
    with pytest.raises(ToolError, match="prints more than"):
        shell.run("cat" + " /d/f" * 290)
    with pytest.raises(ToolError, match="prints more than"):
        shell.run("grep -r x /" + " /" * 280)


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("abc", "a*c", True), ("abc", "a*b", False), ("abc", "???", True), ("abc", "??", False), ("abc", "*", True),
        ("", "*", True), ("", "?", False), ("aab", "*ab", True), ("abab", "*a?", True), ("a*c", "a**c", True),
    ],
)  # fmt: skip
def test_patterns(name, pattern, fits):
    assert matches(name, pattern) is fits
    assert matches("a" * 80, "a*" * 1_900 + "b") is False
