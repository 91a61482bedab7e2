"""One runtime of the benchmark in a process of its own: it runs the network once for each line that comes, and says ms.

python -m cid_mmpose.benchmark.runtime_worker KIND PEOPLE FLIP FILE THREADS
"""

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

READY = 'ready'
STATUS = Path('/proc/self/status')
SIZE = (704, 512)  # px, (w, h)
# kind of torch -> precision of the backbone's folded copy, and the mode of torch.compile
TORCH = {
    'torch': (None, None),
    'torch folded': ('float32', None),
    'torch load': ('float32', None),
    'torch compiled': ('float32', 'default'),
    'torch bfloat16': ('bfloat16', None),
    'MMPose': (None, None),
}


def image_of(rng: np.random.Generator) -> np.ndarray:
    """An image of random pixels, (1, h, w, 3) uint8 BGR."""
    width, height = SIZE
    return rng.integers(0, 256, (1, height, width, 3), np.uint8)


def torch_program(kind: str, people: int, flip: bool, threads: int) -> Callable[[], Any]:
    """Normalises an image and finds its people by a network of torch with random weights.

    Args:
        kind: of ``TORCH``.
        people: rows of an image.
        flip: looks at the mirror image too.
        threads: of the CPU.
    """
    from cid_mmpose.compat import check_versions

    check_versions()
    import torch

    from cid_mmpose.models.fast import folded

    from .subjects import mmpose_model, our_model, test_samples

    torch.set_num_threads(threads)
    model = our_model(people, None, torch.device('cpu'))
    if kind == 'MMPose':
        model = mmpose_model(model)
    if kind == 'torch folded':
        folded.can_fuse = lambda *_: False
    model.test_cfg['flip_test'] = flip
    if kind != 'MMPose':
        precision, mode = TORCH[kind]
        model.test_cfg.update(precision=precision, compile=mode)
    image = torch.from_numpy(image_of(np.random.default_rng(0)))
    mean, std = model.data_preprocessor.mean, model.data_preprocessor.std

    def program() -> Any:
        inputs = (image.permute(0, 3, 1, 2).flip(1).float() - mean) / std
        with torch.no_grad():
            return model.predict(inputs, test_samples(1, SIZE))

    return program


def file_program(path: str) -> Callable[[], Any]:
    """Finds the people of an image by an exported file.

    Args:
        path: of the file.
    """
    from cid_mmpose.runtime.predictor import session_of

    session = session_of(path, 'cpu')
    return partial(session.run, image_of(np.random.default_rng(0)))


def peak_mib() -> float:
    """MiB that this process has held at most, the program and its libraries included; NaN where Linux is not there.

    Not of ``getrusage``, which counts the process that started this one as well.
    """
    if not STATUS.exists():
        return float('nan')
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith('VmHWM:')]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Answers lines until there are no more."""
    kind, people, flip, path, threads = sys.argv[1:]
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what libraries print is no answer
    if kind in TORCH:
        program = torch_program(kind, int(people), flip == 'flip', int(threads))
    else:
        program = file_program(path)
    program()
    program()
    print(READY, file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        program()
        print(1e3 * (time.perf_counter() - start), peak_mib(), file=answers, flush=True)


if __name__ == '__main__':
    main()
