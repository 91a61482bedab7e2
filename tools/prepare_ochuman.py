"""The same as `cid prepare ochuman`."""

from cid_mmpose.cli import run_tool

if __name__ == '__main__':
    run_tool('prepare', 'ochuman')
