"""What the command ``cid`` does, for use from Python: import the module of the task, such as ``engine.launch``."""
