"""The same as `cid study`; here for `mim` and for old habits."""

from cid_mmpose.cli import run_tool

if __name__ == '__main__':
    run_tool('study')
