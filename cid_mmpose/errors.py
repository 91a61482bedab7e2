"""The one error a user meets when an input of theirs is wrong."""


class BadInput(ValueError):
    """A file or option of the user's is wrong: the message names it, the field, and the way out.

    The commands print its message alone, without a traceback, and exit with status 2. It takes one string, because
    mmengine's registry and torch's data loader rebuild exceptions as ``type(e)(text)`` around the original text.
    """

    def __str__(self) -> str:
        # A data loader worker hands over its whole traceback as the text; what the user needs is its last line.
        text = super().__str__()
        return text.rsplit(f'{type(self).__name__}: ', 1)[-1].strip()


class RunStopped(BadInput):
    """A training run cannot go on; what it has written is whole. The message says why."""


class FolderInUse(BadInput):
    """Another process is at work in a folder; whoever has the time may wait for it."""
