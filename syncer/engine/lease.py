"""What the engine asks of a lock that one process holds for a while."""

from typing import Protocol


class Lease(Protocol):
    """A lock that its holder must renew. Used by one thread, but for :meth:`cut`; methods raise ``SyncError``."""

    @property
    def label(self) -> str:
        """What it is for, in a person's words."""

    @property
    def mine(self) -> bool:
        """Whether it was ours at the last :meth:`watch`."""

    @property
    def holder(self) -> str:
        """Who held it at the last :meth:`watch`; empty for nobody."""

    @property
    def asked_by(self) -> str:
        """Who asked us for it since the :meth:`watch` before the last one; empty for nobody."""

    def acquire(self) -> float | None:
        """Take it if it is free; return until when (``time.monotonic()``) it is ours, None where it is not."""

    def renew(self) -> float | None:
        """Renew it; return until when it is ours, None where it is lost."""

    def release(self) -> None:
        """Give it back, so that another can take it at once; quiet where that fails: it then ends by itself."""

    def watch(self) -> None:
        """See whose it is: at once after a change or a failure, else when it changes, or it is time to renew."""

    def ask(self) -> None:
        """Ask for it who held it at the last :meth:`watch`; nothing where that has changed."""

    def cut(self) -> None:
        """End a :meth:`watch` under way, and all later ones, from any thread."""
