"""Time and memory of CID here and in MMPose, side by side: as ``python -m cid_mmpose benchmark``."""
import runpy
import sys

if __name__ == '__main__':
    sys.argv[1:1] = ['benchmark']
    runpy.run_module('cid_mmpose', run_name='__main__')
