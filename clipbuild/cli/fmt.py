"""`clipbuild fmt`: catalogs in one style."""

from collections.abc import Sequence

import click

from clipbuild.cli.common import workspace
from clipbuild.plural import counted


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit status 1 when a file is not in style.")
@click.pass_obj
def fmt(folder: str, files: Sequence[str], only_check: bool) -> int:
    """Bring clipbuild.yaml and the catalog files into one style.

    Indentation, spaces and blank lines; what the files say stays the same, and so does every comment. FILE narrows it
    down, relative to the project. A file that clipbuild could not read is left alone, and why is said.
    """
    from clipbuild.catalog import roundtrip
    from clipbuild.catalog.project import FILE
    from clipbuild.cli.new import catalog_files
    from clipbuild.engine.files import within, write_atomic
    from clipbuild.errors import CatalogError

    root = workspace(folder)
    wrong: list[CatalogError] = []
    changed = 0
    wanted = list(files) or [FILE, *catalog_files(root)]
    for path in wanted:
        target = within(root, path)
        with open(target, "rb") as file:
            before = file.read()
        try:
            after = roundtrip.tidy(path, before)
        except CatalogError as error:
            wrong.append(error)
            continue
        if after != before:
            changed += 1
            click.echo(f"{'not in style' if only_check else 'tidied'}  {path}")
            if not only_check:
                write_atomic(target, after)
    if wrong:
        raise CatalogError([problem for error in wrong for problem in error.problems])
    click.echo(f"{counted(len(wanted), 'file')}, {changed} {'not in style' if only_check else 'changed'}")
    return 1 if only_check and changed else 0
