"""Learn the images of a small COCO-style data set by heart, with our head and with MMPose's at the same schedule.

A head whose targets, losses and decoding fit together reaches a high AP on the images it was trained on.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from cid_mmpose.cli.user_errors import user_errors

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = {
    'cid_mmpose': ROOT / 'configs/overfit/cid_hrnet-w16-small_coco-mini.py',
    'MMPose': ROOT / 'configs/overfit/mmpose-cid_hrnet-w16-small_coco-mini.py',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--data-root', required=True, help='folder with annotations/ and train2017/')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/overfit'))
    parser.add_argument('--heads', nargs='+', choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument('--epochs', type=int, help='instead of those of the configuration')
    return parser.parse_args()


def train(config: Path, work_dir: Path, data_root: str, epochs: int) -> float:
    """Trains by tools/train.py and returns COCO AP in [0, 1] on the training images."""
    options = [f'{part}_dataloader.dataset.data_root={data_root}' for part in ('train', 'val', 'test')]
    if epochs:
        options += [f'train_cfg.max_epochs={epochs}', f'train_cfg.val_interval={epochs}']
    command = [sys.executable, str(ROOT / 'tools/train.py'), str(config), '--work-dir', str(work_dir)]
    status = subprocess.run(command + ['--cfg-options', *options]).returncode
    if status:  # it has said why
        sys.exit(status)
    newest = max(work_dir.glob('*/vis_data/scalars.json'))
    return [json.loads(line)['coco/AP'] for line in newest.read_text().splitlines() if 'coco/AP' in line][-1]


def main(args: argparse.Namespace) -> None:
    """Trains each head and prints a table."""
    rows = []
    for head in args.heads:
        start = time.monotonic()
        ap = train(CONFIGS[head], args.work_dir / head, args.data_root, args.epochs)
        rows.append(f'{head:12} {100 * ap:6.1f} {(time.monotonic() - start) / 60:9.1f}')
    print(f'\n{"head":12} {"AP":>6} {"minutes":>9}', *rows, sep='\n')


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        main(args)
