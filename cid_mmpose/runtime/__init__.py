"""Exported models: read, checked and called without torch and MMPose, by numpy, OpenCV and a runtime.

What the networks of ``cid_mmpose/inference`` give comes out here, of the same class: ``load.py``.
"""
