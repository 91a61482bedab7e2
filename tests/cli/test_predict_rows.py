"""The options of ``cid predict`` for very many images: what goes together, and the command itself."""

import json
import sys

import pytest

from cid_mmpose.cli import main
from tests.helpers.work_folder import write_work_folder


def ends_with(words: list, capsys) -> tuple[int, str]:
    """Status and last line of the command."""
    try:
        main([str(word) for word in words])
        status = 0
    except SystemExit as left:
        status = left.code
    return status, capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize(
    'words, says',
    [
        ([], 'error: nothing to look at; name an image, a folder, a pattern or a URL, or --list FILE'),
        (['a', '--jsonl', '--parquet'], 'error: --jsonl and --parquet: choose one; both have the same rows'),
        (['a', '--jsonl', '--csv'], 'error: --jsonl writes one row an image and nothing else; leave out --csv'),
        (['a', '--parquet', '--show'], 'error: --parquet writes one row an image and nothing else; leave out --show'),
        (['a', '--jsonl', '--skip-existing'], 'error: --jsonl goes on where it was by itself; leave out '),
        (['a', '--shard', '1/2'], 'error: --shard needs --jsonl or --parquet, which write one row an image'),
        (['--list', 'a'], 'error: --list needs --jsonl or --parquet, which write one row an image'),
        (['a', '--engine', 'ray'], 'error: --engine needs --jsonl or --parquet, which write one row an image'),
        (['a', '--jsonl', '--engine', 'ray'], 'error: --engine ray writes Parquet; give --parquet'),
        (['a', '--parquet', '--engine', 'ray', '--shard', '1/2'], 'error: --engine ray shares the images out by'),
        (['a', '--parquet', '--engine', 'ray', '--strict'], 'error: --engine ray makes a row with the error of a bad'),
        (['a', '--parquet', '--engine', 'ray', '--workers', '0'], 'error: --workers must be a whole number of at'),
        (['a', '--jsonl', '--workers', '2'], 'error: --workers is of --engine ray; on one machine start a shard a'),
        (['a', '--jsonl', '--shard', '0/2'], 'error: --shard 0/2: of 2 shards i is from 1 to 2; a Slurm array is '),
        (['gone.jpg', '--jsonl'], 'error: gone.jpg: no such file or folder'),
        (['a', '--jsonl', '--engine', 'spark'], "cid predict: error: argument --engine: invalid choice: 'spark'"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, line = ends_with(['predict', *words], capsys)
    assert status == 2 and line.startswith(says)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('package, words', [('pyarrow', ['--parquet']), ('ray', ['--parquet', '--engine', 'ray'])])
def test_a_missing_package_is_named_with_its_extra(package, words, capsys, tmp_path, monkeypatch):
    (tmp_path / 'a.png').write_text('')
    if package == 'ray':
        pytest.importorskip('pyarrow')
    for name in (package, f'{package}.parquet', f'{package}.data'):
        monkeypatch.setitem(sys.modules, name, None)
    status, line = ends_with(['predict', tmp_path / 'a.png', *words, '--out', tmp_path / 'out'], capsys)
    extra = 'parquet' if package == 'pyarrow' else 'ray'
    assert status == 2 and line.endswith(f"pip install 'cid_mmpose[{extra}]'")


def test_two_shards_of_a_list_have_every_image_once_with_the_people_of_the_model(capsys, tmp_path):
    import cv2

    import cid_mmpose
    from tests.helpers.exported import smooth_images

    work = tmp_path / 'work'
    work.mkdir()
    write_work_folder(work)
    for number, image in enumerate(smooth_images(*[(96, 64)] * 6)):
        cv2.imwrite(str(tmp_path / f'{number}.png'), image)
    names = [str(tmp_path / f'{number}.png') for number in range(7)]
    (tmp_path / 'list.txt').write_text('\n'.join(names))
    options = ['--model', work, '--device', 'cpu', '--min-score', '0.1', '--jsonl', '--out', tmp_path / 'out']
    for shard in ('1/2', '2/2'):
        status, _ = ends_with(['predict', '--list', tmp_path / 'list.txt', *options, '--shard', shard], capsys)
        assert status == 0
    files = sorted((tmp_path / 'out').glob('*.jsonl'))
    assert [path.name for path in files] == ['people-00001-of-00002.jsonl', 'people-00002-of-00002.jsonl']
    rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
    rows = {row['path']: row for row in rows}
    assert sorted(rows) == names and rows[names[6]] == dict(path=names[6], error=f'{names[6]}: no such file')
    model = cid_mmpose.load(work, min_score=0.1, device='cpu')
    for people in model(names[:6]):
        assert len(people) > 0 and rows[people.path] == people.to_dict()
