"""Annotation files that cannot be used are refused with the file, the field and the way out."""

import json
import math

import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from cid_mmpose.data.annotations import (
    check_data_root,
    check_keypoints,
    keypoint_names,
    people_categories,
    problem_of_names,
    read_annotations,
)
from cid_mmpose.data.coco_people import CocoPeople
from cid_mmpose.data.problems import problem_of
from cid_mmpose.data.values import is_coordinate
from cid_mmpose.errors import BadInput
from tests.helpers.images import coco, data_set, person, shared, without, write_coco


@pytest.mark.parametrize(
    'text, says',
    [
        ('', 'is empty; get it again'),
        (' \n', 'is empty; get it again'),
        ('{"images": [{"id": 1, "fi', 'not valid JSON .* may be cut off, get it again'),
        ('[]', 'not a COCO annotation file'),
        ('{"images": []}', r"missing: \['annotations', 'categories'\]"),
        (
            '{"images": 3, "annotations": [], "categories": []}',
            "not a COCO annotation file .*; 'images' is no list but 3",
        ),
        ('{"images": {"1": 2}, "annotations": [], "categories": []}', '\'images\' is no list but {"1": 2}'),
        ('{"images": [], "annotations": null, "categories": []}', "'annotations' is no list but null"),
        ('{"images": [], "annotations": [], "categories": 5}', "'categories' is no list but 5"),
        ('{"images": [], "images": [], "annotations": []}', 'an object has the field "images" twice'),
        ('{"images": [{"id": 1, "id": 2}], "categories": []}', 'an object has the field "id" twice, of which one'),
        ('"text"', 'it holds "text"'),
        (' <!DOCTYPE html><html>404</html>', 'is a web page, not an annotation file; get it again'),
        ('\ufeff{"images": []}', 'begins with a byte order mark; save it as UTF-8 without one'),
    ],
)
def test_a_file_that_is_no_annotation_file_is_refused_by_name(tmp_path, text, says):
    path = tmp_path / 'people.json'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(BadInput, match=f'people.json: .*{says}'):
        read_annotations(str(path))


def test_a_folder_is_no_annotation_file(tmp_path):
    with pytest.raises(BadInput, match='is no file; set ann_file'):
        read_annotations(str(tmp_path))


@pytest.mark.parametrize(
    'content', ['{"images": []}'.encode('utf-16'), b'\x89PNG\xff', b'[' * 200000, b'{"images": [' + b'9' * 5000 + b'}']
)
def test_a_file_that_is_no_text_or_too_deep_is_refused_by_name(tmp_path, content):
    (tmp_path / 'people.json').write_bytes(content)
    with pytest.raises(BadInput, match='people.json: (is not text in UTF-8|not valid JSON)'):
        read_annotations(str(tmp_path / 'people.json'))


@pytest.mark.parametrize(
    'key, field, value',
    [
        ('annotations', 'id', 'p0'),
        ('annotations', 'id', None),
        ('annotations', 'id', [1]),
        ('annotations', 'id', 2**63),
        ('annotations', 'image_id', [1]),
        ('annotations', 'category_id', {}),
        ('images', 'id', True),
        ('images', 'id', -1),
        ('images', 'id', 1.5),
        ('categories', 'id', -1),
        ('categories', 'id', 'person'),
        ('annotations', 'id', 10**400),
        ('images', 'file_name', None),
        ('images', 'file_name', 7),
        ('images', 'file_name', ''),
        ('images', 'file_name', ' '),
        ('images', 'file_name', '\ud800.png'),
        ('images', 'file_name', 'a\0.png'),
        ('images', 'file_name', 'a\nb.png'),
        ('images', 'file_name', ['1.png']),
    ],
)
def test_ids_that_are_no_numbers_and_names_that_are_no_names_are_refused(tmp_path, key, field, value):
    data = coco([person()])
    data[key][0][field] = value
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(data))
    with pytest.raises(BadInput, match=f"entry 0 of '{key}': field '{field}' is .*; give ") as caught:
        read_annotations(str(path))
    assert '\n' not in str(caught.value) and str(caught.value).encode()  # it can be printed


@pytest.mark.parametrize(
    'value, says',
    [
        (math.nan, 'a number that is not finite'),
        (-math.inf, 'a number that is not finite'),
        (1e308, '1e+308, which lies in no image'),
        (-(10**400), f'-1{"0" * 38}, which lies in no image'),
        *((value, f'{json.dumps(value)}, which is no number') for value in ('3', None, True, [1])),
    ],
)
def test_what_cannot_lie_in_an_image_is_no_coordinate(value, says):
    assert not is_coordinate(value) and is_coordinate(-12.5)
    assert problem_of(person(keypoints=[value, 2, 2] * 17), 17) == f"field 'keypoints' has {says}"
    assert problem_of(person(bbox=[1, 2, value, 30]), 17) == f"field 'bbox' has {says}"


def nested(depth: int) -> list:
    value: list = [1]
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize('test_mode', [False, True])
@pytest.mark.parametrize(
    'key, field', [('categories', 'skeleton'), ('images', 'crowdIndex'), ('annotations', 'num_keypoints')]
)
def test_lists_too_deep_in_each_other_are_refused_by_entry_and_field(tmp_path, key, field, test_mode):
    data = coco([person()])
    data[key][0][field] = nested(200)  # read without trouble, and copied or pickled only by some versions of Python
    path = write_coco(tmp_path, data)
    with pytest.raises(
        BadInput, match=f"entry 0 of '{key}': field '{field}' holds lists in each other, more than 50 deep"
    ):
        data_set(path, test_mode=test_mode)
    data[key][0][field] = nested(20)
    if field != 'num_keypoints':
        assert len(data_set(write_coco(tmp_path, data), test_mode=test_mode)) == 1


def file_with_an_image(tmp_path, name: str) -> str:
    data = coco([person()])
    data['images'][0]['file_name'] = name
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(data))
    return str(path)


@pytest.mark.parametrize('name', ['https://example.org/1.png', 's3://bucket/1.png', 'file:///etc/passwd'])
@pytest.mark.parametrize('test_mode', [False, True])
def test_an_image_named_by_its_address_is_refused_where_it_is_looked_for_in_a_folder(tmp_path, name, test_mode):
    path = file_with_an_image(tmp_path, name)
    with pytest.raises(BadInput) as caught:
        CocoPeople(ann_file=path, data_prefix=dict(img='images/'), test_mode=test_mode)
    assert f'people.json: image 1: field \'file_name\' is "{name}", an address' in str(caught.value)


def test_an_image_on_another_back_end_may_be_named_by_its_address_alone(tmp_path):
    made = CocoPeople(ann_file=file_with_an_image(tmp_path, 's3://bucket/1.png'), data_prefix=dict(img=''))
    assert made.get_data_info(0)['img_path'] == 's3://bucket/1.png'


def test_a_missing_annotation_file_names_the_options_to_set(tmp_path):
    with pytest.raises(BadInput, match='nowhere.json: no such annotation file; give the path of one, or set data_root'):
        read_annotations(str(tmp_path / 'nowhere.json'))


def test_a_file_of_images_alone_serves_for_testing(tmp_path):
    path = tmp_path / 'test-dev.json'
    path.write_text('{"images": []}')
    assert read_annotations(str(path), needs_people=False) == dict(images=[])


@pytest.mark.parametrize(
    'key, field',
    [
        ('images', 'width'),
        ('images', 'file_name'),
        ('annotations', 'category_id'),
        ('annotations', 'image_id'),
        ('categories', 'id'),
    ],
)
def test_an_entry_without_a_needed_field_is_named(tmp_path, key, field):
    data = coco([person(1), person(2)], images=2, categories=[dict(id=1, name='person'), dict(id=2, name='cat')])
    del data[key][1][field]
    (tmp_path / 'people.json').write_text(json.dumps(data))
    with pytest.raises(BadInput, match=f"people.json: entry 1 of '{key}' has no field '{field}'"):
        read_annotations(str(tmp_path / 'people.json'))


def test_the_category_of_people_is_the_named_one_or_the_only_one():
    assert people_categories([dict(id=1, name='dog'), dict(id=9, name='person')], 'f') == (9,)
    assert people_categories([dict(id=4, name='horse')], 'f') == (4,)


def test_of_several_categories_the_one_that_names_keypoints_is_that_of_people():
    paws = dict(id=2, name='paws', keypoints=[])  # as CVAT and Label Studio list what has no skeleton
    assert people_categories([dict(id=0, name='box'), paws, dict(id=7, name='fox', keypoints=['nose'])], 'f') == (7,)


def test_categories_with_the_same_keypoints_are_one():
    same = [dict(id=number, name=name, keypoints=['nose', 'tail']) for number, name in enumerate(['cat', 'dog'], 5)]
    assert people_categories([*same, dict(id=9, name='box')], 'f') == (5, 6)


@pytest.mark.parametrize(
    'categories',
    [
        [],
        [dict(id=1, name='dog'), dict(id=2, name='cat')],
        [dict(id=1, name='person'), dict(id=2, name='person')],
        [dict(id=1, name='dog', keypoints=['nose']), dict(id=2, name='cat', keypoints=['tail'])],
    ],
)
def test_several_categories_without_one_person_among_them_are_refused(categories):
    with pytest.raises(BadInput, match="people.json: field 'categories'"):
        people_categories(categories, 'people.json')


def test_annotations_need_categories_even_where_a_file_without_both_would_do(tmp_path):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(without(coco([person()]), 'categories')))
    with pytest.raises(BadInput, match=r"people.json: is not a COCO .*; missing: \['categories'\]"):
        read_annotations(str(path), needs_people=False)


def keypoints_of(data_set_name: str) -> list:
    """Keypoint names of a data set, as MMPose has them."""
    return keypoint_names(parse_pose_metainfo(dict(from_file=f'configs/_base_/datasets/{data_set_name}.py')))


COCO_VAL = 'coco_mini/annotations/person_keypoints_val2017.json'
OF_ANOTHER = [
    ('annotations/crowdpose_val.json', 'coco', 'has 14 keypoints, the configuration 17'),
    ('annotations/crowdpose_val.json', 'ochuman', 'has 14 keypoints, the configuration 17'),
    ('mmpose_samples/ochuman/test_ochuman.json', 'crowdpose', 'has 17 keypoints, the configuration 14'),
    (COCO_VAL, 'crowdpose', 'has 17 keypoints, the configuration 14'),
    (COCO_VAL, 'mpii', 'has 17 keypoints, the configuration 16'),
    ('annotations/crowdpose_val.json', 'aic', "has 'left_shoulder' as keypoint 0, the configuration as keypoint 3"),
    (COCO_VAL, 'ap10k', "has 'nose' as keypoint 0, the configuration as keypoint 2"),
    (COCO_VAL, 'h36m', "has 'left_shoulder' as keypoint 5, the configuration as keypoint 11"),
]


@pytest.mark.parametrize('path, keypoints, says', OF_ANOTHER)
def test_a_file_of_another_data_set_is_refused_with_file_field_and_way_out(path, keypoints, says):
    data = json.loads(shared(path).read_text())
    with pytest.raises(BadInput) as caught:
        check_keypoints(data, 'people.json', (1,), keypoints_of(keypoints))
    text = str(caught.value)
    assert text.startswith("people.json: field 'keypoints' of the ") and says in text and '\n' not in text
    assert text.endswith(
        '; set ann_file to a file of the data set that the configuration is for, or use the configuration of this one'
    )


@pytest.mark.parametrize(
    'path, keypoints',
    [
        ('annotations/crowdpose_val.json', 'crowdpose'),
        ('mmpose_samples/crowdpose/test_crowdpose.json', 'crowdpose'),
        ('mmpose_samples/ochuman/test_ochuman.json', 'ochuman'),
        ('mmpose_samples/ochuman/test_ochuman.json', 'coco'),
        ('mmpose_samples/coco/test_coco.json', 'coco'),
        ('coco_mini/annotations/person_keypoints_train2017.json', 'ochuman'),
    ],
)
def test_a_file_of_the_data_set_or_of_one_with_the_same_keypoints_passes(path, keypoints):
    assert check_keypoints(json.loads(shared(path).read_text()), 'people.json', (1,), keypoints_of(keypoints)) is None


def with_names(*names: str) -> dict:
    """Three keypoints a person, called so."""
    return coco([person(keypoints=[1, 1, 2] * 3)], categories=[dict(id=1, name='person', keypoints=names)])


@pytest.mark.parametrize(
    'names',
    [
        ('head', 'left_hip', 'right_hip'),
        ('Head', 'LHip', 'RHip'),
        ('top', 'HipLeft', 'R-hip'),
        ('鼻', '左', '右'),
        (1, 2, 3),
        (),
        ('left_hip', 'head', 'right_hip', 'tail'),
    ],
)
def test_keypoints_may_be_spelt_otherwise_or_not_at_all(names):
    assert check_keypoints(with_names(*names), 'f', (1,), ('head', 'left_hip', 'right_hip')) is None


@pytest.mark.parametrize('names', [('head', 'right_hip', 'left_hip'), ('hip_left', 'x', 'y'), ('a', 'RHip', 'b')])
def test_keypoints_in_another_order_are_found_however_they_are_spelt(names):
    says = "'keypoints' of the category has '.*' as keypoint ., the configuration as keypoint"
    with pytest.raises(BadInput, match=says):
        check_keypoints(with_names(*names), 'f', (1,), ('head', 'left_hip', 'right_hip'))


@pytest.mark.parametrize(
    'names, says',
    [
        (['nose'] * 17, "names 'nose' 17 times; give each keypoint its own name, or take the field out"),
        (['left', 'right', 'left'], "names 'left' 2 times; give"),
        (None, 'is null, no list of keypoint names; give one, or take the field out'),
        ('nose', 'is "nose", no list of keypoint names; give'),
    ],
)
def test_names_that_do_not_tell_the_keypoints_apart_are_refused(names, says):
    category = dict(id=1, name='person', keypoints=names)
    assert problem_of_names(category).startswith(f"field 'keypoints' of the category {says}")
    with pytest.raises(BadInput) as caught:
        check_keypoints(coco([person()], categories=[category]), 'people.json', (1,), keypoints_of('coco'))
    assert str(caught.value) == f'people.json: {problem_of_names(category)}'


def test_keypoints_as_a_list_of_lists_are_named(tmp_path):
    a_list_each = person(keypoints=[[1, 1, 2]] * 17)
    says = "people.json: field 'keypoints' of the annotations holds a list a keypoint; give x"
    with pytest.raises(BadInput, match=says):
        check_keypoints(coco([a_list_each]), 'people.json', (1,), keypoints_of('coco'))
    crowd = person(2, keypoints=[[1, 1, 2]] * 17, iscrowd=1)  # nobody reads those
    assert check_keypoints(coco([person(), crowd]), 'people.json', (1,), keypoints_of('coco')) is None


def test_keypoints_of_other_categories_and_of_one_person_alone_say_nothing_of_the_file():
    dog = person(9, category_id=3, keypoints=[1, 1, 2] * 20)
    data = coco(
        [person(1), person(2, keypoints=[1, 1, 2] * 14), without(person(3), 'keypoints'), dog],
        categories=[dict(id=3, name='dog', keypoints=['nose'] * 17), dict(id=1, name='person')],
    )
    assert check_keypoints(data, 'f', (1,), keypoints_of('coco')) is None
    assert check_keypoints(coco([]), 'f', (1,), keypoints_of('coco')) is None


@pytest.mark.parametrize('options', [dict(), dict(bad_annotations='skip'), dict(test_mode=True)])
def test_a_data_set_refuses_such_a_file_when_it_is_made(tmp_path, options):
    path = write_coco(tmp_path, coco([person(keypoints=[1, 1, 2] * 14), person(2, keypoints=[1, 1, 2] * 14)]))
    with pytest.raises(BadInput, match='people.json: .* has 14 keypoints, the configuration 17; set ann_file to'):
        data_set(path, **options)


def test_a_missing_data_root_is_refused_and_other_back_ends_are_left_alone(tmp_path):
    with pytest.raises(BadInput, match='no such folder; put the data set there or set data_root'):
        check_data_root(str(tmp_path / 'nowhere'))
    for root in (str(tmp_path), '', None, 's3://bucket/coco'):
        check_data_root(root)
