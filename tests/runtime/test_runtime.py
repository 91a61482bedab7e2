"""What runs exported files is imported without torch and MMPose."""

import subprocess
import sys

import pytest

STACK = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mmpose')
MODULES = (
    'runtime.predictor',
    'runtime.onnx_file',
    'runtime.openvino_file',
    'runtime.tensorrt_file',
    'inference.predict',
    'scale.run',
    'scale.on_ray',
    'cli.predict',
    'cli.predict_rows',
)


@pytest.mark.parametrize('module', MODULES)
def test_nothing_of_the_training_stack_is_imported(module):
    """In a process where each part of it raises at import, and of which nothing is left in sys.modules."""
    lines = [
        'import sys',
        *(f'sys.modules[{name!r}] = None' for name in STACK),
        f'import cid_mmpose.{module}',
        f'print([name for name in {STACK!r} if sys.modules.get(name)])',
    ]
    done = subprocess.run([sys.executable, '-c', '\n'.join(lines)], capture_output=True, text=True, check=False)
    assert done.stdout == '[]\n', done.stderr
