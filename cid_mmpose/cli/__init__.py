"""The command ``cid``: one small module a verb, which imports nothing of the stack until it runs."""

from .main import main, run_tool

__all__ = ['main', 'run_tool']
