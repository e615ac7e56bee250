"""Built-in ids are known without their modules being imported, and none is missed."""

import importlib
import pkgutil
import subprocess
import sys

import rlvr_gym
from rlvr_gym import registration, verifier


def test_reading_the_files_finds_what_importing_them_registers():
    package = importlib.import_module("rlvr_gym.envs")
    for module in pkgutil.walk_packages(package.__path__, "rlvr_gym.envs."):
        importlib.import_module(module.name)
    registered = {e.id for e in rlvr_gym.list_envs() if e.problem.__module__.startswith("rlvr_gym.envs.")}
    assert registered == set(registration._builtin.modules)


def test_reading_the_files_finds_every_verifier():
    for package in ("rlvr_gym.verifiers", "rlvr_gym.envs"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    known = {name for name, cls in verifier._registry.items() if cls.__module__.startswith("rlvr_gym.")}
    assert known == set(verifier._builtin.modules)
    assert known <= set(rlvr_gym.verifier_names())


def test_import_leaves_environment_modules_alone_until_asked():
    script = (
        "import sys, rlvr_gym\n"
        "loaded = lambda: {m for m in sys.modules if m.startswith(('rlvr_gym.envs.', 'rlvr_gym.verifiers.'))}\n"
        "assert not loaded(), loaded()\n"
        "rlvr_gym.make('Arithmetic', difficulty=1)\n"
        "assert 'rlvr_gym.envs.numbers.arithmetic' in loaded() and len(loaded()) < 6, loaded()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
