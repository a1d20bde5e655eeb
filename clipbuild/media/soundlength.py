"""How long a sound lasts, alone or in a clip: told by decoding it, for headers lie. Knows nothing of what is said."""

from clipbuild.media import ffmpeg as door
from clipbuild.media import sound

RATE = 8000


def seconds(program: str, path: str) -> float:
    """The length of the first sound of a file. Raises MediaError for a file without one."""
    import ffmpeg

    with open(path, "rb") as file:
        container = "mp4" if file.read(12)[4:8] == b"ftyp" else sound.kind(path)
    given = ffmpeg.input(door.source(path), format=container, protocol_whitelist="file")
    stream = ffmpeg.output(given.audio, "pipe:1", format="u8", ac=1, ar=RATE)
    return len(door.output(door.arguments(program, stream), wall=300.0)) / RATE
