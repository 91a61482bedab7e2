"""Which images there are, and which of them a shard looks at."""

import os

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.scale.names import Shard, items_of, names_of_shard, plain, shard_of
from tests.helpers.slow import slow_but

WHOLE = Shard()


@pytest.mark.parametrize('text, shard', [('1/1', Shard(1, 1)), ('3/100', Shard(3, 100)), ('100/100', Shard(100, 100))])
def test_a_shard_is_read_from_its_text(text, shard):
    assert shard_of(text) == shard


@pytest.mark.parametrize('text', ['', '3', '3/', '/3', '1/2/3', '-1/3', '1.5/3', 'a/b', '１/３', ' 1/3', '1/3\n'])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(BadInput, match='must be i/n, such as 3/100'):
        shard_of(text)


@pytest.mark.parametrize('text', ['0/3', '4/3'])
def test_a_shard_outside_its_range_is_refused_with_the_range(text):
    with pytest.raises(BadInput, match=f'--shard {text}: of . shards i is from 1 to'):
        shard_of(text)


def test_of_no_shards_none_is_offered():
    with pytest.raises(BadInput, match='--shard 0/0: of 0 shards there is none; give the number of all shards'):
        shard_of('0/0')


@pytest.mark.parametrize('count', slow_but([1, 2, 3, 7], [1, 2, 3, 7, 100]))
def test_the_shards_have_every_image_once_and_nearly_the_same_number_of_them(count):
    names = [f'photos/{number:07d}.jpg' for number in range(20000)]
    shards = [[name for name in names if Shard(number, count).holds(name)] for number in range(1, count + 1)]
    assert sorted(sum(shards, [])) == names
    expected = len(names) / count
    assert all(abs(len(shard) - expected) < 5 * expected**0.5 for shard in shards)


@pytest.mark.parametrize('name, number', [('photos/0000001.jpg', 41), (os.fsdecode(b'caf\xe9.jpg'), 32)])
def test_the_shard_of_a_name_is_the_same_on_every_machine_and_in_every_version(name, number):
    # what `printf NAME | b2sum -l 64` of GNU says, modulo 100, and one more: shards count from 1
    assert [each for each in range(1, 101) if Shard(each, 100).holds(name)] == [number]


def test_images_that_come_later_move_no_other_to_another_shard():
    before = [f'{number}.jpg' for number in range(0, 1000, 2)]
    after = [f'{number}.jpg' for number in range(1000)]
    shard = Shard(2, 3)
    kept = [name for name in after if shard.holds(name) and name in set(before)]
    assert kept == [name for name in before if shard.holds(name)]


def test_the_file_of_a_shard_sorts_as_its_number():
    assert (Shard().stem, Shard(3, 100).stem) == ('people', 'people-00003-of-00100')


def test_folders_patterns_lists_and_files_give_each_image_once_in_their_order(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'images' / 'notes.txt').write_text('text')
    (tmp_path / 'images' / '.hidden.png').write_text('')
    (tmp_path / 'list.txt').write_bytes(b'images/0003.png\r\n\nhttps://host/a.jpg\n./images//0001.png\nno end.jpg')
    found = names_of_shard(['images/0005.png', 'images/*2.png', 'images'], ['list.txt'], WHOLE)
    others = [f'images/{number:04d}.png' for number in (0, 1, 3, 4, 6, 7, 8, 9, 10, 11)]
    assert found == [
        'images/0005.png',
        'images/0002.png',
        *others,
        'https://host/a.jpg',
        'no end.jpg',
    ]


def test_a_list_saved_by_notepad_names_its_first_image_as_the_others(tmp_path):
    saved = tmp_path / 'list.txt'
    saved.write_text('é.jpg\nb.jpg\n', encoding='utf-8-sig', newline='\r\n')
    assert names_of_shard([], [str(saved)], WHOLE) == ['é.jpg', 'b.jpg']


@pytest.mark.parametrize(
    'text, name',
    [
        ('a/b.jpg', 'a/b.jpg'),
        ('./a.jpg', 'a.jpg'),
        ('/data//a.jpg', '/data/a.jpg'),
        ('a/./b.jpg', 'a/b.jpg'),
        ('a/../b.jpg', 'a/../b.jpg'),
        ('file:///data/a.jpg', '/data/a.jpg'),
        ('~/a.jpg', os.path.expanduser('~/a.jpg')),
        ('http://host/./a.jpg', 'http://host/./a.jpg'),
        ('.a.jpg', '.a.jpg'),
    ],
)
def test_one_file_has_one_name(text, name):
    assert plain(text) == name


def test_a_name_of_any_bytes_goes_through_a_list(tmp_path):
    (tmp_path / 'list').write_bytes(b'caf\xe9.jpg\n')
    (name,) = names_of_shard([], [str(tmp_path / 'list')], WHOLE)
    assert os.fsencode(name) == b'caf\xe9.jpg'
    assert [Shard(number, 2).holds(name) for number in (1, 2)].count(True) == 1


@pytest.mark.parametrize(
    'inputs, message',
    [
        (['gone.jpg'], 'gone.jpg: no such file or folder'),
        (['gone*.jpg'], r'gone\*.jpg: no file has such a name'),
        (['0'], 'camera 0: has no end'),
        (['rtsp://host/a'], 'rtsp://host/a: a stream has no end'),
        (['.'], r'^\.: names no image and no video'),
    ],
)
def test_what_cannot_be_shared_out_is_refused(inputs, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=message):
        names_of_shard(inputs, [], WHOLE)


def test_a_list_that_is_none_is_refused(images, tmp_path):
    with pytest.raises(BadInput, match='--list .*0000.png: is no text'):
        names_of_shard([], [images[0]], WHOLE)
    with pytest.raises(BadInput, match='--list .*gone: cannot be read'):
        names_of_shard([], [str(tmp_path / 'gone')], WHOLE)


def test_a_name_that_leads_to_nothing_is_an_item_that_cannot_be_loaded(tmp_path):
    for name, reason in (
        (str(tmp_path / 'gone.jpg'), 'no such file'),
        (str(tmp_path), 'is a folder'),
        ('0', 'no such'),
    ):
        (item,) = items_of(name)
        assert item.path == name
        with pytest.raises(BadInput, match=reason):
            item.load()
