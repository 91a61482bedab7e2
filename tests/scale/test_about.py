"""What a folder of rows says of itself, and which models are the same."""

import json

from cid_mmpose.scale.about import about_of, agree, hash_of


def test_a_model_is_the_same_by_its_content_wherever_it_lies(tmp_path):
    for name, content in (('a.pth', b'one'), ('b.pth', b'one'), ('c.pth', b'two')):
        (tmp_path / name).write_bytes(content)
    one, same, other = (hash_of([str(tmp_path / name)]) for name in ('a.pth', 'b.pth', 'c.pth'))
    assert one == same == '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'  # sha256sum of 'one'
    assert other != one
    assert hash_of([str(tmp_path), str(tmp_path / 'a.pth')]) == one  # a work folder, and its checkpoint
    assert hash_of(['name', 'https://host/a.pth']) != hash_of(['name', 'https://host/b.pth'])


def test_the_weights_beside_a_graph_of_openvino_count(tmp_path):
    (tmp_path / 'a.xml').write_text('<graph/>')
    (tmp_path / 'a.bin').write_bytes(b'one')
    before = hash_of([str(tmp_path / 'a.xml')])
    (tmp_path / 'a.bin').write_bytes(b'two')
    assert hash_of([str(tmp_path / 'a.xml')]) != before


def test_a_folder_says_which_keypoints_its_rows_have_and_how_they_were_found(finder, tmp_path):
    about = about_of(finder, ('corners', None), 'local', 3, 'jsonl')
    agree(tmp_path, about)
    agree(tmp_path, about)
    said = json.loads((tmp_path / '_about.json').read_text())
    assert said['keypoints'] == dict(names=['head', 'foot'], links=[[0, 1]], swaps=[0, 1], sigmas=[0.1, 0.2])
    assert (said['model'], said['weights']) == ('corners', 'corners.pth')
    settings = said['settings']
    assert (settings['shards'], settings['engine'], settings['format'], settings['min_score']) == (
        *(3, 'local', 'jsonl'),
        0.3,
    )
    assert 'batch_size' not in settings


def test_who_comes_second_does_not_write_over_what_the_first_said(finder, tmp_path):
    first = about_of(finder, ('corners', None), 'local', 3, 'jsonl')
    agree(tmp_path, first)
    before = (tmp_path / '_about.json').read_bytes()
    agree(tmp_path, dict(first, model='elsewhere/corners'))  # the same weights by another path
    assert (tmp_path / '_about.json').read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ['_about.json']
