"""The same as `cid prepare coco`."""

from cid_mmpose.cli import run_tool

if __name__ == '__main__':
    run_tool('prepare', 'coco')
