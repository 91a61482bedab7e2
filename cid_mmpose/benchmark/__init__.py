"""Speed and memory of CID beside MMPose's own, in one process: ``python -m cid_mmpose benchmark``."""
