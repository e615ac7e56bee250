"""A shell in an environment of its own, as an author of environments has it."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def fresh_shell(tmp_path_factory):
    """The variables of a shell in a new virtual environment, in which rlvr-gym is installed from its wheel.

    All other packages are those of the environment that runs the tests, and pip reaches no index: nothing is
    downloaded, and it takes seconds.
    """
    venv = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=120)
    paths = sysconfig.get_paths("venv", vars={"base": str(venv), "platbase": str(venv)})
    lines = [f"import site; site.addsitedir({sysconfig.get_path(kind)!r})" for kind in ("purelib", "platlib")]
    Path(paths["purelib"], "packages_of_the_tests.pth").write_text("\n".join(dict.fromkeys(lines)))
    # a binary, which "python -m ruff" looks for in this very folder
    (venv / "bin" / "ruff").symlink_to(Path(sysconfig.get_path("scripts")) / "ruff")
    for tool in ("pip", "pytest"):
        script = venv / "bin" / tool
        script.write_text(f'#!/bin/sh\nexec "{venv}/bin/python" -m {tool} "$@"\n')
        script.chmod(0o755)
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))},
        "PATH": f"{venv}/bin{os.pathsep}{os.defpath}",
        "VIRTUAL_ENV": str(venv),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the wrong way round: 0 means no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [f"{venv}/bin/pip", "install", "--quiet", "--ignore-installed", str(ROOT)]
    subprocess.run(command, env=variables, check=True, timeout=900)
    return variables
