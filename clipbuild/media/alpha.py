"""Does a picture's file say that it has an alpha channel? Told by its header; nothing is decoded.

Whether the channel holds a usable cut-out is for those who look at pixels.
"""

_HEAD = 1 << 16


def is_declared(path: str) -> bool:
    """PNG with alpha or a transparent colour, WebP with its alpha flag. False for anything else, and for no file."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError):
        return False
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and len(head) > 26:
        return head[25] in (4, 6) or b"tRNS" in head.partition(b"IDAT")[0]
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) > 24:
        return (head[12:16] == b"VP8X" and bool(head[20] & 0x10)) or (head[12:16] == b"VP8L" and bool(head[24] & 0x10))
    return False

