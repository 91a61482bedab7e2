"""The process of one run: ``python -m study.worker RUN FILE FOLDER``, which ``command`` starts.

It does the run, unless another process is at it or it is done, and adds its line to the file. It holds the lock itself,
so that the run comes to its end whatever becomes of the process that started it.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.errors import FolderInUse
from cid_mmpose.files import only_run_in

from .lines import REPEATS, append, key_of, read, run_of
from .plans import Run

BUSY = 75  # exit status: another process does this run


def finish(run: Run, file: Path, root: Path) -> int:
    """Does a run and adds its line; the exit status.

    Args:
        run: which.
        file: for its line; a run that has one in the file's folder is not done again, except into ``repeats.jsonl``.
        root: where the work folders are.
    """
    folder = root / key_of(run)
    with ExitStack() as stack:
        try:
            stack.enter_context(only_run_in(str(folder), 'running a study'))
        except FolderInUse:
            return BUSY
        is_done = file.stem != REPEATS and any(line['key'] == key_of(run) for line in read(file.parent))
        if not is_done:
            from .one_run import do

            append(file, do(run, folder))
    return 0


if __name__ == '__main__':
    with user_errors():
        status = finish(run_of(json.loads(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
    sys.exit(status)
