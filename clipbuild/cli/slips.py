"""A command line that can't be read, as an error of ours: what is wrong with it, and how it would be right.

Knows click's errors and no command.
"""

import click

from clipbuild.errors import UsageError, shown

PROFILES = ("draft", "final")


def told(error: click.ClickException) -> UsageError:
    """Click's error in three parts."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "clipbuild"
    hint = f"`{command} --help`"
    if isinstance(error, click.NoSuchOption):
        what, hint = f"no option {shown(error.option_name, 60)!r}", _option(error) or hint
    elif isinstance(error, click.MissingParameter):
        what = f"{_named(error)} is missing"
        if context:
            hint = f"`{' '.join([command, *context.command.collect_usage_pieces(context)])}`; {hint} says more"
    else:
        said = shown(error.format_message()).removesuffix(".")
        what = said[:1].lower() + said[1:]
    return UsageError(f"{command}: {what}", hint=hint)


def _option(error: click.NoSuchOption) -> str:
    bare = error.option_name.lstrip("-")
    if bare in PROFILES:
        return f'did you mean "--profile {bare}"?'
    near = [f'"{one}"' for one in sorted(error.possibilities or ())[:3]]
    return f"did you mean {' or '.join(near)}?" if near else ""


def _named(error: click.MissingParameter) -> str:
    if isinstance(error.param, click.Option):
        return max(error.param.opts, key=len)
    return str(error.param.make_metavar(error.ctx)).rstrip(".") if error.param and error.ctx else "an argument"
