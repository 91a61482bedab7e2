"""What the commands in ``tools/`` do, for use from Python: import the module of the task, such as ``engine.launch``."""
