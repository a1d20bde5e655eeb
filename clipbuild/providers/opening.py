"""Opens the journal of a workspace, or of a store that several share, and takes in what killed runs had received.

Sends nothing, asks nobody.
"""

import os
from collections.abc import Callable

from clipbuild.engine.store import Store
from clipbuild.engine.workspace import Workspace
from clipbuild.providers import parcels
from clipbuild.providers.journal import Journal, mirror_path


def opened(root: str, store: str, state_home: str, say: Callable[[str], None]) -> Journal:
    """The journal of the workspace at `root`, or of the `store` that several share, with its mirror."""
    home = f"{store}.jobs" if store else Workspace(root).home
    mirror = mirror_path(state_home, home) if state_home else ""
    journal = Journal(os.path.join(home, "journal"), mirror, say=say).open()
    if parcels.Parcels(home).waiting():
        parcels.take_in(journal, Store(store or Workspace(root).store), say)
    return journal
