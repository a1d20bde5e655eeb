"""A build's report as JUnit XML, which every CI shows: a suite a clip, a case an action that ran, failed or was stopped.

Listens to events and knows nothing of the build behind them.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol
from xml.sax.saxutils import quoteattr

from clipbuild import events
from clipbuild.errors import ClipbuildError


class Told(Protocol):
    """What is asked of a build's report."""

    failed: dict[str, str]
    blocked: list[str]
    held: dict[str, str]


class JUnitFile:
    """Notes how long actions took; `write` puts the report down, also for a build that never began."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.seconds: dict[str, float] = {}

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.ActionFinished):
            self.seconds[event.name] = event.seconds

    def close(self) -> None:
        """Nothing is left open."""

    def write(self, told: Told | ClipbuildError) -> None:
        """The whole file. Raises OSError."""
        from clipbuild.engine.files import write_atomic

        write_atomic(self.path, document(told, self.seconds).encode())


def document(told: Told | ClipbuildError, seconds: Mapping[str, float]) -> str:
    """The report as XML text."""
    if isinstance(told, ClipbuildError):
        case = _case("clipbuild", "build", 0.0, "error", told.what.split("\n")[0], str(told))
        body = [f'<testsuite name="clipbuild" tests="1" failures="0" errors="1" skipped="0">{case}</testsuite>']
    else:
        body = list(_suites(told, seconds))
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites name="clipbuild">', *body, "</testsuites>", ""])


def _suites(told: Told, seconds: Mapping[str, float]) -> Iterator[str]:
    held = {f"{clip}/publish" for clip in told.held}
    names = sorted({*seconds, *told.failed, *told.blocked, *held})
    for clip in sorted({name.split("/")[0] for name in names}):
        own = [name for name in names if name.split("/")[0] == clip]
        cases = [_of(name, told, seconds) for name in own]
        failed = sum(name in told.failed for name in own)
        stopped = sum(name in told.blocked or name in held for name in own)
        took = sum(seconds.get(name, 0.0) for name in own)
        yield (
            f'<testsuite name={_text(clip)} tests="{len(own)}" failures="{failed}" errors="0" skipped="{stopped}"'
            f' time="{took:.3f}">' + "".join(f"\n  {case}" for case in cases) + "\n</testsuite>"
        )


def _of(name: str, told: Told, seconds: Mapping[str, float]) -> str:
    clip, _, step = name.partition("/")
    if name in told.failed:
        text = told.failed[name]
        return _case(clip, step, seconds.get(name, 0.0), "failure", text.split("\n")[0], text)
    if name in told.blocked:
        return _case(clip, step, 0.0, "skipped", "not reached: something it needs failed", "")
    if step == "publish" and clip in told.held:
        return _case(clip, step, 0.0, "skipped", told.held[clip].split("\n")[0], "")
    return _case(clip, step, seconds[name])


def _case(clip: str, step: str, took: float, what: str = "", message: str = "", text: str = "") -> str:
    head = f'<testcase classname={_text(clip)} name={_text(step)} time="{took:.3f}"'
    if not what:
        return f"{head}/>"
    inner = f"<{what} message={_text(message)}/>" if not text else f"<{what} message={_text(message)}>{_escaped(text)}</{what}>"
    return f"{head}>{inner}</testcase>"


def _text(value: str) -> str:
    return quoteattr(_legal(value))


def _escaped(value: str) -> str:
    from xml.sax.saxutils import escape

    return escape(_legal(value))


def _legal(value: str) -> str:
    """Only what XML 1.0 allows."""
    return "".join(char if _is_legal(char) else "?" for char in value)


def _is_legal(char: str) -> bool:
    return char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"
