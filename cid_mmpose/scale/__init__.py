"""People of millions of images: one row an image in one file a shard, on this machine or by Ray.

``run.py`` works through a shard and takes up one that was killed; ``on_ray.py`` has a cluster do it.
"""
