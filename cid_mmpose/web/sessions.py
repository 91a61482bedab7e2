"""What the server knows of each open page, in memory alone: nobody sees the image of another."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from cid_mmpose.inference.explained import Explained
from cid_mmpose.inference.people import People

from .candidates import Candidates, Sliders

MOST = 8  # open pages whose images are held; an older one is asked to give its image again


@dataclass(eq=False)
class Session:
    """One open page.

    Args:
        sliders: where they stand.
        candidates: of the last image; None before the first one.
        explained: the maps of the people who were shown when somebody was last clicked.
        explained_numbers: the candidates that those people are.
        chosen: the candidate whose maps are shown.
        token: by which the page's downloads are asked for; nobody can guess it.
        lock: held where several fields are read or changed together.
    """

    sliders: Sliders
    candidates: Candidates | None = None
    explained: Explained | None = None
    explained_numbers: tuple[int, ...] = ()
    chosen: int | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def take(self, candidates: Candidates) -> None:
        """A new image; nothing of the one before stays."""
        with self.lock:
            self.candidates = candidates
            self.explained = None
            self.explained_numbers = ()
            self.chosen = None

    def numbers(self) -> list[int]:
        """The candidates who are shown, best first."""
        if self.candidates is None:
            return []
        return [int(number) for number in self.candidates.chosen_by(self.sliders)]

    def shown(self) -> People | None:
        """The people who are shown; None before the first image."""
        with self.lock:
            if self.candidates is None:
                return None
            return self.candidates.people[self.numbers()]


class Sessions:
    """All open pages.

    Args:
        start: where the sliders of a new page stand.
        most: pages that are held.
    """

    def __init__(self, start: Sliders, most: int = MOST) -> None:
        self.start = start
        self.most = most
        self._open: OrderedDict[str, Session] = OrderedDict()  # the one that was used last comes last
        self._lock = threading.Lock()

    def of(self, page: str) -> Session:
        """The session of a page, a new one if there is none.

        Args:
            page: what Gradio names it by, ``session_hash``.
        """
        with self._lock:
            if page not in self._open:
                self._open[page] = Session(self.start)
            self._open.move_to_end(page)
            while len(self._open) > self.most:
                self._open.popitem(last=False)
            return self._open[page]

    def with_token(self, token: str) -> Session | None:
        """The session whose downloads have this token; None if there is none."""
        with self._lock:
            for session in self._open.values():
                if secrets.compare_digest(session.token.encode(), token.encode(errors='replace')):
                    return session
        return None

    def forget(self, page: str) -> None:
        """Drops the session of a page that was closed."""
        with self._lock:
            self._open.pop(page, None)

    def __len__(self) -> int:
        return len(self._open)
