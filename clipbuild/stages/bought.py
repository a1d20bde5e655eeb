"""What a stage is that nobody runs here: its outputs are bought. The buyer knows how; this only names them."""

from dataclasses import dataclass

from clipbuild.errors import ActionError
from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Bought:
    """A stage without a run of its own; `kind` is what providers call such a request."""

    name: str
    kind: str
    outputs: tuple[str, ...]
    version: int = 1
    tools: tuple[str, ...] = ()
    inline: bool = False
    precious: bool = True

    def run(self, work: Workdir) -> None:
        """Raises ActionError: a worker never buys."""
        raise ActionError(f"{work.name}: stage {self.name} is bought, not run")
