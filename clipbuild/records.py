"""What the state remembers of each clip of a profile: what it was made from and which files it led to.

A record is written when all files of its clip are in the tree. It is only a cache: without it the clip is planned and
judged again. Knows nothing of how clips are planned.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_MANY = 500
"""From this many clips on, reading all marks at once is cheaper than looking up each."""


class Memory(Protocol):
    """A table that outlives the process: the state."""

    def get(self, kind: str, key: str) -> bytes | None: ...

    def get_all(self, kind: str) -> dict[str, bytes]: ...

    def put(self, kind: str, key: str, data: bytes) -> None: ...

    def put_all(self, kind: str, entries: Mapping[str, bytes]) -> None: ...

    def drop(self, kind: str, keys: Iterable[str] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """What a clip was made from: its entry, that with all its files and the context, and its prompts.

    `asked` are the prompts it needs, by kind and aspect, `said` the digest of their texts.
    """

    entry: str
    whole: str
    actions: int
    asked: tuple[tuple[str, str], ...] = ()
    said: str = ""

    def dump(self) -> bytes:
        """As bytes for the state."""
        return json.dumps([self.entry, self.whole, self.actions, self.asked, self.said]).encode()

    @staticmethod
    def load(data: bytes) -> "Mark":
        """From `dump`."""
        entry, whole, actions, asked, said = json.loads(data)
        return Mark(entry, whole, actions, tuple((kind, ratio) for kind, ratio in asked), said)


class Records:
    """The records of one profile; what was put is visible to others once the state commits."""

    def __init__(self, state: Memory, profile: str) -> None:
        self._state = state
        self._marks, self._files, self._whole = f"mark:{profile}", f"files:{profile}", f"whole:{profile}"

    def marks(self, clips: Collection[str]) -> dict[str, Mark]:
        """The marks of those of these clips that have one."""
        if len(clips) >= _MANY:
            found = self._state.get_all(self._marks)
            return {clip: Mark.load(found[clip]) for clip in clips if clip in found}
        rows = ((clip, self._state.get(self._marks, clip)) for clip in clips)
        return {clip: Mark.load(data) for clip, data in rows if data}

    def files(self, clip: str) -> list[dict[str, Any]]:
        """The manifest rows of a clip as it was last whole."""
        data = self._state.get(self._files, clip)
        return json.loads(data) if data else []

    def put(self, clip: str, mark: Mark, files: Iterable[Mapping[str, Any]]) -> None:
        """The clip is whole: this is what it was made from, these are its manifest rows."""
        self._state.put(self._marks, clip, mark.dump())
        self._state.put(self._files, clip, json.dumps(list(files), ensure_ascii=False).encode())

    def drop(self, clips: Iterable[str]) -> None:
        """These clips are no more."""
        gone = list(clips)
        self._state.drop(self._marks, gone)
        self._state.drop(self._files, gone)

    def clear(self) -> None:
        """Forget everything of this profile."""
        for kind in (self._marks, self._files, self._whole):
            self._state.drop(kind)

    def held(self) -> frozenset[str]:
        """The clips that were held back from the tree."""
        data = self._state.get(self._whole, "held")
        return frozenset(data.decode().split("\n")) if data else frozenset()

    def put_held(self, clips: Iterable[str]) -> None:
        """These clips are held back from the tree."""
        self._state.put(self._whole, "held", "\n".join(sorted(clips)).encode())

    def clips(self) -> frozenset[str]:
        """Every clip that has files in the tree."""
        return frozenset(self._tree()[3].split("\n")) - {""}

    def put_tree(self, clips: Iterable[str], manifest: str) -> None:
        """The tree now has these clips, and the manifest with this fingerprint."""
        token, count, _, _ = self._tree()
        body = [token or os.urandom(8).hex(), count + 1, manifest, "\n".join(sorted(clips))]
        self._state.put(self._whole, "tree", json.dumps(body, ensure_ascii=False).encode())

    def manifest(self) -> str:
        """The fingerprint of the manifest that was written last."""
        return self._tree()[2]

    def stamp(self) -> str:
        """By which it is told later whether these records are all still there."""
        return "{} {}".format(*self._tree())

    def remembered(self, stamp: str) -> frozenset[str] | None:
        """`clips`, when everything that was recorded by the time of this stamp still is; else None."""
        token, count, _, clips = self._tree()
        then, _, earlier = stamp.partition(" ")
        known = bool(token) and then == token and earlier.isdecimal() and int(earlier) <= count
        return frozenset(clips.split("\n")) - {""} if known else None

    def _tree(self) -> tuple[str, int, str, str]:
        """(name of these records, how often they were written, the manifest's fingerprint, clips)."""
        data = self._state.get(self._whole, "tree")
        token, count, manifest, clips = json.loads(data) if data else ("", 0, "", "")
        return token, count, manifest, clips
