"""Takes the steps of a page, given as JSON on standard input, in one interpreter and one folder."""

import json
import subprocess
import sys
from pathlib import Path

names: dict[str, object] = {"__name__": "__main__"}
for step in json.load(sys.stdin):
    text = step["text"]
    if step["do"] == "write":
        path = Path(step["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif step["do"] == "python":
        # so that a traceback names page and line
        exec(compile("\n" * (step["line"] - 1) + text, step["page"], "exec"), names)
    else:
        command = ["bash", "-c", f"set -o pipefail; {text}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{step['page']}:{step['line']}: {text}\n{done.stdout}{done.stderr}")
