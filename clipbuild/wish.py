"""What was asked for on the command line, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """Which clips of which workspace: product patterns and platforms (none: all), and a profile ("": the
    project's usual one). `clips` are ids; None: no such limit."""

    root: str
    products: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    profile: str = ""
    clips: frozenset[str] | None = None

    @property
    def is_whole(self) -> bool:
        """Everything is wished for."""
        return not self.products and not self.platforms and self.clips is None
