"""Time and memory of CID here and in MMPose, side by side: as ``python -m cid_mmpose benchmark``."""
import sys

from cid_mmpose.apis.launch import user_errors
from cid_mmpose.benchmark.command import main

if __name__ == '__main__':
    with user_errors():
        main(sys.argv[1:])
