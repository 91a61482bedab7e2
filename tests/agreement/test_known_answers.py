"""The evaluation of COCO, CrowdPose and OCHuman, as the configs set it, gives the figures that are worked out by hand.

Each is asked of our metric, from the data samples that a model hands over to the figures, and of xthotcoco.
"""

import copy
import json
from functools import lru_cache

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.evaluation.metrics import CocoMetric, coco_metric

from cid_mmpose.data import CocoPeople
from cid_mmpose.evaluation import CocoPeopleMetric
from tests.helpers.evaluating import by_pycocotools, by_xthotcoco, rows, run, truth
from tests.helpers.images import ROOT, coco, shared
from tests.helpers.known_answers import CASES, COCO, CROWD

SIGMAS = dict(coco=COCO, crowdpose=CROWD, ochuman=COCO)
CONFIGS = dict(coco='cid_hrnet-w32_coco.py', crowdpose='cid_hrnet-w32_crowdpose.py', ochuman='cid_hrnet-w32_ochuman.py')
FEW_IMAGES = [
    ('coco', 'coco_mini/annotations/person_keypoints_train2017.json'),
    ('coco', 'coco_mini/annotations/person_keypoints_val2017.json'),
    ('crowdpose', 'mmpose_samples/crowdpose/test_crowdpose.json'),
    ('ochuman', 'mmpose_samples/ochuman/test_ochuman.json'),
]
MANY_IMAGES = ('crowdpose', 'annotations/crowdpose_val.json')


@lru_cache
def settings(data_set: str) -> tuple:
    """Meta information and metric options of a data set's config."""
    cfg = Config.fromfile(ROOT / 'configs' / CONFIGS[data_set])
    options = cfg.test_evaluator.to_dict()
    assert options.pop('type') == 'cid_mmpose.CocoPeopleMetric' and cfg.val_evaluator == cfg.test_evaluator
    return cfg.test_dataloader.dataset.get('metainfo'), options


def items_of(data_set: str, path) -> CocoPeople:
    meta, _ = settings(data_set)
    return CocoPeople(ann_file=str(path), test_mode=True, **({} if meta is None else dict(metainfo=meta)))


def figures_of(data_set: str, items: CocoPeople, predict) -> dict:
    """The figures of the config's metric; their names carry the data set's."""
    figures = run(CocoPeopleMetric(**settings(data_set)[1]), items, predict)
    assert {name.split('/')[0] for name in figures} == {data_set}
    return {name.split('/')[1]: value for name, value in figures.items()}


def by_hotcoco(data_set: str, path, results: list) -> list:
    """xthotcoco's figures of results in COCO's format, in the same order."""
    options = {key: value for key, value in settings(data_set)[1].items() if key in ('iou_type', 'use_area')}
    return by_xthotcoco(json.loads(path.read_text()), results, list(SIGMAS[data_set]), **options)


def items_and_model(folder, data_set: str, case) -> tuple:
    """The annotated images of a case, and what the model makes of each."""

    def found(item):
        mine = [(keypoints, score) for number, keypoints, score in case.found if number == item['img_id']]
        poses = np.array([keypoints for keypoints, _ in mine]).reshape(-1, len(SIGMAS[data_set]), 2)
        return poses, [score for _, score in mine]

    data = coco(case.people, len(case.crowd_index) or len(case.people), size=(200, 200))
    for image, index in zip(data['images'], case.crowd_index):
        image['crowdIndex'] = index
    (folder / 'people.json').write_text(json.dumps(data))
    return items_of(data_set, folder / 'people.json'), found


BY_HAND = pytest.mark.parametrize(
    'data_set, case',
    [pytest.param(name, case, id=f'{name}: {case.name}') for name, cases in CASES.items() for case in cases],
)


@BY_HAND
def test_the_figures_are_those_worked_out_by_hand(tmp_path, figures, data_set, case):
    items, found = items_and_model(tmp_path, data_set, case)
    ours = figures_of(data_set, items, found)
    for name, by_hand in case.figures.items():
        figures(f'Known answers: {data_set}', f'{case.name}: {name}', ours[name], by_hand)
        assert ours[name] == pytest.approx(by_hand, abs=1e-9)
    theirs = dict(zip(ours, by_hotcoco(data_set, tmp_path / 'people.json', rows(items, found))))
    theirs.update({f'AP({kind})': -1 for kind in 'EMH' if ours.get(f'AP({kind})') == -1})  # else of all images
    assert theirs == pytest.approx(ours, abs=1e-9)


@pytest.mark.filterwarnings('ignore:hotcoco')  # that sigmas other than COCO's are no longer COCO's figures
@BY_HAND
def test_so_are_they_where_xtcocotools_does_not_run(tmp_path, monkeypatch, data_set, case):
    hotcoco = pytest.importorskip('cid_mmpose.compat.hotcoco')
    monkeypatch.setattr(coco_metric, 'COCO', hotcoco.COCO)
    monkeypatch.setattr(coco_metric, 'COCOeval', hotcoco.COCOeval)
    ours = figures_of(data_set, *items_and_model(tmp_path, data_set, case))
    assert {name: ours[name] for name in case.figures} == pytest.approx(case.figures, abs=1e-9)


def asked_for(item: dict) -> tuple:
    """Everybody as annotated whom the evaluation asks for.

    Of the others, who are passed over, some would take the place of a neighbour whose own prediction is wrong then.
    """
    people = [a for a in item['raw_ann_info'] or () if a['num_keypoints'] and not a['iscrowd']]
    keypoints = item['keypoints'].shape[1]
    return np.array([a['keypoints'] for a in people], float).reshape(-1, keypoints, 3)[..., :2], None


@pytest.mark.parametrize('data_set, path', [*FEW_IMAGES, pytest.param(*MANY_IMAGES, marks=pytest.mark.slow)])
def test_the_annotations_written_as_predictions_give_ap_1(figures, data_set, path):
    ours = figures_of(data_set, items_of(data_set, shared(path)), asked_for)
    figures('Annotations written as predictions: AP', path, ours['AP'], 1)
    assert [ours['AP'], ours['AR']] == pytest.approx([1, 1], abs=1e-9)


def noisy(item: dict) -> tuple:
    """Predictions around the truth: keypoints off by a share of the box, some people missing, some twice."""
    rng, people = np.random.default_rng(item['img_id']), len(item['keypoints'])
    kept = np.repeat(np.arange(people), rng.choice(3, people))
    side = np.sqrt(np.prod(item['bbox'][kept, 2:] - item['bbox'][kept, :2], axis=1))[:, None, None]
    share = rng.choice([0.01, 0.04, 0.1], (len(kept), 1, 1))
    off = rng.normal(size=(len(kept), *item['keypoints'].shape[1:])) * side * share
    return item['keypoints'][kept] + off, rng.random(len(kept))


@pytest.fixture(scope='module')
def crowd(tmp_path_factory):
    """A tenth of CrowdPose's official val annotations."""
    data = json.loads(shared('annotations/crowdpose_val.json').read_text())
    data['images'] = data['images'][::10]
    shown = {image['id'] for image in data['images']}
    data['annotations'] = [a for a in data['annotations'] if a['image_id'] in shown]
    path = tmp_path_factory.mktemp('crowd') / 'people.json'
    path.write_text(json.dumps(data))
    return path


def official_crowdpose(data: dict, results: list) -> list:
    """CrowdPose's figures put together from COCO's: area .53 of the box, and AP over the images of a crowd index."""
    for annotation in data['annotations']:
        annotation['area'] = 0.53 * annotation['bbox'][2] * annotation['bbox'][3]
    index = {image['id']: image['crowdIndex'] for image in data['images']}
    splits = [[i for i, c in index.items() if low <= c < high] for low, high in ((0, 0.2), (0.2, 0.8), (0.8, 9))]
    whole = by_pycocotools(data, results, CROWD)
    return [*whole[:3], *whole[5:8], *(round(by_pycocotools(data, results, CROWD, part)[0], 4) for part in splits)]


@pytest.mark.parametrize('data_set, path', [row for row in FEW_IMAGES if row[0] != 'crowdpose'])
def test_noisy_predictions_for_real_people_get_the_figures_of_other_tools(figures, data_set, path):
    path, items = shared(path), items_of(data_set, shared(path))
    ours, results = figures_of(data_set, items, noisy), rows(items, noisy)
    assert 0.1 < ours['AP'] < 0.9
    for name, theirs in (
        ('xthotcoco', by_hotcoco(data_set, path, results)),
        ('pycocotools', by_pycocotools(json.loads(path.read_text()), results, COCO)),
    ):
        difference = np.abs(np.subtract(list(ours.values()), theirs)).max()
        figures('Largest difference of the figures', f'{path.name} and {name}', difference, 0)
        assert difference < 1e-9


@pytest.mark.slow
def test_noisy_predictions_on_crowdpose_get_the_figures_of_other_tools(figures, crowd):
    items = items_of('crowdpose', crowd)
    ours, results = figures_of('crowdpose', items, noisy), rows(items, noisy)
    assert len({ours['AP'], *(ours[f'AP({kind})'] for kind in 'EMH')}) == 4 and 0.1 < ours['AP'] < 0.9
    for name, theirs in (
        ('xthotcoco', by_hotcoco('crowdpose', crowd, results)),
        ('pycocotools', official_crowdpose(json.loads(crowd.read_text()), results)),
    ):
        difference = np.abs(np.subtract(list(ours.values()), theirs)).max()
        figures('Largest difference of the figures', f'crowdpose_val.json (a tenth) and {name}', difference, 0)
        assert difference < 1e-9


def wrong_settings(data: dict) -> dict:
    """Evaluations of CrowdPose that differ from the right one in one setting; changes the annotations."""
    for annotation in data['annotations']:
        annotation['area'] = annotation['bbox'][2] * annotation['bbox'][3]
    unseen = copy.deepcopy(data)
    for annotation in unseen['annotations']:
        annotation['keypoints'][2::3] = [2 * (v == 2) for v in annotation['keypoints'][2::3]]
    right_ones = dict(data=data, sigmas=list(CROWD), iou_type='keypoints_crowd', use_area=False)
    changes = {
        "COCO's sigmas": dict(sigmas=list(COCO[:14])),
        'the whole box as area': dict(use_area=True),
        'hidden keypoints left out': dict(data=unseen),
        "COCO's iou_type": dict(iou_type='keypoints'),
    }
    return {name: {**right_ones, **change} for name, change in changes.items()}


@pytest.mark.slow
def test_each_wrong_setting_on_crowdpose_moves_ap_by_a_point_or_more(figures, crowd):
    items = items_of('crowdpose', crowd)
    ap = figures_of('crowdpose', items, noisy)['AP']
    for name, options in wrong_settings(json.loads(crowd.read_text())).items():
        wrong = by_xthotcoco(results=rows(items, noisy), **options)[0]
        figures('AP of noisy people of CrowdPose by a wrong setting, and by the right ones', name, wrong, ap)
        assert abs(wrong - ap) > 0.01


def test_crowdposes_num_keypoints_leave_out_head_and_neck():
    data = json.loads(shared('annotations/crowdpose_val.json').read_text())
    counts = [(a['num_keypoints'], np.array(a['keypoints'][2::3]) > 0) for a in data['annotations']]
    assert len(counts) == 8527 and all(number == labelled[:12].sum() for number, labelled in counts)
    assert sum(number == 0 and labelled.any() for number, labelled in counts) == 954


def test_missing_counts_of_crowdpose_are_filled_in_its_way(crowd, tmp_path):
    data = json.loads(crowd.read_text())
    assert sum(a.pop('num_keypoints') == 0 and any(a['keypoints'][2::3]) for a in data['annotations']) > 50
    (tmp_path / 'people.json').write_text(json.dumps(data))
    found = figures_of('crowdpose', items_of('crowdpose', tmp_path / 'people.json'), noisy)
    assert found == figures_of('crowdpose', items_of('crowdpose', crowd), noisy)


def test_a_category_id_other_than_1_is_ap_0_for_mmpose_and_ap_1_for_us(tmp_path, figures):
    data = coco([dict(case, category_id=7) for case in CASES['coco'][0].people], 4, [dict(id=7, name='person')])
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(data))
    items = items_of('coco', path)
    ours = figures_of('coco', items, truth)['AP']
    figures('Known answers: coco', 'everyone right, category id 7: AP', ours, 1)
    assert ours == pytest.approx(1)
    assert run(CocoMetric(nms_mode='none', score_mode='bbox'), items, truth)['coco/AP'] == 0
    assert by_hotcoco('coco', path, rows(items, truth))[0] == 0
    assert by_hotcoco('coco', path, rows(items, truth, category=7))[0] == pytest.approx(1)


def test_the_configs_sigmas_are_the_official_ones():
    for data_set, path in {name: path for name, path in FEW_IMAGES}.items():
        assert items_of(data_set, shared(path)).metainfo['sigmas'] == pytest.approx(SIGMAS[data_set], abs=1e-7)
