"""Photos of a shop's products, fetched from hosts that a person named, into the photo folder of the project.

Only what is not there yet; a photo that can't be fetched is told and stops nothing. How it is fetched safely is the
downloader's business.
"""

import asyncio
import os
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clipbuild.catalog.feeds import Item
from clipbuild.catalog.photos import Album, file_name

if TYPE_CHECKING:
    from clipbuild.providers.config import Download

AT_ONCE = 6
MOST = 10
"""Photos of one product; more are of no use to a clip."""


def wanted(items: Iterable[Item], album: Album, hosts: Collection[str]) -> dict[str, str]:
    """File name → address of every photo that the project lacks and a named host has."""
    found: dict[str, str] = {}
    for item in items:
        images = [*item.images[:MOST], *(image for variant in item.variants for image in variant.images[:1])]
        for image in images:
            if urlsplit(image).hostname in hosts and not album.has(image):
                found.setdefault(file_name(image), image)
    return found


def fetch(folder: str, photos: dict[str, str], get: "Download") -> list[str]:
    """Fetch photos into a folder; returns what could not be, and why."""
    os.makedirs(folder, exist_ok=True)
    return asyncio.run(_all(folder, photos, get))


async def _all(folder: str, photos: dict[str, str], get: "Download") -> list[str]:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, address: str) -> str:
        from clipbuild.errors import shown
        from clipbuild.providers.contract import PollError

        target = os.path.join(folder, name)
        async with room:
            try:
                await get(address, target, kind="image", headers={})
            except PollError as error:
                return f"{shown(address, 200)}: {error}"
        return ""

    told: Sequence[str] = await asyncio.gather(*(one(name, address) for name, address in photos.items()))
    return [line for line in told if line]
