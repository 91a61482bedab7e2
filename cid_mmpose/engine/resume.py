"""Which checkpoint of a work folder to go on from."""

import re
import zipfile
from pathlib import Path

from cid_mmpose.compat.stack import say

NUMBERED = re.compile(r'(?:epoch|iter)_(\d{1,18})\.pth')


def newest_checkpoint(work_dir: str) -> str | None:
    """Path of the last checkpoint that was written to its end, None if there is none.

    mmengine notes the last one in the file ``last_checkpoint``, by the path it had then. A run killed while it wrote
    leaves a checkpoint, or that note, cut off; then the complete one of the highest number is taken, below the noted
    one if there is a note: what lies above it is of an earlier, longer run in the same folder.

    Args:
        work_dir: folder of a run with ``epoch_*.pth`` or ``iter_*.pth``.
    """
    folder = Path(work_dir)
    numbered = [path for path in folder.glob('*.pth') if NUMBERED.fullmatch(path.name) and path.is_file()]
    candidates = sorted(numbered, key=lambda path: int(NUMBERED.fullmatch(path.name).group(1)), reverse=True)
    note = folder / 'last_checkpoint'
    if note.is_file():
        text = note.read_text(encoding='utf-8', errors='replace')
        noted = folder / Path(text.strip()).name
        if noted in candidates:
            place = candidates.index(noted)
            candidates = candidates[place:]

    for path in candidates:
        if zipfile.is_zipfile(path):  # torch writes a zip, whose table of contents comes last
            return str(path)
        say(f'{path} was not written to its end; it is passed over')
    return None
