"""The installed program as a process: exit codes, pipes, signals, and what it does not import."""

import json
import signal
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-c", "from rlvr_gym.cli.main import main; main()"]


def program(*line, **options):
    return subprocess.run([*PROGRAM, *line], capture_output=True, text=True, timeout=120, **options)


def test_exit_codes_and_streams():
    done = program("sample", "Arithmetic", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["index"] == 0
    assert done.stderr == ""
    done = program("sample", "Arithmetik")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert program("--version").stdout.startswith("rlvr-gym ")
    assert program().returncode == 2


@pytest.mark.parametrize(
    "line",
    [["sample", "Arithmetic", "-n", "20000", "--json"], ["sample", "Arithmetic", "-n", "2000"]],
)
def test_a_reader_that_leaves_is_no_error(line):
    process = subprocess.Popen([*PROGRAM, *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 128 + signal.SIGPIPE


def test_ctrl_c_is_130_and_one_line():
    process = subprocess.Popen(
        [*PROGRAM, "play", "Arithmetic"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # jobs in the background are born ignoring Ctrl-C, and hand that down
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout.readline()  # the prompt: it waits for input now
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == b"Interrupted.\n"


def test_verify_streams_from_stdin_to_stdout():
    rows = "".join(
        json.dumps({"id": i, "completion": f"<answer>{i}</answer>", "answer": "2"}) + "\n" for i in range(4)
    )
    done = program("verify", "--verifier", "rational", "--input", "-", "--workers", "0", input=rows)
    assert [json.loads(line)["correct"] for line in done.stdout.splitlines()] == [False, False, True, False]
    assert "4 rows" in done.stderr


def test_nothing_heavy_is_imported_where_it_is_not_needed():
    code = (
        "import sys; from rlvr_gym.cli.main import run; run(['list']); run(['--help']); "
        "print([m for m in ('torch', 'transformers', 'docker', 'openai', 'httpx', 'jinja2', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("line", "missing", "extra"),
    [
        (["train", "Arithmetic"], "torch", "train"),
        (["eval", "Arithmetic", "-m", "smollm2"], "torch", "train"),
        (["eval", "Arithmetic", "-m", "openai:http://localhost:1/v1#m"], "httpx", "eval"),
    ],
)
def test_a_missing_extra_is_told_with_the_command_that_brings_it(line, missing, extra, tmp_path):
    code = f"import sys; sys.modules[{missing!r}] = None; from rlvr_gym.cli.main import main; main({line!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert f"pip install 'rlvr-gym[{extra}]'" in done.stderr
    assert done.stderr.count("\n") == 1
