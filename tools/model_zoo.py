"""Bring the tables of docs/model_zoo.md up to date with the model index."""

import argparse
from pathlib import Path

from cid_mmpose.cli.user_errors import user_errors

ROOT = Path(__file__).resolve().parents[1]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('page', nargs='?', default=str(ROOT / 'docs' / 'model_zoo.md'), help='Markdown page to update')
    parser.add_argument('--index', default=str(ROOT / 'model-index.yml'), help='model index to read')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        from cid_mmpose.weights.model_zoo import update_page

        update_page(args.page, args.index)
        print(f'{args.page}: tables as in {args.index}')
