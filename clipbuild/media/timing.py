"""Which text is to be seen from when to when: the one timetable that drawn text and subtitle files share.

A clip opens with its hook, goes on with captions and closes with the offer. Texts without times of their own are
spread by how long a viewer reads them. Knows nothing of fonts, places or pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from clipbuild.errors import MediaError, shown
from clipbuild.media import linebreak, script

PAUSE = 0.45
"""Seconds a viewer needs to find a text before reading it."""
LEAST = 1.0
CLOSE_SHARE, CLOSE_MOST = 0.42, 3.2
"""How much of a clip its offer takes, and at most how many seconds."""
END_CARD_SHARE = 0.6
SETTLED, LEAVING = 0.75, 0.45
"""Seconds in which the slowest of texts has come, and before its end begins to go."""
STILL = 0.6
"""Share of a clip at which a still shows it best, where no text comes or goes: the move is well under way."""
CLOSING = ("sign", "offer", "price", "cta")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a cue (characters `first`…`last` of its text) and when it is said."""

    first: int
    last: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Cue:
    """A text and its time in seconds. `kind` is hook, headline, caption, sign (the name on
    an end card), offer, price or cta; `was` an earlier price."""

    kind: str
    text: str
    start: float
    end: float
    was: str = ""
    words: tuple[Word, ...] = ()

    @property
    def said(self) -> str:
        """The text as a subtitle file has it."""
        return f"{self.was} → {self.text}" if self.was else self.text

    def meets(self, other: "Cue") -> bool:
        """Whether both are seen at once."""
        return self.start < other.end - 1e-3 and other.start < self.end - 1e-3


def cues(params: Mapping[str, Any]) -> list[Cue]:
    """The timetable of a clip from a stage's params: captions, hook, offer, cta, seconds, and card.

    Sorted by start. Raises MediaError for a text that can't be drawn.
    """
    seconds = float(params["seconds"])
    closing = _closing(params)
    begin_close = end_card_start(params)
    until = min(seconds, begin_close)
    if begin_close >= seconds:
        begin_close = seconds - _close_seconds(closing, seconds)
    hook = _clean(params.get("hook"))
    card = params.get("card") or {}
    headline = _clean(card.get("headline"))
    spoken = [_asked(entry) for entry in params.get("captions") or ()]
    found = [Cue("headline", headline, 0.0, until)] if headline else []
    if headline:  # a card says more at once: its words stay
        found += [Cue("hook", hook, 0.0, until)] if hook else []
        found += _captions(spoken, 0.0, until, until)
    else:
        open_end = _hook_end(hook, spoken, begin_close)
        found += [Cue("hook", hook, 0.0, open_end)] if hook else []
        found += _captions(spoken, open_end if hook else 0.0, begin_close, until)
    found += [replace(cue, start=begin_close, end=seconds) for cue in closing]
    order = ("hook", "headline", "caption", "sign", "offer", "price", "cta")
    rounded = [replace(c, start=round(c.start, 3), end=round(c.end, 3)) for c in found]
    return sorted(rounded, key=lambda cue: (cue.start, order.index(cue.kind)))


def still(params: Mapping[str, Any], *, by_word: bool = False) -> float:
    """The moment for a still: near STILL of the clip, with text to be seen, and all of it wholly there; captions that
    come `by_word` are there with their last one."""
    every, seconds = cues(params), float(params["seconds"])
    until = min(seconds, end_card_start(params))
    moments = [round(i * 0.05, 3) for i in range(max(1, int(until / 0.05)))]
    spans = [(cue.start, cue.end, _come(cue, by_word), cue.end - LEAVING) for cue in every if cue.kind != "sign"]
    best, least = 0.0, float("inf")
    middle = STILL * seconds
    for _, at in sorted([(abs(at - middle), at) for at in moments]):
        waits = [max(0.0, come - at, at - leave) for start, end, come, leave in spans if start <= at < end]
        off = round(max(waits), 3) if waits else 10.0 if every else 0.0
        if off < least:
            best, least = at, off
        if not off:
            break
    return best


def _come(cue: Cue, by_word: bool) -> float:
    """When a cue is wholly there."""
    if by_word and cue.kind == "caption":
        return words(cue)[-1].start + SETTLED / 2
    return cue.start + SETTLED if cue.start > 0 else 0.0


def runs_rtl(cues: Sequence[Cue]) -> bool:
    """Whether a clip's text runs from right to left, by most of what has a direction."""
    return sum(1 if script.is_rtl(cue.text) else -1 for cue in cues if script.has_direction(cue.text)) > 0


def end_card_start(params: Mapping[str, Any]) -> float:
    """When the end card comes: the clip's end where there is none. It takes the offer, and nothing else is seen."""
    seconds, card = float(params["seconds"]), params.get("end_card") or {}
    return seconds - min(float(card.get("seconds") or 0.0), END_CARD_SHARE * seconds)


def reading(text: str) -> float:
    """Seconds for finding and reading a text."""
    return PAUSE + script.reading_seconds(text)


def _clean(text: Any) -> str:
    """A text as it is drawn: without spaces at its ends and blank lines; "" for none. Raises MediaError."""
    if text is None or text == "":
        return ""
    lines = [" ".join(line.split(" ")).strip() for line in script.clean(str(text)).split("\n")]
    return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Asked:
    """A caption as the catalog has it: at and lasts in seconds, None where it is not said."""

    text: str
    at: float | None
    lasts: float | None
    words: tuple[Word, ...] = ()


def _asked(entry: Mapping[str, Any]) -> Asked:
    written = str(entry.get("text") or " ")
    text, at, lasts = _clean(written), entry.get("at"), entry.get("seconds")
    words = tuple(Word(*row) for row in entry.get("words") or ()) if text == written else ()
    return Asked(text, None if at is None else float(at), None if lasts is None else float(lasts), words)


def _closing(params: Mapping[str, Any]) -> list[Cue]:
    offer = params.get("offer") or {}
    price, was = _clean(offer.get("price")), _clean(offer.get("was"))
    sign = _clean((params.get("end_card") or {}).get("name"))
    found = [
        Cue("sign", sign, 0, 0), Cue("offer", _clean(offer.get("text")), 0, 0), Cue("price", price, 0, 0, was if price else ""),
        Cue("cta", _clean(params.get("cta")), 0, 0),
    ]  # fmt: skip
    return [cue for cue in found if cue.text]


def _close_seconds(closing: Sequence[Cue], seconds: float) -> float:
    if not closing:
        return 0.0
    wanted = 0.9 + sum(script.reading_seconds(cue.said) for cue in closing)
    return min(max(wanted, 0.3 * seconds), CLOSE_MOST, CLOSE_SHARE * seconds)


def _hook_end(hook: str, spoken: Sequence[Asked], until: float) -> float:
    """When the hook gives way: to the first timed caption, or by its share of what there is to read."""
    if not hook or not spoken:
        return until if hook else 0.0
    whole = reading(hook) + 0.3
    if loose := [caption.text for caption in spoken if caption.at is None]:
        whole = min(whole, until * whole / (whole + sum(map(reading, loose))))
    timed = [caption.at for caption in spoken if caption.at is not None]
    return min([whole, until, *(at for at in timed if at >= min(LEAST, until / 3))])


def _captions(spoken: Sequence[Asked], begin: float, until: float, seconds: float) -> list[Cue]:
    """Captions in their order: timed ones as asked, the others between them by reading speed."""
    found: list[Cue] = []
    at = begin
    for index, one in enumerate(spoken):
        if one.at is not None:
            if one.at >= seconds - 0.01:
                raise _too_late(one, seconds)
            end = one.at + one.lasts if one.lasts is not None else _natural_end(one, spoken[index + 1 :], until, seconds)
            found.append(Cue("caption", one.text, min(one.at, seconds), min(end, seconds), words=one.words))
            at = min(max(at, end), seconds)
            continue
        run = [reading(caption.text) for caption in takewhile(lambda c: c.at is None, spoken[index:])]
        stop = next((caption.at for caption in spoken[index:] if caption.at is not None), max(until, at))
        end = at + (one.lasts if one.lasts is not None else max(stop - at, 0.0) * run[0] / sum(run))
        found.append(Cue("caption", one.text, at, min(end, seconds)))
        at = min(end, seconds)
    return [cue for cue in found if cue.end - cue.start > 0.01]


def _too_late(one: Asked, seconds: float) -> MediaError:
    return MediaError(
        f"a caption comes at {one.at:g} s, the picture ends at {seconds:g} s",
        [("text", f'"{shown(one.text, 60)}"')],
        "let it come earlier, make the clip longer with `duration:`, or its end card shorter",
    )


def _natural_end(one: Asked, later: Sequence[Asked], until: float, seconds: float) -> float:
    """A timed caption without a length stays as long as it is read, up to the next one."""
    start = one.at or 0.0
    wanted = start + max(LEAST, 1.4 * reading(one.text))
    end = min([wanted, *(other.at for other in later if other.at is not None and other.at > start)])
    return min(end, until) if until > start + LEAST else min(end, seconds)


def words(cue: Cue) -> tuple[Word, ...]:
    """The words of a cue with their times: its own, else spread over it by reading speed."""
    if cue.words:
        return cue.words
    found: list[tuple[int, int, float]] = []
    at = 0
    for line in cue.text.split("\n"):
        for first, last in linebreak.words(line):
            found.append((at + first, at + last, max(script.reading_seconds(line[first:last]), 0.05)))
        at += len(line) + 1
    whole = sum(weight for _, _, weight in found)
    step = min((cue.end - cue.start) / whole, 1.6)
    made, clock = [], cue.start
    for first, last, weight in found:
        made.append(Word(first, last, clock, clock + weight * step))
        clock += weight * step
    return tuple(made)
