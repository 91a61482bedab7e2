"""The stack as it is installed: versions, stand-ins, and evaluation without xtcocotools."""

import json
import os
import subprocess
import sys
import warnings
from importlib import import_module, metadata
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from mmpose.evaluation.metrics import coco_metric

from cid_mmpose import config_path
from cid_mmpose.compat import coco_stand_in, mmcv_ops, stack, versions
from cid_mmpose.errors import BadInput
from tests.helpers import known_answers
from tests.helpers.images import ROOT, coco, person, shared

NOISE = 0.02  # standard deviation of a made keypoint, in sizes of its person


def python(code: str, warnings: str = 'ignore') -> str:
    """What a fresh interpreter prints, on both streams, when it runs this."""
    path = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    done = subprocess.run(
        [sys.executable, '-W', warnings, '-c', code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': path, 'OMP_NUM_THREADS': '1'},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize('version, fits', [('1.2.0', False), ('1.3.0', True), ('1.3.2+local', True), ('2.0.0', False)])
def test_a_version_fits_from_its_least_to_below_its_limit(monkeypatch, version, fits):
    need = stack.Need('mmpose', ('mmpose',), (1, 3), (2,), 'pip install it')
    monkeypatch.setattr(metadata, 'version', lambda name: version)
    if fits:
        return stack.check_versions([need])
    with pytest.raises(BadInput) as caught:
        stack.check_versions([need])
    assert str(caught.value).splitlines()[1] == (
        f'- mmpose: mmpose {version} is installed, >=1.3,<2 is needed: pip install it'
    )


def test_what_is_missing_is_named_with_its_command():
    need = stack.Need('no_such_module', ('a-name', 'b-name'), (1,), (2,), 'pip install a-name')
    with pytest.raises(BadInput) as caught:
        stack.check_versions([need])
    assert str(caught.value).splitlines()[1] == (
        '- no_such_module: none of a-name, b-name is installed, >=1,<2 is needed: pip install a-name'
    )


def test_any_of_the_names_of_a_part_will_do(monkeypatch):
    def version(name):
        if name != 'onedl-mmengine':
            raise metadata.PackageNotFoundError(name)
        return '0.10.12'

    monkeypatch.setattr(metadata, 'version', version)
    assert versions.installed(('mmengine', 'onedl-mmengine')) == ('onedl-mmengine', '0.10.12')
    stack.check_versions([need for need in stack.NEEDS if need.module == 'mmengine'])


def test_importing_the_package_imports_none_of_the_stack():
    heavy = {'torch', 'numpy', 'mmengine', 'mmcv', 'mmpose', 'mmdet', 'xtcocotools'}
    assert python(f'import sys, cid_mmpose; print({heavy} & set(sys.modules))').strip() == 'set()'


@pytest.mark.parametrize(
    'order',
    ['import mmengine, mmcv.utils.ext_loader, cid_mmpose', 'import cid_mmpose, mmengine, mmcv.utils.ext_loader'],
)
def test_mmengine_asks_for_compiled_ops_on_a_python_without_find_loader(order):
    code = (
        "import pkgutil; vars(pkgutil).pop('find_loader', None); "  # Python 3.14 has none
        f'{order}; from mmengine.utils.dl_utils import mmcv_full_available; '
        'print(mmcv_full_available(), mmcv.utils.ext_loader.check_ops_exist())'
    )
    has_ops = find_spec('mmcv._ext') is not None
    assert python(code).split() == [str(has_ops)] * 2


def test_what_mmengine_imports_warns_nobody_and_other_warnings_stay():
    code = (
        "import warnings; import cid_mmpose; warnings.warn('pkg_resources is deprecated as an API. See'); "
        "warnings.warn('another')"
    )
    assert python(code, 'default').count('UserWarning: ') == 1
    assert 'UserWarning: another' in python(code, 'default')


def test_a_config_of_the_package_is_found_by_name():
    assert config_path('cid_hrnet-w32_coco.py') == str(ROOT / 'configs' / 'cid_hrnet-w32_coco.py')
    with pytest.raises(BadInput, match='no config .nothing.py.*cid_hrnet-w32_coco.py'):
        config_path('nothing.py')


OPS = """
import cid_mmpose, mmpose.apis, mmdet.models, mmdet.apis
from cid_mmpose import stack
import mmcv.ops, torch
from mmengine.utils.dl_utils import mmcv_full_available
for wrong in (lambda: mmcv.ops.nms(torch.zeros(2, 4), torch.zeros(2), 0.5), lambda: mmcv.ops.no_such_op):
    try:
        wrong()
    except (RuntimeError, AttributeError) as error:
        print(type(error).__name__, '|', error)
print('full', mmcv_full_available(), mmcv.ops.get_compiler_version(), *stack.NOTES)
"""


def without_compiled_ops():
    if mmcv_ops.PathFinder.find_spec('mmcv._ext', __import__('mmcv').__path__):
        pytest.skip('this environment has the full mmcv')


def test_mmpose_and_mmdet_import_without_compiled_ops_and_a_note_says_so_once():
    without_compiled_ops()
    printed = python(OPS)
    assert printed.count('this mmcv has no compiled ops') == 1
    assert 'RuntimeError | nms is one of the compiled ops of mmcv' in printed
    assert "AttributeError | module 'mmcv.ops' has no attribute 'no_such_op'" in printed
    assert 'full False n/a' in printed


def test_without_compiled_ops_the_classes_are_mmcv_s_own_and_what_is_written_in_python_works():
    without_compiled_ops()
    from mmcv.ops import DeformConv2d, MultiScaleDeformableAttention, point_sample

    assert issubclass(DeformConv2d, torch.nn.Module) and not isinstance(torch.nn.Conv2d(1, 1, 1), DeformConv2d)
    ramp = torch.arange(4.0).view(1, 1, 1, 4)  # at x = 0.5 of 4 cells lies the mean of the two in the middle
    assert point_sample(ramp, torch.tensor([[[0.5, 0.5]]])).item() == 1.5
    attend = MultiScaleDeformableAttention(
        embed_dims=8, num_heads=1, num_levels=1, num_points=1, dropout=0, batch_first=True
    )
    attended = attend(
        torch.ones(1, 3, 8),
        value=torch.ones(1, 16, 8),
        reference_points=torch.full((1, 3, 1, 2), 0.5),
        spatial_shapes=torch.tensor([[4, 4]]),
        level_start_index=torch.tensor([0]),
    )
    assert attended.shape == (1, 3, 8)
    with pytest.raises(RuntimeError, match='deform_conv_forward is one of the compiled ops of mmcv'):
        DeformConv2d(1, 1, 3, padding=1)(torch.zeros(1, 1, 8, 8), torch.zeros(1, 18, 8, 8))


def test_the_stand_in_makes_way_for_compiled_ops(monkeypatch):
    import_module('mmcv.ops')
    from mmcv.utils import ext_loader

    monkeypatch.setattr(ext_loader, 'load_ext', 'as it was')
    monkeypatch.setattr(mmcv_ops.PathFinder, 'find_spec', lambda name, path=None: object())
    assert mmcv_ops.OpsStandIn().find_spec('mmcv.ops') is None
    assert ext_loader.load_ext == 'as it was'


def test_only_the_compiled_ops_are_stood_in_for():
    load = mmcv_ops.LoadMissing(lambda name, functions: (name, functions))
    assert load('_other', ['one']) == ('_other', ['one'])
    with pytest.raises(RuntimeError, match='two is one of the compiled ops'):
        load('_ext', ['one', 'two']).two(3)


OTHER_ORDER = pytest.param('mmengine.runner', 'cid_mmpose', marks=pytest.mark.slow)


@pytest.mark.parametrize('first, then', [('cid_mmpose', 'mmengine.runner'), OTHER_ORDER])
def test_checkpoints_are_loaded_safely_whichever_is_imported_first(first, then):
    code = (
        f'import {first}, {then}; from mmengine.runner import CheckpointLoader; '
        "print([CheckpointLoader._get_checkpoint_loader(name).__module__.split('.')[0] for name in ('a.pth', "
        "'https://a.org/b.pth', 'torchvision://resnet50')])"
    )
    assert python(code).splitlines()[-1] == "['cid_mmpose', 'cid_mmpose', 'cid_mmpose']"


def fake_xtcocotools(folder, monkeypatch, mask: str) -> None:
    """Puts an xtcocotools with this compiled part on the path, before the real one."""
    (folder / 'xtcocotools').mkdir()
    (folder / 'xtcocotools' / '__init__.py').write_text('')
    (folder / 'xtcocotools' / '_mask.py').write_text(mask)
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize(
    'mask, reason',
    [
        ('raise ImportError("numpy.core.multiarray failed to import")', 'ImportError: numpy.core.multiarray failed'),
        ('def encode(mask): return mask\ndef decode(mask): NPY_OWNDATA', 'NameError'),
        ('encode = decode = lambda mask: mask', ''),
    ],
)
def test_an_xtcocotools_of_another_build_is_found_out(tmp_path, monkeypatch, mask, reason):
    fake_xtcocotools(tmp_path, monkeypatch, mask)
    why = coco_stand_in.why_no_xtcocotools()
    assert why.startswith(reason) and bool(why) == bool(reason)


def test_without_xtcocotools_and_its_replacement_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(coco_stand_in, 'find_spec', lambda name: None)
    finder = coco_stand_in.CocoStandIn()
    finder.reason = 'it is not installed'
    spec = finder.find_spec('xtcocotools')
    with pytest.raises(ImportError, match='it is not installed.*pip install xthotcoco'):
        spec.loader.exec_module(coco_stand_in.module_from_spec(spec))


HOTCOCO = """
import sys, cid_mmpose
from cid_mmpose import stack
next(finder for finder in sys.meta_path if isinstance(finder, stack.CocoStandIn)).reason = 'a test hides it'
import mmpose.datasets
from mmpose.evaluation.metrics import coco_metric
print(coco_metric.COCO.__module__, coco_metric.COCOeval.__module__)
import xtcocotools.mask as mask
print(mask.decode(mask.merge(mask.frPyObjects([[1, 1, 5, 1, 5, 5]], 8, 8))).sum())
print(*stack.NOTES)
"""


@pytest.mark.slow
def test_mmpose_evaluates_through_hotcoco_where_xtcocotools_is_out():
    pytest.importorskip('xthotcoco')
    printed = python(HOTCOCO)
    assert printed.count('xtcocotools cannot be used (a test hides it)') == 1
    assert 'cid_mmpose.compat.hotcoco cid_mmpose.compat.hotcoco' in printed
    assert printed.splitlines()[-2] == '6'


def noisy(data: dict) -> list:
    """Detections made of the annotations, as CocoMetric's results: keypoints moved, some people lost, some doubled."""
    rng, results = np.random.default_rng(5), []
    people = {}
    for ann in data['annotations']:
        people.setdefault(ann['image_id'], []).append(np.reshape(ann['keypoints'], (-1, 3)).astype(float))
    for number, (image, found) in enumerate(people.items()):
        kept = [keypoints for keypoints in found if rng.random() < 0.85] + [found[0]]
        xy = np.stack([keypoints[:, :2] for keypoints in kept])
        size = np.ptp(xy, axis=(1, 2))[:, None, None] * rng.uniform(0.2, 2, (len(xy), 1, 1))
        xy += rng.normal(0, NOISE, xy.shape) * size
        scores = rng.uniform(0.01, 1, xy.shape[:2])
        results.append(
            (
                dict(
                    id=[number],
                    img_id=image,
                    category_id=1,
                    keypoints=xy,
                    keypoint_scores=scores,
                    bbox_scores=scores.mean(1),
                ),
                {},
            )
        )
    return results


def evaluate(ann_file, results: list, sigmas: list, **options) -> dict:
    """The figures of MMPose's CocoMetric."""
    metric = coco_metric.CocoMetric(ann_file=str(ann_file), nms_mode='none', score_mode='bbox', **options)
    metric.dataset_meta = dict(num_keypoints=len(sigmas), sigmas=np.array(sigmas))
    return metric.compute_metrics(results)


def both_ways(monkeypatch, *args, **options) -> tuple:
    """The figures by xtcocotools and by its stand-in."""
    if coco_stand_in.why_no_xtcocotools():
        pytest.skip('xtcocotools does not run in this environment')
    import xtcocotools.coco
    import xtcocotools.cocoeval

    from cid_mmpose.compat import hotcoco

    figures = []
    for annotations, evaluation in ((xtcocotools.coco, xtcocotools.cocoeval), (hotcoco, hotcoco)):
        monkeypatch.setattr(coco_metric, 'COCO', annotations.COCO)
        monkeypatch.setattr(coco_metric, 'COCOeval', evaluation.COCOeval)
        figures.append(evaluate(*args, **options))
    return tuple(figures)


def assert_equal_and_telling(real: dict, stand_in: dict, names: int) -> None:
    assert list(real) == list(stand_in) and len(real) == names
    assert np.abs(np.subtract(list(real.values()), list(stand_in.values()))).max() < 1e-9
    assert 0.1 < real['AP'] < 0.9


def test_the_stand_in_gives_the_same_figures_on_coco(monkeypatch):
    sigmas = pytest.importorskip('xthotcoco').sigmas
    path = shared('coco_mini/annotations/person_keypoints_val2017.json')
    real, stand_in = both_ways(monkeypatch, path, noisy(json.loads(path.read_text())), sigmas.BODY)
    assert_equal_and_telling(real, stand_in, 10)


def test_the_stand_in_gives_the_same_figures_on_crowdpose(monkeypatch, tmp_path):
    sigmas = pytest.importorskip('xthotcoco').sigmas
    data = json.loads(shared('annotations/crowdpose_val.json').read_text())
    data['images'] = data['images'][::4]
    shown = {image['id'] for image in data['images']}
    data['annotations'] = [ann for ann in data['annotations'] if ann['image_id'] in shown]
    (tmp_path / 'part.json').write_text(json.dumps(data))
    real, stand_in = both_ways(
        monkeypatch, tmp_path / 'part.json', noisy(data), sigmas.CROWD, iou_type='keypoints_crowd', use_area=False
    )
    assert_equal_and_telling(real, stand_in, 9)
    assert min(real['AP(E)'], real['AP(M)'], real['AP(H)']) > 0.1


def test_coco_s_own_sigmas_in_float32_do_not_pass_for_others(recwarn):
    pytest.importorskip('xthotcoco')
    from cid_mmpose.compat.hotcoco import COCO, COCOeval

    one = person()
    found = [dict(image_id=1, category_id=1, keypoints=one['keypoints'], score=1.0, bbox=one['bbox'], area=600.0)]
    for sigmas, warned in ((known_answers.COCO, False), (np.multiply(known_answers.COCO, 2), True)):
        evaluation = COCOeval(COCO(ann_data=coco([person()])), found, 'keypoints', np.asarray(sigmas, np.float32))
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        assert any('kpt_oks_sigmas' in str(warning.message) for warning in recwarn) == warned


def test_mmpose_draws_a_radius_in_an_array_of_one_number_which_numpy_2_5_takes_for_no_number():
    from mmpose.visualization import PoseLocalVisualizer

    visualizer = PoseLocalVisualizer()
    visualizer.set_image(np.zeros((9, 9, 3), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # what numpy 2.5 refuses, earlier ones warn of
        visualizer.draw_circles(np.array([4.0, 4.0]), radius=np.array([2]), face_colors=(255, 0, 0))
    assert visualizer.get_image()[4, 4].tolist() != [0, 0, 0]
    assert visualizer.get_image()[0, 0].tolist() == [0, 0, 0]
