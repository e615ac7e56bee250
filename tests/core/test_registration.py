"""The registry: ids, errors, and plug-ins of third parties."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import ClassVar

import gymnasium
import pytest

import rlvr_gym
from rlvr_gym import ConfigError, Problem, RegistrationError, Task, UnknownNameError, register


@dataclass(frozen=True, kw_only=True)
class Echo(Problem):
    """Say the word.

    More about it.
    """

    verifier: ClassVar[str] = "rational"
    word: str = "7"

    def generate(self, rng, difficulty):
        return Task(f"Say {self.word}", self.word)


def test_a_new_environment_in_one_call():
    register("test/Echo-v3", Echo, family="test", defaults={"word": "8"})
    env = gymnasium.make("test/Echo-v3")
    assert env.reset(seed=0)[0] == "Say 8"
    assert env.step("8")[1] == 1.0
    assert rlvr_gym.make("test/Echo-v3", word="9").reset(seed=0)[0] == "Say 9"
    entry = rlvr_gym.registration.entry("test/Echo-v3")
    assert (entry.id, entry.family, entry.summary, entry.defaults) == (
        "test/Echo-v3",
        "test",
        "Say the word.",
        {"word": "8"},
    )
    register("test/Echo-v3", Echo, family="test")  # again, as a reloaded module does


@pytest.mark.parametrize("name", ["rlvr/Arithmetic-v0", "Arithmetic-v0", "rlvr/Arithmetic", "Arithmetic"])
def test_short_forms(name):
    assert rlvr_gym.load_problem(name) == rlvr_gym.load_problem("rlvr/Arithmetic-v0")


@pytest.mark.parametrize("id", ["Echo-v0", "test/Echo", "test/Echo-v", "a/b/c-v0", "test/Echo-v0\n", ""])
def test_ids_of_another_form(id):
    with pytest.raises(RegistrationError, match="An id looks like"):
        register(id, Echo, family="test")


def test_an_id_that_is_taken():
    with pytest.raises(RegistrationError, match="'rlvr/Arithmetic-v0' is taken"):
        register("rlvr/Arithmetic-v0", Echo, family="test")


@pytest.mark.parametrize("thing", [object, dict, 5, Echo(), Problem.generate])
def test_what_is_no_problem(thing):
    with pytest.raises(RegistrationError, match="subclass of Problem"):
        register("test/Thing-v0", thing, family="test")


def test_unknown_names_and_settings():
    with pytest.raises(UnknownNameError, match="did you mean rlvr/Arithmetic-v0"):
        rlvr_gym.make("rlvr/Arithmetik-v0")
    with pytest.raises(ConfigError, match="has no setting size; it has"):
        rlvr_gym.load_problem("Arithmetic", size=3)


def test_every_entry_is_listed_with_a_summary_and_known_to_gymnasium():
    entries = [
        entry for entry in rlvr_gym.list_envs() if entry.id.startswith("rlvr/")
    ]  # not those of other tests
    assert len({entry.id for entry in entries}) == len(entries) > 3
    for entry in entries:
        assert entry.summary.endswith((".", "?")), entry.id
        assert entry.id in gymnasium.registry
    assert [(e.family, e.id) for e in entries] == sorted((e.family, e.id) for e in entries)


# -- plug-ins -------------------------------------------------------------------------------------------------------

PLUGIN = """
    from dataclasses import dataclass
    from typing import ClassVar
    from rlvr_gym import Problem, Task, Verdict, Verifier, register, register_verifier

    @register_verifier("acme_word")
    class SameWord(Verifier):
        def judge(self, completion, task):
            return Verdict.right() if completion == task.answer else Verdict.wrong()

    @dataclass(frozen=True, kw_only=True)
    class Word(Problem):
        verifier: ClassVar[str] = "acme_word"
        def generate(self, rng, difficulty):
            return Task("Say hello", "hello")

    def setup():
        register("acme/Word-v0", Word, family="acme")
"""


def install(folder, name, code, value):
    """A distribution as pip would leave it: a module, and its metadata with an entry point."""
    (folder / f"{name}.py").write_text(textwrap.dedent(code))
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[rlvr_gym.envs]\n{name} = {value}\n")


def run(folder, script):
    script = f"import sys; sys.path.insert(0, {str(folder)!r})\n" + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(("value", "first"), [("acme:setup", ""), ("acme", ""), ("acme", "import acme")])
def test_a_plugin_is_found(tmp_path, value, first):
    code = PLUGIN if value == "acme:setup" else PLUGIN + "\n    setup()\n"
    install(tmp_path, "acme", code, value)
    done = run(
        tmp_path,
        f"""
        {first}
        import gymnasium
        env = gymnasium.make("rlvr_gym:acme/Word-v0")
        env.reset(seed=0)
        print(env.step("hello")[1])
        import rlvr_gym
        print(rlvr_gym.registration.entry("acme/Word").family)
        envs = rlvr_gym.make_vec("acme/Word-v0", num_envs=2, executor="process")  # workers know it, too
        envs.reset(seed=0)
        print(envs.step(["hello", "bye"])[1].tolist())
        envs.close()
        """,
    )
    assert done.stdout.splitlines() == ["1.0", "acme", "[1.0, 0.0]"], done.stderr


@pytest.mark.parametrize(
    ("code", "value", "message"),
    [
        ("raise RuntimeError('broken inside')", "acme", "broken inside"),
        ("import no_such_package", "acme", "no_such_package"),
        ("", "acme:setup", "setup"),
        (
            "import rlvr_gym\ndef setup(): rlvr_gym.register('nonsense', object, family='x')",
            "acme:setup",
            "id looks like",
        ),
        ("import sys\nsys.exit('plug-in leaves')", "acme", "plug-in leaves"),
    ],
)
def test_a_broken_plugin_is_reported_and_breaks_nothing(tmp_path, code, value, message):
    install(tmp_path, "acme", code, value)
    install(tmp_path, "other", PLUGIN.replace("acme", "other"), "other:setup")
    done = run(
        tmp_path,
        """
        import rlvr_gym
        print(rlvr_gym.load_problem("Arithmetic").source(0)[0].id != "", rlvr_gym.registration.entry("other/Word").id)
        """,
    )
    assert done.stdout.split() == ["True", "other/Word-v0"], done.stderr
    assert "The plug-in acme" in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_may_be_marked_as_not_to_be_trusted():
    register("test/Rumour-v0", Echo, family="test", trusted=False)

    @register("test/Hearsay-v0", family="test", trusted=False)
    @dataclass(frozen=True, kw_only=True)
    class Hearsay(Echo):
        """Say what was said."""

    trusted = {e.id: e.trusted for e in rlvr_gym.list_envs()}
    assert not trusted["test/Rumour-v0"]
    assert not trusted["test/Hearsay-v0"]
    assert trusted["rlvr/Arithmetic-v0"]
