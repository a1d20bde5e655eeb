"""Content Credentials (C2PA): signed copies of clips that say what went into them: photo, picture, clip.

A copy beside the tree, never the tree itself: a signature has a time and is not the same twice. Needs the extra
`clipbuild[credentials]`, and a certificate of the user's own. Knows nothing of who trusts it.
"""

import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from clipbuild import __version__
from clipbuild.catalog.model import Clip
from clipbuild.engine import files
from clipbuild.engine.action import Action, Output
from clipbuild.errors import IntegrityError, UsageError, shown
from clipbuild.planner import posts
from clipbuild.planning import Planned, Session

MAKES = frozenset(("generate", "animate"))
"""Stages whose results a model made."""
PASSES = frozenset(("check",))
"""Stages that hand on what they were given."""
CREATED = {"label": "c2pa.actions"}


@dataclass(frozen=True, slots=True)
class Part:
    """A file that went into a clip, or the clip: where its bytes are, what it is called, and what it is made of.

    `source_type` "" for what came from outside: that is taken as it is.
    """

    path: str
    title: str
    source_type: str = ""
    agent: str = ""
    parts: "tuple[Part, ...]" = ()


@dataclass(frozen=True, slots=True)
class Signer:
    """PEM text of certificates (own first) and key, the algorithm, and the address of a time stamp authority."""

    certificates: bytes
    key: bytes
    algorithm: str = "es256"
    time_stamps: str = ""


def read_signer(certificates: str, key: str, algorithm: str, time_stamps: str, root: str) -> Signer:
    """The signer in these files. Raises UsageError for a key that others may read or that lies in the project."""
    for path in (certificates, key):
        if not os.path.isfile(path):
            raise UsageError(f"{shown(path)}: there is no such file")
    inside = os.path.relpath(os.path.realpath(key), os.path.realpath(root))
    if not inside.startswith(".."):
        raise UsageError(f"{shown(key)}: a key does not belong into the project", hint="keep it outside of the repository")
    if os.stat(key).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(f"{shown(key)}: others may read this key", hint=f"chmod 600 {shown(key)}")
    with open(certificates, "rb") as cert, open(key, "rb") as secret:
        return Signer(cert.read(), secret.read(), algorithm, time_stamps)


def clips(session: Session, planned: Planned) -> Iterator[tuple[str, Part]]:
    """Each finished clip of the plan: its path in the tree, and what it is made of."""
    resolved = planned.clips
    for name, made in planned.deliverables.items():
        for deliverable in made:
            whole = os.path.join(session.tree.top, deliverable.path)
            if deliverable.kind != "mp4" or not os.path.isfile(whole):
                continue
            action = planned.plan.graph.actions[deliverable.source.action]
            kind = dict(action.params.get("label") or {}).get("DigitalSourceType", posts.CAPTURED)
            parts = tuple(_parts(session, planned, resolved[name], action))
            yield deliverable.path, Part(whole, os.path.basename(whole), kind, "", parts)


def _parts(session: Session, planned: Planned, clip: Clip, action: Action) -> Iterator[Part]:
    for name, given in action.inputs.items():
        if name.partition("_")[0] not in ("image", "video", "photo", "plate", "layer"):
            continue
        if isinstance(given, Output):
            part = _made(session, planned, clip, given)
            if part is not None:
                yield part
        elif given in session.origins:
            yield Part(session.origins[given], os.path.basename(session.origins[given]))


def _made(session: Session, planned: Planned, clip: Clip, output: Output) -> Part | None:
    action, blob = planned.plan.graph.actions[output.action], planned.plan.resolve(output)
    if blob is None or not session.store.has(blob):
        return None
    inner = action
    while inner.stage in PASSES and isinstance(before := inner.inputs.get("image"), Output):
        inner = planned.plan.graph.actions[before.action]
    parts = tuple(_parts(session, planned, clip, inner))
    if inner.stage in MAKES:
        kind = posts.COMPOSITE if parts else posts.GENERATED
        agent = " ".join(str(inner.params[name]) for name in ("provider", "model") if inner.params.get(name))
        return Part(session.store.path(blob), f"{inner.stage} of {clip.id}", kind, agent, parts)
    return Part(session.store.path(blob), f"picture of {clip.id}", posts.CAPTURED, "", parts)


def sign(part: Part, dest: str, signer: Signer) -> str:
    """Write a signed copy of `part` at `dest`; every made part of it is signed first. Returns what the library's own
    reader says of the copy: Valid or Trusted. Raises UsageError, IntegrityError."""
    c2pa = _library()
    with tempfile.TemporaryDirectory(prefix=".credentials-", dir=os.path.dirname(dest)) as folder:
        made = os.path.join(folder, "signed")
        _sign(c2pa, part, made, signer, folder)
        found = state(made)
        if found not in ("Valid", "Trusted"):
            raise IntegrityError(f"{shown(part.title)}: the signed copy is not valid", [("state", found)])
        os.chmod(made, 0o644)
        os.replace(made, dest)
    return found


def state(path: str) -> str:
    """What the library's reader says of a file's credentials; "" where it has none."""
    c2pa = _library()
    with open(path, "rb") as file, c2pa.Reader(_mime(path), file) as reader:
        return str(reader.get_validation_state() or "")


def told(path: str) -> dict[str, Any]:
    """All that a file's credentials say."""
    c2pa = _library()
    with open(path, "rb") as file, c2pa.Reader(_mime(path), file) as reader:
        found = json.loads(reader.json())
    assert isinstance(found, dict)
    return found


def _sign(c2pa: Any, part: Part, dest: str, signer: Signer, folder: str) -> None:
    action: dict[str, Any] = {"action": "c2pa.created", "digitalSourceType": part.source_type}
    if part.agent:
        action["softwareAgent"] = {"name": part.agent}
    manifest = {
        "claim_generator_info": [{"name": "clipbuild", "version": __version__}],
        "title": part.title, "format": _mime(part.path),
        "assertions": [{**CREATED, "data": {"actions": [action]}}],
    }  # fmt: skip
    plain = c2pa.Context.from_dict({"builder": {"thumbnail": {"enabled": False}}})
    with plain, c2pa.Builder(manifest, plain) as builder:
        for number, inner in enumerate(part.parts):
            path = inner.path
            if inner.source_type:
                path = os.path.join(folder, f"{os.path.basename(dest)}-{number}")
                _sign(c2pa, inner, path, signer, folder)
            relation = {"title": inner.title, "relationship": "inputTo" if part.agent else "componentOf"}
            with open(path, "rb") as file:
                builder.add_ingredient(relation, _mime(path), file)
        info = c2pa.C2paSignerInfo(
            signer.algorithm.encode(), signer.certificates, signer.key, signer.time_stamps.encode() or None
        )
        with c2pa.Signer.from_info(info) as how, open(part.path, "rb") as source, open(dest, "w+b") as out:
            try:
                builder.sign(how, _mime(part.path), source, out)
            except c2pa.C2paError as error:
                hint = "is the certificate one for signing, with its chain, and the key its own?"
                raise UsageError(f"{shown(part.title)}: can't be signed", [("c2pa", shown(error))], hint) from error


def _library() -> Any:
    try:
        import c2pa
    except ImportError as error:
        raise UsageError("Content Credentials need an extra", hint="pip install 'clipbuild[credentials]'") from error
    return c2pa


def _mime(path: str) -> str:
    """By the first bytes: blobs have no extension."""
    with open(path, "rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return "image/avif" if head[8:12] == b"avif" else "video/mp4"
    for start, mime in ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp")):
        if head.startswith(start):
            return mime
    raise UsageError(f"{shown(os.path.basename(path))}: no kind of file that can carry credentials")


def write(session: Session, planned: Planned, folder: str, signer: Signer, emit: Callable[[str, str], None]) -> int:
    """Signed copies of all finished clips below `folder`; `emit` is told each path and state. Returns how many."""
    count = 0
    for path, part in clips(session, planned):
        dest = files.within(folder, path)
        files.ensure_dir(os.path.dirname(dest))
        emit(path, sign(part, dest, signer))
        count += 1
    return count
