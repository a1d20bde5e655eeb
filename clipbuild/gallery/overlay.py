"""The app around a clip, as it would be drawn: buttons, names and bars of each platform, over the clip's own frame.

A schematic SVG in the frame's pixels, made of numbers of ours and escaped text. What the app leaves free decides where
its buttons and words stand; the dashed box is where all apps of this size leave room, and texts keep to it. Knows
nothing of pages.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from clipbuild.catalog.model import Box, Spec

APPS = {
    "tiktok": ("Following   For You", ("♥", "●", "⌑", "↗"), "♫ original sound"),
    "reels": ("Reels", ("♡", "○", "➤", "⋯"), "♫ original audio"),
    "shorts": ("Shorts", ("▲", "▼", "○", "↗"), ""),
    "youtube": ("", (), "▶  ❚❚   0:00"),
}
ICON = 44


def drawing(platform: str, spec: Spec, post: Mapping[str, Any], free: Box | None = None) -> Markup:
    """The overlay of one platform for a frame of this spec. `free`: what its app leaves uncovered."""
    box, safe, wide, high = free or spec.safe, spec.safe, spec.width, spec.height
    spec = replace(spec, safe=box)
    unit = min(wide, high) / 1080
    tabs, icons, sound = APPS.get(next((a for a in APPS if a in platform.lower()), ""), ("", (), ""))
    shade = (
        f'<path class="unsafe" fill-rule="evenodd" d="M0 0H{wide}V{high}H0Z M{box.x0} {box.y0}V{box.y1}H{box.x1}V{box.y0}Z"/>'
        f'<rect class="safe" x="{safe.x0}" y="{safe.y0}" width="{safe.x1 - safe.x0}" height="{safe.y1 - safe.y0}"/>'
    )
    inside = [shade, *_tabs(tabs, wide, box.y0, unit), *_rail(icons, spec, unit), *_words(post, sound, spec, unit)]
    return Markup(  # noqa: S704 - numbers of ours and escaped text
        f'<svg class="overlay" data-platform="{escape(platform)}" viewBox="0 0 {wide} {high}" aria-hidden="true">'
        + "".join(inside) + "</svg>"
    )  # fmt: skip


def _tabs(text: str, wide: int, top: int, unit: float) -> list[str]:
    if not text:
        return []
    return [_text(wide / 2, top * 0.62, text, 40 * unit, "middle")]


def _rail(icons: tuple[str, ...], spec: Spec, unit: float) -> list[str]:
    """The column of buttons in the room right of the safe box, from its foot upwards."""
    right = spec.width - spec.safe.x1
    if not icons or right < 40 * unit:
        return []
    x, size, found = spec.safe.x1 + right / 2, min(ICON * unit, 0.42 * right), []
    for place, icon in enumerate(reversed(icons)):
        y = spec.safe.y1 - (70 + place * 170) * unit
        found.append(f'<circle class="app" cx="{x:.0f}" cy="{y:.0f}" r="{size:.0f}"/>')
        found.append(_text(x, y + 0.36 * size, icon, 1.04 * size, "middle"))
    return found


def _words(post: Mapping[str, Any], sound: str, spec: Spec, unit: float) -> list[str]:
    """Account, description and sound in the room below the safe box."""
    below = spec.height - spec.safe.y1
    if below < 120 * unit:
        return []
    left, line = max(spec.safe.x0, 40 * unit), 54 * unit
    tags = " ".join(f"#{tag}" for tag in post.get("hashtags") or ())
    said = [str(post.get("title") or "@yourbrand"), f"{post.get('description') or ''} {tags}".strip(), sound]
    lines = [_cut(text) for text in said if text]
    top = spec.safe.y1 + min(below * 0.2, 70 * unit) + line * 0.4
    return [
        _text(left, top + place * line, text, (38 if place == 0 else 34) * unit, "start", bold=place == 0)
        for place, text in enumerate(lines) if top + place * line < spec.height - 20 * unit
    ]  # fmt: skip


def _cut(text: str, limit: int = 46) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(x: float, y: float, text: str, size: float, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size:.0f}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'
