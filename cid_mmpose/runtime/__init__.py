"""Exported models: read, checked and called without torch and MMPose, by numpy, OpenCV and a runtime.

``predictor.load`` gives what ``cid_mmpose/inference`` gives for a checkpoint: a ``PeopleFinder``.
"""
