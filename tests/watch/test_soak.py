"""Watching for a long time: saves, broken saves, storms, again and again, and nothing grows. Ten minutes with
`CLIPBUILD_SLOW=1`, as many as `CLIPBUILD_SOAK_MINUTES` says; a few seconds otherwise, which prove that it runs.
"""

import gc
import os
import pathlib
import random
import threading
import time

from clipbuild import events
from tests.support.project import Project
from tests.support.watching import Seen, watching

SLOW = bool(int(os.environ.get("CLIPBUILD_SLOW", "0") or 0))
MINUTES = float(os.environ.get("CLIPBUILD_SOAK_MINUTES") or (10 if SLOW else 0.2))
GROWTH = 1.05


def held() -> dict[str, int]:
    """What this process holds: memory in KB, open files, threads, children."""
    gc.collect()
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    children = pathlib.Path("/proc/self/task")
    count = sum(len((task / "children").read_text().split()) for task in children.iterdir())
    return {"memory": pages * os.sysconf("SC_PAGE_SIZE") // 1024, "files": len(os.listdir("/proc/self/fd")),
            "threads": threading.active_count(), "children": count}  # fmt: skip


def test_nothing_grows(tmp_path: pathlib.Path) -> None:
    """After a third of the time memory grows by 5 % at most, and files, threads and children not at all."""
    seed = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
    print("seed", seed)
    chance, project, rows = random.Random(seed), Project(tmp_path / "p"), list[dict[str, int]]()
    project.sample(3)
    assert project.build().status == 0

    def act(seen: Seen) -> None:
        seen.idle(1)
        began, number = time.monotonic(), 0
        while (spent := time.monotonic() - began) < MINUTES * 60:
            number += 1
            one_save(project, seen, chance, number)
            if spent > MINUTES * 20 or not rows:
                rows.append(held())
        rows.append(held())
        print(f"{number} saves", rows[1:2], rows[-1])

    watching(project, act, jobs=1)
    assert project.build().status == 0
    if SLOW:
        settled, last = rows[1], rows[-1]
        assert last["memory"] <= settled["memory"] * GROWTH, f"seed {seed}: {settled} {last}"
        most = {what: max(row[what] for row in rows[1:]) for what in ("files", "threads", "children")}
        assert all(last[what] <= settled[what] + 2 for what in most), f"seed {seed}: {settled} {last}"


def one_save(project: Project, seen: Seen, chance: random.Random, number: int) -> None:
    """A caption, a photo, a storm of strangers or a mistake and its mending; waits until it was built."""
    catalog = project.root / "catalog/all.yaml"
    seen.events.clear()
    seen.wrongs.clear()
    good = catalog.read_text()
    if chance.random() < 0.1:
        catalog.write_text(good.replace("captions:", "kaptions:", 1))
        seen.until(lambda: seen.wrongs, 120)
    if chance.random() < 0.1:
        for n in range(200):
            project.write(f"notes/{n}.txt", str(number))
    if chance.random() < 0.3:
        project.photo(f"photos/p{chance.randrange(3)}.png", f"#{chance.randrange(1 << 24):06x}")
    lines = good.splitlines()
    at = chance.choice([n for n, line in enumerate(lines) if "captions:" in line])
    lines[at] = f"    captions: [Take {number}]"
    catalog.write_text("\n".join(lines) + "\n")
    words, sku = f"Take {number}", lines[at - 3].split(": ")[1]
    seen.until(lambda: words.encode() in _text(project, sku) and seen.of(events.BuildFinished), 120)


def _text(project: Project, sku: str) -> bytes:
    path = project.tree / f"tiktok/{sku}/{sku}.srt"
    return path.read_bytes() if path.exists() else b""
