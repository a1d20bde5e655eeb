"""`clipbuild verify`: every damaged blob, and every output that isn't what was recorded."""

import os
from typing import Any

import click

from clipbuild.cli.common import json_option, profile_option, settings, show_json, workspace


@click.command()
@profile_option("Whose output tree.")
@json_option
@click.pass_obj
def verify(folder: str, profile: str, as_json: bool) -> int:
    """Read every blob of the store and every file of the output tree, and say what is damaged or missing.

    Damaged blobs go to quarantine, never away; the next build makes again what is free. Exit status 5 when something
    was found.
    """
    from clipbuild import digest, planning
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(workspace(folder), profile=profile), settings())
    try:
        found = session.store.verify()
        damaged: list[dict[str, Any]] = [{"blob": d.digest, "what": d.kind, "precious": d.precious} for d in found]
        outputs: list[dict[str, str]] = []
        rows = session.tree.recorded()
        for path, row in rows.items():
            target = os.path.join(session.tree.top, path)
            if not os.path.isfile(target) or os.path.islink(target):
                outputs.append({"path": path, "what": "missing"})
            elif digest.of_file(target) != row["sha256"]:
                outputs.append({"path": path, "what": "not what was recorded"})
        blobs = sum(1 for _ in session.store.blobs())
    finally:
        session.close()
    if as_json:
        show_json({"blobs": blobs, "damaged": damaged, "files": len(rows), "outputs": outputs})
    else:
        for item in damaged:
            click.echo(f"blob {item['blob'][:16]}…  {item['what']}" + ("  (bought)" if item["precious"] else ""))
        for entry in outputs:
            click.echo(f"{entry['path']}  {entry['what']}")
        click.echo(f"{blobs} blobs, {len(rows)} files: {len(damaged) + len(outputs)} damaged or missing")
    return 5 if damaged or outputs else 0
