"""reasoning-gym through the adapter: its tasks, its scorers, its holes, and the wall around them.

Skipped where the package or a sandbox that can import it is absent.
"""

import importlib.util
import json
from pathlib import Path

import gymnasium
import pytest
from typer.testing import CliRunner

import rlvr_gym
from rlvr_gym import ConfigError, MissingExtraError, Reason, Task, UnknownNameError
from rlvr_gym.cli.main import app
from rlvr_gym.envs.adapters.reasoning_gym import ReasoningGym, ReasoningGymVerifier
from rlvr_gym.sandbox import BackendUnavailableError, Limits, get_sandbox, make_sandbox, read_record
from rlvr_gym.sandbox.select import BACKENDS
from rlvr_gym.testing import check_determinism

USABLE = [name for name, cls in BACKENDS.items() if cls.takes_modules and cls().check().ok]
INSTALLED = importlib.util.find_spec("reasoning_gym") is not None
needs_package = pytest.mark.skipif(not (INSTALLED and USABLE), reason="needs reasoning-gym and a sandbox")

EVALUATED = ["string_insertion", "spiral_matrix", "binary_matrix", "n_queens"]  # by eval
PARSED = [
    "countdown",
    "puzzle24",
    "simple_integration",
    "intermediate_integration",
    "polynomial_multiplication",
]  # by SymPy's parse_expr, which is eval


def first(dataset, **settings):
    problem = ReasoningGym(dataset=dataset, **settings)
    return problem, problem.source(0)[0]


def judge(dataset, answer):
    problem, task = first(dataset)
    return problem.make_verifier().verify(f"<answer>{answer}</answer>", task)


@needs_package
def test_a_task_and_its_score():
    env = gymnasium.make("rlvr_gym:rlvr/ReasoningGym-v0", dataset="chain_sum", config={"max_terms": 3})
    prompt, info = env.reset(seed=3)
    assert "<answer>" in prompt
    reference = env.unwrapped.task.answer["reference"]
    assert env.step(f"Surely <answer> {reference} </answer>.")[1] == 1.0
    assert env.reset(seed=3) == (prompt, info)
    assert env.step("<answer>banana</answer>")[1] == 0.0
    copy = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert copy.reset(seed=3)[0] == prompt


@needs_package
def test_seeds_do_not_overlap():
    """In reasoning-gym itself item ``i`` of seed ``s`` is item ``i - 1`` of seed ``s + 1``."""
    problem = ReasoningGym(dataset="number_sorting")
    streams = [[problem.source(seed)[i] for i in range(4)] for seed in (11, 12)]
    prompts = [{task.prompt for task in stream} for stream in streams]
    assert len(prompts[0]) == len(prompts[1]) == 4
    assert not prompts[0] & prompts[1]
    assert problem.source(11)[2].to_json() == streams[0][2].to_json()


@needs_package
def test_generators_that_depend_on_hash_order_do_not_here():
    check_determinism({"rlvr/ReasoningGym-v0": {"dataset": "isomorphic_strings"}})


@needs_package
@pytest.mark.parametrize("dataset", ["knights_knaves", "pool_matrix", "quantum_lock"])
def test_an_entry_survives_json(dataset):
    problem, task = first(dataset)
    again = Task.from_json(task.to_json())
    assert again == task
    assert "Opaque" not in task.to_json()
    verdict = problem.make_verifier().verify(f"<answer>{problem.answer_text(again)}</answer>", again)
    assert verdict.correct


@needs_package
@pytest.mark.parametrize(
    ("dataset", "hole"), [("game_of_life_halting", "banana"), ("complex_arithmetic", "nan")]
)
def test_known_holes_are_visible(dataset, hole):
    """The adapter passes on what their scorers say: an audit has to be able to find this."""
    env = gymnasium.make("rlvr_gym:rlvr/ReasoningGym-v0", dataset=dataset)
    rewards = []
    for seed in range(3):
        env.reset(seed=seed)
        rewards.append(env.step(f"<answer>{hole}</answer>")[1])
    assert max(rewards) == 1.0


@needs_package
@pytest.mark.parametrize("dataset", EVALUATED + PARSED)
def test_answers_are_executed_and_only_their_own_process_dies(dataset):
    verdict = judge(dataset, "__import__('os')._exit(0)")
    assert (verdict.valid, verdict.reason) == (False, Reason.WORKER_CRASHED)


@needs_package
@pytest.mark.parametrize("dataset", ["spiral_matrix", "polynomial_multiplication"])
def test_executed_answers_reach_nothing(dataset, tmp_path):
    mark = tmp_path / "mark"
    tmp_path.chmod(0o777)
    shared = Path("/tmp/rlvr-gym-was-here")
    for path in (mark, shared):
        verdict = judge(dataset, f"[open('{path}', 'w').write('x')]")
        assert not verdict.correct
        assert USABLE[0] == "subprocess" or not path.exists()
    # whoever gets a socket ends with a record of a full score; whoever does not, ends without
    claim = """__import__('os').write(3, b'{"value":["f","0x1p+0"]}\\n')"""
    assert judge(dataset, f"[{claim}, __import__('os')._exit(0)]").correct, "the claim itself works"
    assert not judge(dataset, f"[__import__('socket').socket(), {claim}, __import__('os')._exit(0)]").correct
    assert not judge(dataset, f"[open('/opt/0/mark', 'w'), {claim}, __import__('os')._exit(0)]").correct


@needs_package
def test_an_execution_leaves_nothing_for_the_next_answer():
    poison = "[setattr(__import__('builtins'), 'float', lambda score: 1.0)]"
    for answer in (poison, "1 2 3", poison, "banana"):
        assert not judge("spiral_matrix", f"{answer}").correct or answer == poison


@needs_package
def test_a_scorer_that_hangs_is_killed(monkeypatch):
    limits = Limits(cpu_seconds=0.5, wall_seconds=2.0, total_seconds=2.0, memory_mb=512)
    monkeypatch.setattr("rlvr_gym.envs.adapters.reasoning_gym.SCORE_LIMITS", limits)
    verdict = judge("spiral_matrix", "[x for x in iter(int, 1)]")
    assert (verdict.valid, verdict.reason) == (False, Reason.TIMEOUT)


@needs_package
def test_a_scorer_that_raises():
    """On this text only: a wrong answer. On its own reference, too: broken, and not the policy's fault."""
    problem, task = first("prime_factorization")
    verifier = problem.make_verifier()
    verdict = verifier.verify("<answer>banana</answer>", task)
    assert (verdict.valid, verdict.reason, verdict.score) == (True, Reason.UNPARSEABLE, 0.0)
    _, task = first("complex_arithmetic")
    broken = Task(task.prompt, {**task.answer, "entry": ["d", "answer", "7"]}, "broken")
    verdict = verifier.verify("<answer>banana</answer>", broken)
    assert (verdict.valid, verdict.reason) == (False, Reason.VERIFIER_ERROR)
    foreign = verifier.verify("<answer>7</answer>", Task("", "7", "foreign"))
    assert (foreign.valid, foreign.reason) == (False, Reason.VERIFIER_ERROR)


@needs_package
def test_without_a_sandbox_nothing_is_said():
    _, task = first("chain_sum")
    for verdict in (
        ReasoningGymVerifier("docker").verify("<answer>7</answer>", task),
        *ReasoningGymVerifier("docker").verify_batch(["<answer>7</answer>"], [task]),
    ):
        assert (verdict.valid, verdict.reason) == (False, Reason.INFRASTRUCTURE_ERROR)


@needs_package
def test_wrong_settings():
    with pytest.raises(UnknownNameError, match="did you mean zebra_puzzles"):
        first("zebra_puzzle")
    with pytest.raises(ConfigError, match=r"chain_sum refuses the config .*min_terms"):
        first("chain_sum", config={"min_terms": 9, "max_terms": 2})
    with pytest.raises(ConfigError, match=r"refuses the config .*unexpected keyword"):
        first("chain_sum", config={"colour": "red"})


def test_settings_that_need_no_package():
    with pytest.raises(ConfigError, match="needs dataset"):
        rlvr_gym.load_problem("ReasoningGym")
    for config in ({"seed": 3}, {"size": 3}, "x"):
        with pytest.raises(ConfigError, match="without seed and size"):
            rlvr_gym.load_problem("ReasoningGym", dataset="chain_sum", config=config)


def test_without_the_package(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'rlvr-gym\[reasoning-gym\]'"):
        rlvr_gym.load_problem("ReasoningGym", dataset="chain_sum")


def test_it_is_listed_as_untrusted():
    listed = json.loads(CliRunner().invoke(app, ["list", "--family", "adapters", "--json"]).stdout)
    trusted = {row["id"]: row["trusted"] for row in listed}
    assert not trusted["rlvr/ReasoningGym-v0"]
    assert "untrusted" in CliRunner().invoke(app, ["list", "--family", "adapters"]).stdout


@pytest.mark.parametrize("backend", USABLE)
def test_sandboxes_import_packages_only_where_asked(backend):
    program = "def f():\n    import numpy\n    return numpy.__name__"
    with make_sandbox(backend, 1, modules=("numpy",)) as sandbox:
        result = sandbox.call(program, "f", [[]], Limits(memory_mb=512))
        assert read_record(result.records[0]).value == "numpy"
    with make_sandbox(backend, 1) as sandbox:
        result = sandbox.call(program, "f", [[]])
        assert read_record(result.records[0]).raised == "ModuleNotFoundError"


def test_docker_does_not_take_packages():
    with pytest.raises(BackendUnavailableError, match="use bubblewrap"):
        get_sandbox("docker", modules=("numpy",))
