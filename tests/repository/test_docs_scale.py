"""What docs/scale.md says: its script for Slurm with stand-ins for srun and cid, its columns, its programs."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.helpers.images import ROOT

PAGE = (ROOT / 'docs' / 'scale.md').read_text(encoding='utf-8')
SRUN = """#!/bin/bash
for SLURM_PROCID in $(seq 0 $((SLURM_NTASKS - 1))); do
    export SLURM_PROCID
    "$@" || exit
done
"""
CID = '#!/bin/bash\necho "$@" >>"$CALLS"\n'


def blocks(kind: str) -> list[str]:
    """The blocks of code of a kind."""
    return re.findall(rf'^```{kind}\n(.*?)^```', PAGE, re.M | re.S)


@pytest.fixture
def programs(tmp_path) -> dict[str, str]:
    """An environment in which srun starts each task and cid notes how it was called."""
    for name, text in (('srun', SRUN), ('cid', CID)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return {**os.environ, 'PATH': f'{tmp_path}{os.pathsep}{os.environ["PATH"]}', 'CALLS': str(tmp_path / 'calls')}


def test_the_tasks_of_the_array_do_different_shards_from_the_first_to_the_last(programs, tmp_path):
    script = next(block for block in blocks('bash') if '#SBATCH --array' in block)
    last = int(re.search(r'--array=1-(\d+)', script).group(1))
    num_tasks = int(re.search(r'--ntasks=(\d+)', script).group(1))
    for number in (1, 2, last):
        slurm = dict(SLURM_ARRAY_TASK_ID=str(number), SLURM_NTASKS=str(num_tasks), SLURM_CPUS_PER_TASK='1')
        subprocess.run(['bash', '-c', script], env={**programs, **slurm}, check=True)
    calls = Path(programs['CALLS']).read_text().splitlines()
    assert all(call.startswith('predict --list images.txt --model demo.onnx --parquet --out rows') for call in calls)
    shards = [call.rpartition(' --shard ')[2] for call in calls]
    count = last * num_tasks
    assert shards == [f'{number}/{count}' for number in (*range(1, 9), *range(count - 3, count + 1))]


def test_the_columns_are_those_of_the_files():
    pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
    from cid_mmpose.scale.parquet import schema_of

    schema = schema_of({})
    table = PAGE[PAGE.index('| column |') : PAGE.index('JSON lines have')]
    cells = re.findall(r'^\| (- )?(`.+?) \|', table, re.M)
    columns = [name for mark, cell in cells if not mark for name in re.findall(r'`(\w+)`', cell)]
    of_person = [name for mark, cell in cells if mark for name in re.findall(r'`(\w+)`', cell)]
    assert columns == schema.names
    assert of_person == [field.name for field in schema.field('people').type.value_type]


def test_the_programs_read_what_is_written(tmp_path, monkeypatch):
    pytest.importorskip('pyarrow', reason='pyarrow is not installed (make test-scale has it)')
    pytest.importorskip('pandas')
    from cid_mmpose.scale.names import Shard
    from cid_mmpose.scale.run import Table, write_shard
    from tests.scale.conftest import Corners, write_images

    monkeypatch.chdir(tmp_path)
    images = write_images(Path('images'), 12, bad=(3,))
    write_shard(Corners(), images, Table(Path('rows'), Shard(3, 100), 'parquet'), ('corners', None))
    found = {}
    for program in blocks('python'):
        exec(compile(program, 'docs/scale.md', 'exec'), found)
    assert len(found['people']) > 0 and 'people' in found['table'].column_names
    assert len(list(Path('drawn', 'images').iterdir())) == 11
