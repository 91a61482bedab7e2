"""CID-W32 by every runtime: torch as it is, folded, as ``load`` has it and compiled, and exported files."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch

from cid_mmpose.compat.metainfo import COCO, parsed_metainfo
from cid_mmpose.data.resize import Resizing
from cid_mmpose.export.graph import check_exporter, write_onnx
from cid_mmpose.export.network import ExportedCID
from cid_mmpose.export.openvino_graph import write_openvino
from cid_mmpose.export.quantise import CHOICES, quantise
from cid_mmpose.inference import keypoint_set
from cid_mmpose.runtime.about import About, Normalisation
from cid_mmpose.runtime.seal import seal

from .measure import Row, summarise
from .runtime_worker import READY, TORCH, image_of
from .subjects import FLIP, our_model

CASES = ((30, True), (30, False), (1, True), (100, True))  # people, and whether with flip
REFERENCE = 'torch folded'
CALIBRATION = 2  # images: the speed does not depend on the ranges


class File(NamedTuple):
    """An exported file, and what a user pays for it on disk."""

    path: Path
    mib: float


def runtimes(options: SimpleNamespace) -> Iterator[Row]:
    """Each case by all runtimes, in processes of their own, one after the other round by round."""
    check_exporter()
    for people, flip in CASES[:1] if options.quick else CASES:
        case = f'{people} people, {"flip" if flip else "no flip"}'
        with TemporaryDirectory() as name:
            files = write_files(people, flip, Path(name))
            yield from measured(options, case, people, flip, files)


def write_files(people: int, flip: bool, folder: Path) -> dict[str, File]:
    """The exported files of CID-W32 with random weights, by the name of what runs them.

    Args:
        people: rows of an image.
        flip: looks at the mirror image too.
        folder: where they are written.
    """
    network = our_model(people, None, torch.device('cpu'))
    about = about_of(people, flip)
    graph = ExportedCID(
        network, max_people=people, min_score=0.0, blur=about.blur, flip_indices=FLIP if flip else None, free_size=True
    )
    graph.train(False)
    graph.requires_grad_(False)

    onnx_file = folder / 'float32.onnx'
    write_onnx(graph, about, onnx_file)
    images = [image_of(np.random.default_rng(number)) for number in range(CALIBRATION)]
    weights = next(iter(CHOICES.values()))
    written = {
        'onnxruntime int8': quantise(onnx_file, about, weights, images, folder / 'int8.onnx'),
        'OpenVINO': write_openvino(onnx_file, about, folder / 'float32.xml'),
        'OpenVINO bfloat16': write_openvino(onnx_file, replace(about, precision='bfloat16'), folder / 'bfloat16.xml'),
        'OpenVINO int8': quantise(onnx_file, about, weights, images, folder / 'int8.xml'),
        'onnxruntime': [onnx_file],
    }
    files = {}
    for name, paths in written.items():
        seal(paths[-1])
        files[name] = File(paths[-1], sum(path.stat().st_size for path in paths) / 2**20)
    return files


def about_of(people: int, flip: bool) -> About:
    """What the files of random weights say of themselves.

    Args:
        people: rows of an image.
        flip: looks at the mirror image too.
    """
    return About(
        keypoint_set=keypoint_set(parsed_metainfo(COCO)),
        resizing=Resizing((512, 512), 64, 'expand', (0.0, 0.0, 0.0)),
        normalisation=Normalisation((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), 'rgb'),
        max_people=people,
        min_score=0.0,
        nms=1.0,
        flip=flip,
        blur=3,
        stride=4,
        precision='float32',
        batch=None,
        size=None,
        model='random weights',
        config_sha256='0' * 64,
        weights_sha256='0' * 64,
        opset=18,
        made_by={},
    )


class Worker:
    """A process that runs one program when asked.

    Args:
        kind: of ``TORCH``, or any name for a file.
        people: rows of an image.
        flip: looks at the mirror image too.
        path: of a file.
        threads: of the CPU, for torch.
    """

    def __init__(self, kind: str, people: int, flip: bool, path: str, threads: int) -> None:
        words = [kind, str(people), 'flip' if flip else 'no flip', path, str(threads)]
        command = [sys.executable, '-m', 'cid_mmpose.benchmark.runtime_worker', *words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.asks = self.process.stdin
        self.answers = self.process.stdout
        self.is_ready = self.answers.readline().strip() == READY

    def run(self) -> tuple[float, float]:
        """Milliseconds of one run, and MiB that the process has held at most."""
        print(file=self.asks, flush=True)
        milliseconds, mib = self.answers.readline().split()
        return float(milliseconds), float(mib)

    def close(self) -> None:
        """Ends the process."""
        self.asks.close()
        self.process.wait()


def measured(options: SimpleNamespace, case: str, people: int, flip: bool, files: dict[str, File]) -> Iterator[Row]:
    """The rows of one case.

    Args:
        options: with ``repeats`` and ``threads``.
        case: for the rows.
        people: rows of an image.
        flip: looks at the mirror image too.
        files: of ``write_files``.
    """
    paths = dict.fromkeys(TORCH, '') | {name: str(file.path) for name, file in files.items()}
    workers = {}
    for name, path in paths.items():
        worker = Worker(name, people, flip, path, options.threads)
        if worker.is_ready:
            workers[name] = worker
        else:
            print(f'left out: {name} does not run here')
            worker.close()

    times: dict[str, list[float]] = {name: [] for name in workers}
    peaks = {}
    for _ in range(options.repeats):
        for name, worker in workers.items():
            milliseconds, peaks[name] = worker.run()
            times[name].append(milliseconds)
    for worker in workers.values():
        worker.close()

    timings = {name: summarise(each) for name, each in times.items()}
    for name, timing in timings.items():
        yield Row('runtimes', case, f'{name}, ms', timing, timings.get('MMPose'))
        yield Row(
            'runtimes', case, f'{name}, times as fast as folded torch', timings[REFERENCE].median / timing.median, None
        )
        yield Row('runtimes', case, f'{name}, peak MiB of the process', peaks[name], None)
        if name in files:
            yield Row('runtimes', case, f'{name}, MiB of the file', files[name].mib, None)
