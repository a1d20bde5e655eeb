"""`clipbuild schema`: where the JSON Schemas are, for editors."""

import json
import os

import click


@click.command()
@click.argument("name", type=click.Choice(["catalog", "project"]), required=False)
@click.option("--vscode", is_flag=True, help="Print the settings that make VS Code's YAML extension use them.")
@click.pass_obj
def schema(_folder: str, name: str | None, vscode: bool) -> int:
    """Print where the JSON Schemas of catalog files and of clipbuild.yaml are.

    An editor that knows them completes keys, explains them, and marks mistakes while you write. With a NAME only that
    path is printed, for scripts.
    """
    from clipbuild import resources

    folder = resources.folder("schema")
    paths = {"catalog": os.path.join(folder, "catalog.schema.json"), "project": os.path.join(folder, "clipbuild.schema.json")}
    if vscode:
        globs = {paths["catalog"]: "catalog/*.yaml", paths["project"]: "clipbuild.yaml"}
        click.echo(json.dumps({"yaml.schemas": globs}, indent=2))
    elif name:
        click.echo(paths[name])
    else:
        for kind, path in paths.items():
            click.echo(f"{kind:<8} {path}")
    return 0
