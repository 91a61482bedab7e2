"""``python -m cid_mmpose``: the same as the command ``cid``."""

from cid_mmpose.cli import main

if __name__ == '__main__':
    main()
