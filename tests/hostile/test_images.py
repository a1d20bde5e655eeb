"""Every hostile picture is read in a child with 1 GiB and 10 s: none crashes it, none passes that must not.

One child reads many pictures and says after each what became of it, so a crash names its picture.
"""

import base64
import json
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data" / "images"
CASES = [json.loads(line) for line in (DATA / "cases.jsonl").read_text().splitlines()]
MUTATED = [json.loads(line) for line in (DATA / "mutated.jsonl").read_text().splitlines()]
CHILD = textwrap.dedent(
    """
    import json, resource, sys, time
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from clipbuild.errors import MediaError
    from clipbuild.media import pictures
    for line in sys.stdin:
        path, began = line.rstrip("\\n"), time.process_time()
        print(json.dumps({"began": path}), flush=True)
        found = {}
        try:
            found["size"] = pictures.size(path)
        except MediaError as error:
            found["size_error"] = str(error)
        try:
            rgb, alpha = pictures.read(path)
            found["shape"] = rgb.shape
        except MediaError as error:
            found["error"] = str(error)
        print(json.dumps(found | {"path": path, "cpu": time.process_time() - began}), flush=True)
    """
)


def read_all(paths: list[str]) -> dict[str, dict[str, Any]]:
    """What a limited child made of each picture."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CHILD],
        input="\n".join(paths) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (rows[-1:], done.stderr[-2000:])
    return {row["path"]: row for row in rows if "path" in row}


@cache
def cases() -> dict[str, dict[str, Any]]:
    return read_all([str(DATA / case["file"]) for case in CASES])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    """Each listed picture is accepted or refused as listed, within 10 s, and a refusal names the file and a reason."""
    found = cases()[str(DATA / case["file"])]
    assert found["cpu"] < 10
    if case["expect"] == "accept":
        assert "shape" in found, found
    elif case["expect"] in ("reject", "limit-or-reject"):
        assert "error" in found, found
    if "error" in found:
        assert found["error"].startswith(Path(case["file"]).name + ": ")
        assert "Traceback" not in found["error"]
    else:
        assert found["shape"][:2] == [found["size"][1], found["size"][0]]


def test_mutated(tmp_path: Path) -> None:
    """Seeded damage in small pictures crashes nothing and hangs nothing; what is accepted has the size its header says."""
    paths = []
    for case in MUTATED:
        path = tmp_path / f"{case['id']}.{case['ext']}"
        path.write_bytes(base64.b64decode(case["b64"]))
        paths.append(str(path))
    found = read_all(paths)
    assert len(found) == len(MUTATED)
    for row in found.values():
        assert row["cpu"] < 2, row
        assert ("error" in row) != ("shape" in row)
        if "shape" in row:
            assert row["shape"][:2] == [row["size"][1], row["size"][0]]


def test_position_and_text_reach_no_output(tmp_path: Path) -> None:
    """The canary photo's position and words are in no file the image stage writes."""
    from types import SimpleNamespace

    from clipbuild.stages.image import Image

    source = DATA / "gps-canary.jpg"
    params = {"width": 64, "height": 96, "recipe": "card", "ground": {"style": "studio", "colors": []}}
    work = SimpleNamespace(params=params, inputs={"photo_0": str(source)}, out=lambda name: str(tmp_path / name))
    Image().run(work)  # type: ignore[arg-type]
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert written
    for word in (b"Exif", b"GPS", b"CANARY", b"canary", b"http", b"tEXt", b"iTXt", b"eXIf"):
        assert word not in written
