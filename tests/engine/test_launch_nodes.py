"""Training on several nodes, here two launchers on one machine that meet as those of two nodes do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.helpers.images import ROOT
from tests.helpers.tiny_runs import ENVIRONMENT, free_port, write_tiny_config


def start(node: int, port: int, config: str, work_dir: Path) -> subprocess.Popen:
    """What a node runs: one process, which has the local rank 0 on either node."""
    words = ['--nnodes=2', f'--node_rank={node}', '--nproc_per_node=1', '--master_addr=127.0.0.1']
    words += [f'--master_port={port}', '-m', 'cid_mmpose', 'train', config, '--launcher', 'pytorch']
    words += ['--work-dir', str(work_dir), '--cfg-options', 'train_cfg.max_epochs=1']
    return subprocess.Popen(
        [sys.executable, '-m', 'torch.distributed.run', *words],
        env={**ENVIRONMENT, 'CUDA_VISIBLE_DEVICES': ''},
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_nodes_train_as_two_processes_of_one_node_do(tmp_path):
    config = write_tiny_config(tmp_path)
    port = free_port()
    nodes = [start(node, port, config, tmp_path / 'nodes') for node in (0, 1)]
    said = [node.communicate(timeout=300)[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], said[0][-3000:] + said[1][-3000:]

    words = ['--nproc_per_node=2', f'--master_port={free_port()}', '-m', 'cid_mmpose', 'train', config]
    words += ['--launcher', 'pytorch', '--work-dir', str(tmp_path / 'node'), '--cfg-options', 'train_cfg.max_epochs=1']
    done = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', *words],
        env={**ENVIRONMENT, 'CUDA_VISIBLE_DEVICES': ''},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]

    (two,), (one,) = ([*(tmp_path / name).rglob('scalars.json')] for name in ('nodes', 'node'))  # one process logs
    assert losses(two) == losses(one) and len(losses(two)) == 2  # 8 images, 2 processes, 2 images each
    weights = [torch.load(tmp_path / name / 'epoch_1.pth', weights_only=False) for name in ('nodes', 'node')]
    states = [checkpoint['state_dict'] for checkpoint in weights]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def losses(path: Path) -> list[float]:
    lines = map(json.loads, path.read_text().splitlines())
    return [line['loss'] for line in lines if 'loss' in line]
