"""``rlvr-gym``: assembles the commands, and turns every error that a user can cause into one sentence."""

from __future__ import annotations

import os
import signal
import sys
from importlib.metadata import version
from typing import Annotated, cast

import typer

from rlvr_gym.cli import (
    audit,
    bench,
    catalogue,
    compare,
    data,
    doctor,
    evaluate,
    export,
    init,
    leaderboard,
    pipeline,
    play,
    report,
    rescore,
    rewards,
    sample,
    sandbox,
    scaling,
    serve,
    train,
    verify,
)
from rlvr_gym.cli.console import plain, stderr
from rlvr_gym.errors import RLVRError, os_reason

__all__ = ["app", "main"]

USAGE_ERROR = 2
INTERNAL_ERROR = 1
INTERRUPTED = 128 + signal.SIGINT
# typer brings click along in some versions and depends on it in others: this is its ClickException in both
_ClickException = cast("type[Exception]", typer.BadParameter.__mro__[2])

app = typer.Typer(
    name="rlvr-gym",
    help="Text environments with rewards that programs verify: look, play, verify, evaluate, train, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(catalogue.list_environments)
app.command("catalogue")(catalogue.write)
app.command("sample")(sample.sample)
app.command("play")(play.play)
app.command("verify")(verify.verify)
app.command("eval")(evaluate.evaluate_model)
app.command("compare")(compare.compare_runs)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("export")(export.export)
app.command("serve")(serve.serve)
app.command("init")(init.init)
app.command("train")(train.train)
app.command("pipeline")(pipeline.pipeline)
app.command("report")(report.report)
app.command("bench")(bench.bench)
app.command("scaling")(scaling.scaling)
app.command("audit")(audit.audit)
app.command("rescore")(rescore.rescore)
app.command("doctor")(doctor.doctor)
app.add_typer(sandbox.app)
app.add_typer(data.app, name="data")
app.add_typer(rewards.app, name="rewards")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rlvr-gym {version('rlvr-gym')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """The options of ``rlvr-gym`` itself."""


def main(arguments: list[str] | None = None) -> None:
    """The console script: runs a command and exits with its code.

    0 is success, 1 a defect of ours, 2 an error that the user can mend, 130 Ctrl-C, 141 a reader that went away.
    """
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # other packages' progress bars would fill log files
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
        # typer turns Ctrl-C into a return value
        return _interrupted() if code == INTERRUPTED else code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as stop:
        # click turns a broken pipe into exit code 1
        if isinstance(stop.__context__, BrokenPipeError):
            return _reader_gone()
        return stop.code if isinstance(stop.code, int) else 0
    except RLVRError as error:
        return _say(str(error), USAGE_ERROR)
    except _ClickException as error:
        return _usage(error)
    except OSError as error:
        return _say(_os_sentence(error), USAGE_ERROR)
    except Exception as error:
        if os.environ.get("RLVR_GYM_DEBUG"):
            raise
        return _say(
            f"This is a defect of rlvr-gym: {type(error).__name__}: {error}. "
            "Set RLVR_GYM_DEBUG=1 to see where, and please report it.",
            INTERNAL_ERROR,
        )


def _interrupted() -> int:
    return _say("Interrupted.", INTERRUPTED)


def _reader_gone() -> int:
    """Nobody reads stdout any more: leave quietly, as a program does that SIGPIPE ends."""
    # python would complain once more when it flushes at exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _say(message: str, code: int) -> int:
    stderr().print(plain(" ".join(message.split()), "red"))
    return code


def _usage(error: Exception) -> int:
    message = error.format_message()  # type: ignore[attr-defined]
    if type(error).__name__ == "NoArgsIsHelpError":
        if message:
            typer.echo(message)
        return USAGE_ERROR
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "rlvr-gym"
    stop = "" if message.endswith((".", "?")) else "."
    return _say(f"{message}{stop} See {command} --help.", USAGE_ERROR)


def _os_sentence(error: OSError) -> str:
    reason = os_reason(error)
    if error.filename is None:
        return f"The system refused: {reason}."
    return f"{error.filename}: {reason}; check the path and its permissions."
