"""How the guest's modules get into a bare interpreter: as source text over its standard input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["COMMAND", "payload"]

_PACKAGE = "rlvr_gym.sandbox.guest"
_MODULES = ("literals", "jail", "files", "processes", "lint", "program", "server")

COMMAND = """\
import json, os, sys, types
def read(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part: sys.exit("the host left")
        data += part
    return data
start = json.loads(read(int.from_bytes(read(4), "big")))
for name in start["packages"]: sys.modules[name] = types.ModuleType(name)
for name, source in start["modules"]:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, "<" + name + ">", "exec"), module.__dict__)
    package, _, short = name.rpartition(".")
    setattr(sys.modules[package], short, module)
sys.modules[name].main(start["config"])
"""
"""For ``python -c``: receives the modules, and runs ``main`` of the last."""


def payload(config: dict[str, Any]) -> bytes:
    """What the command reads: the guest's sources and its configuration.

    Args:
        config: ``workdir`` (emptied after each job), ``protected`` (process ids), ``filter`` (whether to install the
            system call filter), and optionally ``paths`` and ``modules`` (of installed packages, loaded at the start).
    """
    here = Path(__file__).parent
    start = {
        "packages": ["rlvr_gym", "rlvr_gym.sandbox", _PACKAGE],
        "modules": [[f"{_PACKAGE}.{name}", (here / f"{name}.py").read_text()] for name in _MODULES],
        "config": config,
    }
    body = json.dumps(start).encode()
    return len(body).to_bytes(4, "big") + body
