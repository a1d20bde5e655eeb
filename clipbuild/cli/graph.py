"""`clipbuild graph`: the actions of products and how they hang together."""

import json

import click

from clipbuild.cli.common import selectors, settings, show_json, workspace
from clipbuild.errors import shown


@click.command()
@selectors
@click.option(
    "--format", "form", type=click.Choice(["text", "dot", "mermaid", "json"]), default="text", show_default=True,
    help="Lines to read, Graphviz, Markdown, or data.",
)  # fmt: skip
@click.pass_obj
def graph(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, form: str
) -> int:
    """Show the actions of products and how they hang together.

    `--format dot` for Graphviz, `mermaid` for Markdown, `json` for programs.
    """
    from clipbuild import planning
    from clipbuild.engine.action import Output
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(workspace(folder), products, platforms, profile), settings())
    try:
        plan = planning.make_plan(session, None).plan
    finally:
        session.close()
    ids = {action.id: f"a{n}" for n, action in enumerate(plan.graph)}
    edges = [
        (source.action, action.id, source.name)
        for action in plan.graph
        for source in action.inputs.values()
        if isinstance(source, Output)
    ]
    nodes = [(a.id, shown(a.name), plan.verdicts[a.id].value) for a in plan.graph]
    if form == "json":
        names = {a.id: a.name for a in plan.graph}
        show_json({
            "actions": [{"name": name, "verdict": verdict} for _, name, verdict in nodes],
            "edges": [{"from": names[a], "to": names[b], "output": out} for a, b, out in edges],
        })  # fmt: skip
    elif form == "dot":
        rows = [f"  {ids[i]} [label={json.dumps(name)}];" for i, name, _ in nodes]
        rows += [f"  {ids[a]} -> {ids[b]} [label={json.dumps(out)}];" for a, b, out in edges]
        click.echo("\n".join(["digraph clipbuild {", "  rankdir=LR; node [shape=box];", *rows, "}"]))
    elif form == "mermaid":
        rows = [f'  {ids[i]}["{name.replace(chr(34), chr(39))}"]' for i, name, _ in nodes]
        rows += [f"  {ids[a]} -->|{out}| {ids[b]}" for a, b, out in edges]
        click.echo("\n".join(["graph LR", *rows]))
    else:
        needs: dict[str, list[str]] = {}
        for a, b, out in edges:
            needs.setdefault(b, []).append(f"{plan.graph.actions[a].name}:{out}")
        for i, name, verdict in nodes:
            sources = needs.get(i)
            click.echo(f"{name}  [{verdict}]" + (f"  <- {', '.join(sources)}" if sources else ""))
    return 0
