"""What a model can be called by, and what is said about what is none."""

import errno
import shutil
import socket

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.apis import inference_bottomup, init_model
from mmpose.datasets.datasets.utils import parse_pose_metainfo

import cid_mmpose
from cid_mmpose.cli import main
from cid_mmpose.errors import BadInput
from cid_mmpose.inference import networks
from cid_mmpose.inference.config_text import config_of
from cid_mmpose.inference.load import COCO

NAME = 'best_coco_AP_epoch_1.pth'


def people_of(model, images):
    (people,) = model(images / '0.png')
    return people


def same(people, others):
    return np.array_equal(people.keypoints, others.keypoints) and np.array_equal(people.scores, others.scores)


def test_a_work_folder_its_checkpoint_and_its_config_are_one_model(work_folder, images):
    folder = cid_mmpose.load(work_folder, min_score=0.05, device='cpu')
    expected = people_of(folder, images)
    alone = cid_mmpose.load(work_folder / NAME, min_score=0.05, device='cpu')
    config = cid_mmpose.load(work_folder / 'tiny.py', work_folder / NAME, min_score=0.05, device='cpu')
    assert folder.weights.endswith(NAME) and len(expected) > 1
    assert same(people_of(alone, images), expected) and same(people_of(config, images), expected)


def test_mmposes_own_door_gives_the_same_people(work_folder, images):
    init_default_scope('mmpose')
    model = init_model(str(work_folder / 'tiny.py'), str(work_folder / NAME), device='cpu')
    (sample,) = inference_bottomup(model, str(images / '0.png'))
    people = people_of(cid_mmpose.load(work_folder, min_score=0.0, device='cpu'), images)
    theirs = sample.pred_instances
    count = len(theirs.bbox_scores)  # which keeps those from 0.01
    assert count > 1
    np.testing.assert_allclose(people.keypoints[:count], theirs.keypoints, atol=0.01)
    np.testing.assert_allclose(people.scores[:count], theirs.bbox_scores, atol=1e-6)
    np.testing.assert_allclose(people.boxes[:count], theirs.bboxes, atol=0.01)


def test_a_folder_without_a_best_checkpoint_gives_its_newest(work_folder, tmp_path):
    shutil.copy(work_folder / 'tiny.py', tmp_path)
    for number in (9, 10):
        shutil.copy(work_folder / NAME, tmp_path / f'epoch_{number}.pth')
    assert cid_mmpose.load(tmp_path, device='cpu').weights.endswith('epoch_10.pth')


def test_a_folder_without_a_config_takes_the_checkpoints_own(work_folder, tmp_path):
    shutil.copy(work_folder / NAME, tmp_path)
    assert len(cid_mmpose.load(tmp_path, device='cpu').keypoint_set) == 17


def test_the_size_of_the_input_can_be_set(work_folder, images):
    small, large = (cid_mmpose.load(work_folder, size=size, min_score=0.05, device='cpu') for size in (64, 128))
    packed = [model.pipeline(dict(img=np.zeros((60, 80, 3), np.uint8), **model.meta)) for model in (small, large)]
    assert [tuple(one['inputs'].shape[1:]) for one in packed] == [(64, 128), (128, 192)]


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        (dict(min_scor=0.1), r"unknown options \['min_scor'\]; there are: min_score"),
        (dict(min_score=2), 'min_score must be a number from 0 to 1, got 2'),
        (dict(min_score='0.3'), "min_score must be a number from 0 to 1, got '0.3'"),
        (dict(min_score=float('nan')), 'min_score must be a number from 0 to 1, got nan'),
        (dict(nms=0), 'nms'),
        (dict(flip='no'), "flip must be True or False, got 'no'"),
        (dict(max_people=0), 'max_people must be a whole number of at least 1, got 0'),
        (dict(batch_size=True), 'batch_size must be a whole number of at least 1, got True'),
        (dict(size=2.5), 'size must be a whole number'),
        (dict(precision='int8'), r"precision must be one of \('float32', 'bfloat16', 'float16'\), got 'int8'"),
        (dict(device='cuda:99'), "device 'cuda:99' cannot be used here"),
        (dict(device='abacus'), "device 'abacus' cannot be used here"),
        (dict(device='meta'), "device 'meta' cannot be used here"),
        (dict(device=''), "device '' cannot be used here"),
        (dict(device=2.5), 'device 2.5 cannot be used here'),
        (dict(device=['cpu']), r"device \['cpu'\] cannot be used here"),
    ],
)
def test_a_wrong_option_is_one_clear_error(work_folder, options, said):
    with pytest.raises(BadInput, match=said):
        cid_mmpose.load(work_folder, **{'device': 'cpu', **options})


@pytest.mark.parametrize(
    ('model', 'said'),
    [
        ('nothing', 'nothing: no such file, folder or model; models with public weights: .*cid_hrnet-w32_coco'),
        ('nothing.py', 'nothing.py: no such config'),
        ('nothing.pth', 'nothing.pth: no such checkpoint file'),
        ('cid_hrnet-w32_crowdpose', 'nobody has published weights of this model; name a checkpoint of yours'),
        ('../configs/cid_hrnet-w32_coco', 'no such file, folder or model'),
        (3, 'load: model is 3; give the name of a model, or the path'),
        (None, 'load: model is None; give the name of a model, or the path'),
        (b'work_dirs/demo', "load: model is b'work_dirs/demo'; give the name"),
        ('', 'load: model has an empty name'),
        ('x' * 300, 'x: no such file, folder or model'),
        ('a\0b', 'no such file, folder or model'),
    ],
)
def test_what_is_no_model_is_one_clear_error(model, said):
    with pytest.raises(BadInput, match=said):
        cid_mmpose.load(model, device='cpu')


@pytest.mark.parametrize('checkpoint', [3, b'a.pth', ''])
def test_what_is_no_name_of_a_checkpoint_is_one_clear_error(work_folder, checkpoint):
    with pytest.raises(BadInput, match='load: checkpoint '):
        cid_mmpose.load(work_folder / 'tiny.py', checkpoint, device='cpu')


def test_a_device_of_torch_is_taken_as_its_name_is(work_folder):
    assert cid_mmpose.load(work_folder, device=torch.device('cpu')).device == torch.device('cpu')


def test_an_empty_folder_is_no_work_folder(tmp_path):
    with pytest.raises(BadInput, match='holds no checkpoint'):
        cid_mmpose.load(tmp_path, device='cpu')


def test_a_name_stands_for_a_config_of_the_package_and_its_public_weights(monkeypatch):
    asked = []

    def read(name):
        asked.append(name)
        raise BadInput('no network here')

    monkeypatch.setattr(networks, '_read', read)
    with pytest.raises(BadInput, match='no network here'):
        cid_mmpose.load('cid_hrnet-w32_coco', device='cpu')
    assert asked == [
        'https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/cid/coco/'
        'cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth'
    ]


def test_without_a_network_the_command_says_in_one_line_what_to_do(images, tmp_path, monkeypatch, capfd):
    with socket.create_server(('127.0.0.1', 0)) as closed:
        port = closed.getsockname()[1]
    url = f'http://127.0.0.1:{port}/cid_hrnet-w32_42b7e6e6-20230207.pth'
    monkeypatch.setattr(networks, 'public_weights', lambda: {'cid_hrnet-w32_coco': url})
    monkeypatch.setenv('CID_HOME', str(tmp_path / 'home'))
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        main(['predict', str(images / '0.png'), '--out', str(tmp_path / 'out')])
    kept = tmp_path / 'home' / 'checkpoints' / 'cid_hrnet-w32_42b7e6e6-20230207.pth'
    assert ended.value.code == 2
    assert capfd.readouterr().err == (
        f'error: {url}: cannot be downloaded ([Errno {errno.ECONNREFUSED}] Connection refused); check the URL, or '
        f'fetch it by hand and give the path of the file; saved as {kept} it is found without a network '
        '(CID_HOME moves that folder)\n'
    )
    assert not (tmp_path / 'out').exists() and not kept.exists()


def test_weights_of_another_network_are_refused(work_folder, tmp_path):
    checkpoint = torch.load(work_folder / NAME, weights_only=False)
    checkpoint['state_dict'].pop('head.gfd.fuse.weight')
    torch.save(checkpoint, tmp_path / 'less.pth')
    with pytest.raises(BadInput, match='less.pth: .*head.gfd.fuse.weight'):
        cid_mmpose.load(tmp_path / 'less.pth', device='cpu')


def test_no_file_of_initial_weights_is_read_where_all_weights_are_loaded(work_folder, images, tmp_path):
    expected = people_of(cid_mmpose.load(work_folder, min_score=0.05, device='cpu'), images)
    config = Config.fromfile(work_folder / 'tiny.py')
    config.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='nowhere.pth')
    config.dump(tmp_path / 'initial.py')
    model = cid_mmpose.load(tmp_path / 'initial.py', work_folder / NAME, min_score=0.05, device='cpu')
    assert same(people_of(model, images), expected)


def test_what_is_wrong_with_the_config_is_told_of_the_config_and_not_of_the_weights(work_folder, tmp_path):
    config = Config.fromfile(work_folder / 'tiny.py')
    config.pop('test_dataloader')
    config.pop('val_dataloader')
    config.dump(tmp_path / 'less.py')
    with pytest.raises(BadInput, match='less.py: its config has no test_dataloader'):
        cid_mmpose.load(tmp_path / 'less.py', work_folder / NAME, device='cpu')


def test_weights_alone_ask_for_their_config(work_folder, tmp_path):
    torch.save(torch.load(work_folder / NAME, weights_only=False)['state_dict'], tmp_path / 'bare.pth')
    with pytest.raises(BadInput, match='bare.pth: holds weights alone; give its config as well'):
        cid_mmpose.load(tmp_path / 'bare.pth', device='cpu')


@pytest.mark.parametrize(
    'text',
    [
        '__import__("os").system("touch /tmp/never")',
        'model = __import__("os").system("touch /tmp/never")',
        'model = dict(type=open("/etc/passwd").read())',
        'import os',
        'model = [x for x in (1, 2)]',
        'model = dict(**{})',
        'model = dict([(1, 2)])',
        'model = dict({}, {})',
        'model = ' + '[' * 3000 + ']' * 3000,
        'model = f"{1}"',
        'model = 1; exec("pass")',
        'a.b = 1',
        'a = {[]: 1}',
        'filename = 1',
    ],
)
def test_a_config_inside_a_checkpoint_is_read_and_never_run(text):
    with pytest.raises(BadInput, match='a.pth: the config in it is not plain data'):
        config_of(text, 'a.pth')


def test_plain_data_are_read_as_mmengine_writes_them():
    config = config_of("a = dict(b=[1, -2.5, None], c=(True, 'x'), d={'e': 1})\nf = ''", 'a.pth')
    assert config.a == dict(b=[1, -2.5, None], c=(True, 'x'), d=dict(e=1)) and config.f == ''


def test_a_config_whose_keys_are_no_names_is_read_as_mmengine_writes_it():
    written = Config(dict(changes={'cid_mmpose.RandomMirror': dict(prob=0), 'a b': (1, 2)}, plain=dict(one=1)))
    assert 'dict({' in written.pretty_text
    assert config_of(written.pretty_text, 'a.pth').to_dict() == written.to_dict()


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ("model = 'CID'\ntest_dataloader = dict(dataset=dict(pipeline=[dict(type='PackPoseInputs')]))", 'the model or'),
        ('model = dict(a=1)\ntest_dataloader = [1]', 'no test_dataloader.dataset.pipeline'),
        ('model = dict(a=1)\ntest_dataloader = dict(dataset=[1])', 'no test_dataloader.dataset.pipeline'),
        (
            "model = dict(a=1)\ntest_dataloader = dict(dataset=dict(pipeline='a'))",
            'no test_dataloader.dataset.pipeline',
        ),
    ],
)
def test_a_config_of_another_form_is_one_clear_error(tmp_path, text, said):
    torch.save(dict(meta=dict(cfg=text), state_dict=dict(a=torch.zeros(1))), tmp_path / 'bad.pth')
    with pytest.raises(BadInput, match=f'bad.pth: .*{said}'):
        cid_mmpose.load(tmp_path / 'bad.pth', device='cpu')


def test_a_default_scope_that_is_no_name_is_one_clear_error(work_folder, tmp_path):
    checkpoint = torch.load(work_folder / NAME, weights_only=False)
    assert "default_scope = 'mmpose'" in checkpoint['meta']['cfg']
    checkpoint['meta']['cfg'] = checkpoint['meta']['cfg'].replace("default_scope = 'mmpose'", 'default_scope = [1]')
    torch.save(checkpoint, tmp_path / 'bad.pth')
    with pytest.raises(BadInput, match='bad.pth: the model or default_scope of its config'):
        cid_mmpose.load(tmp_path / 'bad.pth', device='cpu')


def with_meta(work_folder, path, **changes):
    """Writes the checkpoint with COCO's keypoints, and these changes; None takes a part away."""
    meta = {**parse_pose_metainfo(dict(from_file=COCO)), **changes}
    checkpoint = torch.load(work_folder / NAME, weights_only=False)
    checkpoint['meta']['dataset_meta'] = {name: value for name, value in meta.items() if value is not None}
    torch.save(checkpoint, path)
    return path


def test_keypoints_without_their_other_side_are_asked_to_do_without_flip(work_folder, images, tmp_path):
    path = with_meta(work_folder, tmp_path / 'a.pth', flip_indices=None)
    with pytest.raises(BadInput, match='a.pth: its keypoints have no flip_indices, .*; load with flip=False'):
        cid_mmpose.load(path, device='cpu')
    people = people_of(cid_mmpose.load(path, device='cpu', min_score=0.05, flip=False), images)
    assert len(people) > 1


@pytest.mark.parametrize('sigma', [float('nan'), -1.0])
def test_sigmas_that_are_none_are_refused(work_folder, tmp_path, sigma):
    path = with_meta(work_folder, tmp_path / 'a.pth', sigmas=[sigma] * 17)
    with pytest.raises(BadInput, match='a.pth: its dataset_meta is not what a training writes .*sigmas must be'):
        cid_mmpose.load(path, device='cpu')


def test_fields_of_the_data_set_are_not_taken_for_the_images(work_folder, images, tmp_path):
    path = with_meta(work_folder, tmp_path / 'a.pth', img='x', id=7)
    expected = people_of(cid_mmpose.load(work_folder, min_score=0.05, device='cpu'), images)
    assert same(people_of(cid_mmpose.load(path, min_score=0.05, device='cpu'), images), expected)


@pytest.mark.parametrize('part', ['backbone', 'pipeline'])
def test_a_type_that_is_no_registered_class_is_refused(work_folder, tmp_path, part):
    checkpoint = torch.load(work_folder / NAME, weights_only=False)
    text = checkpoint['meta']['cfg']
    old = "type='HRNet'" if part == 'backbone' else "type='cid_mmpose.ResizeImage'"
    assert old in text
    checkpoint['meta']['cfg'] = text.replace(old, "type='subprocess.Popen'")
    torch.save(checkpoint, tmp_path / 'bad.pth')
    with pytest.raises(BadInput, match="bad.pth: its config has type='subprocess.Popen', which is no registered class"):
        cid_mmpose.load(tmp_path / 'bad.pth', device='cpu')
