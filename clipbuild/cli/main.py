"""The command line: one group, each command in a file of its own, imported only when it is called for."""

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from clipbuild import __version__
from clipbuild.cli import failing
from clipbuild.errors import ClipbuildError, IncompleteError, UsageError, shown
from clipbuild.redact import learn_environment, redact

COMMANDS = {
    "init": ("clipbuild.cli.init", "Start a project: a catalog, a brand and a first product."),
    "check": ("clipbuild.cli.check", "Read the catalog and say everything that is wrong with it."),
    "prompt": ("clipbuild.cli.prompt", "Print what would be sent to an image or motion model."),
    "plan": ("clipbuild.cli.plan", "Say what would run, why and for how much; run nothing."),
    "build": ("clipbuild.cli.build", "Make what is out of date."),
    "watch": ("clipbuild.cli.watch", "Make again at once, as a draft, what is saved; show it on a page."),
    "push": ("clipbuild.cli.push", "Give the results of this machine to a shared cache."),
    "pull": ("clipbuild.cli.pull", "Bring from a shared cache what this machine lacks."),
    "why": ("clipbuild.cli.why", "Show which input of a product changed since it was last made."),
    "graph": ("clipbuild.cli.graph", "Show the actions of products and how they hang together."),
    "qc": ("clipbuild.cli.qc", "Judge pictures and clips: fit to be animated, fit to be posted?"),
    "review": ("clipbuild.cli.review", "Look at clips in the browser, and approve, reject or retake them."),
    "approve": ("clipbuild.cli.decide", "Approve the clips of products as they are now."),
    "reject": ("clipbuild.cli.decide", "Reject the clips of products as they are now."),
    "report": ("clipbuild.cli.report", "Write what was made, and what it came to, as pages or Markdown."),
    "motions": ("clipbuild.cli.motions", "Show the library of motions, what they suit, and how they did here."),
    "new": ("clipbuild.cli.new", "Add a product to the catalog."),
    "fmt": ("clipbuild.cli.fmt", "Bring the catalog files into one style, keeping every comment."),
    "schema": ("clipbuild.cli.schema", "Print where the JSON Schemas for editors are."),
    "import": ("clipbuild.cli.imports", "Bring a shop's export into the catalog."),
    "authorship": ("clipbuild.cli.authorship", "Say who made what of a clip: people, models, and clipbuild by rule."),
    "credentials": ("clipbuild.cli.credentials", "Write signed copies of clips with Content Credentials (C2PA)."),
    "transcribe": ("clipbuild.cli.transcribe", "Buy the times of spoken words, for captions."),
    "fake-providers": ("clipbuild.cli.fake_providers", "Rehearse without spending: the providers' protocols on this machine."),
    "doctor": ("clipbuild.cli.doctor", "Look at this machine: ffmpeg, encoders, filters, fonts."),
    "jobs": ("clipbuild.cli.jobs", "List what is open or unsure at the providers, and settle it."),
    "cost": ("clipbuild.cli.cost", "Say what was spent, by product, provider, model and month."),
    "retake": ("clipbuild.cli.retake", "Ask for another take of what was bought."),
    "verify": ("clipbuild.cli.verify", "Find every damaged blob and every output that isn't what was recorded."),
    "gc": ("clipbuild.cli.gc", "Say what the store holds that nobody needs any more, and remove it on request."),
    "stats": ("clipbuild.cli.stats", "Say what the store and the state hold."),
    "clean": ("clipbuild.cli.clean", "Remove the output tree, and on request what can be made again."),
}


class Commands(click.Group):
    """Finds a command's module by its name; the help list needs no import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        found = import_module(module)
        name = cmd_name.replace("-", "_")
        command = getattr(found, name, None) or getattr(found, f"{name}_")
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f'did you mean "{near[0]}"?' if near else "`clipbuild --help` lists them"
            raise UsageError(f"no command {shown(args[0], 60)!r}", hint=hint)
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-C", "folder", metavar="DIR", default=".", help="Work in DIR instead of the current folder.")
@click.version_option(__version__, "-V", "--version", prog_name="clipbuild")
@click.pass_context
def group(ctx: click.Context, folder: str) -> None:
    """make for clips: a YAML catalog, photos and prompt templates in, short-form video out.

    Start with `clipbuild init`, look with `clipbuild plan`, make with `clipbuild build`. Only what changed is made
    again; what cost money is never made twice.
    """
    ctx.obj = os.path.abspath(folder)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    learn_environment(os.environ)
    _speak_always()
    args = sys.argv[1:] if args is None else args
    try:
        status = group.main(args, prog_name="clipbuild", standalone_mode=False)
    except ClipbuildError as error:
        fail(error, error.exit_status, args)
    except click.exceptions.Abort:
        fail(ClipbuildError("interrupted", hint="what is done is kept; the same command goes on"), 130, args)
    except click.ClickException as error:
        from clipbuild.cli import slips

        if isinstance(error, click.exceptions.NoArgsIsHelpError):  # the help, and a status that says nothing was done
            error.show()
            leave(UsageError("no command"), 2, args)
        fail(slips.told(error), 2, args)
    except BrokenPipeError:
        _leave_pipe()
    except OSError as error:
        told = of_the_system(error)
        fail(told, told.exit_status, args)
    except SystemExit as end:  # click's own way out of a closed pipe
        if isinstance(end.__context__, BrokenPipeError):
            _leave_pipe()
        raise
    sys.exit(status if isinstance(status, int) else 0)


def _speak_always() -> None:
    """A stream whose encoding lacks a character shows its number, and one that is closed swallows what it is told,
    instead of ending the command."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _leave_pipe() -> None:
    """Whoever read has had enough: leave as other tools do."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(141)


def of_the_system(error: OSError) -> ClipbuildError:
    """What the system refused, as an error of ours: a full disk or a fault leaves the work unfinished."""
    import errno

    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    hint = "make room, then run it again: it goes on where it was" if full else "see who may read and write there"
    kind = IncompleteError if full else UsageError
    place = f"{shown(error.filename)}: " if error.filename else ""
    return kind(f"{place}{error.strerror or error}", hint=hint)


def fail(error: ClipbuildError, status: int, args: Sequence[str]) -> NoReturn:
    """Say what went wrong on stderr, without secrets, and leave."""
    text = redact(str(error))
    click.echo(f"clipbuild: {text}" if not text.startswith("clipbuild") else text, err=True)
    leave(error, status, args)


def leave(error: ClipbuildError, status: int, args: Sequence[str]) -> NoReturn:
    """Leave; who asked for JSON gets the error as that, on stdout."""
    if failing.asks_for_json(args):
        with contextlib.suppress(BrokenPipeError):
            failing.show(error, status)
    sys.exit(status)
