"""Speed and memory of CID beside MMPose's own, in one process: ``cid benchmark``."""
