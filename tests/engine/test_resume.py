"""Which checkpoint a run goes on from."""

import pytest
import torch

from cid_mmpose.engine.resume import newest_checkpoint


def write(folder, *names):
    for name in names:
        torch.save(dict(state_dict=dict(weight=torch.zeros(99))), folder / name)


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def newest(folder):
    return newest_checkpoint(str(folder)) and newest_checkpoint(str(folder))[len(str(folder)) + 1 :]


def test_an_empty_or_missing_folder_has_none(tmp_path):
    assert newest(tmp_path) is None and newest(tmp_path / 'gone') is None


def test_the_noted_checkpoint_counts_also_when_the_folder_has_moved(tmp_path):
    write(tmp_path, 'epoch_2.pth', 'epoch_9.pth')
    (tmp_path / 'last_checkpoint').write_text('/somewhere/else/epoch_2.pth')
    assert newest(tmp_path) == 'epoch_2.pth'


def test_numbers_are_compared_as_numbers_and_the_best_one_is_left_alone(tmp_path):
    write(tmp_path, 'epoch_2.pth', 'epoch_10.pth', 'best_coco_AP_epoch_12.pth')
    assert newest(tmp_path) == 'epoch_10.pth'


@pytest.mark.parametrize('note', ['', 'epoch_3.pth', 'epoch_7.pth'])
def test_a_checkpoint_cut_off_by_a_kill_is_passed_over(tmp_path, note):
    write(tmp_path, 'epoch_2.pth', 'epoch_3.pth')
    cut(tmp_path / 'epoch_3.pth')
    (tmp_path / 'last_checkpoint').write_text(note)
    assert newest(tmp_path) == 'epoch_2.pth'


def test_checkpoints_by_iteration_are_found_too(tmp_path):
    write(tmp_path, 'iter_500.pth', 'iter_1000.pth')
    assert newest(tmp_path) == 'iter_1000.pth'


def test_notes_and_names_that_no_run_writes_are_passed_over(tmp_path):
    write(tmp_path, 'epoch_2.pth')
    (tmp_path / 'last_checkpoint').write_bytes(b'\xff\xfe\x00')
    (tmp_path / 'epoch_5.pth').mkdir()
    (tmp_path / f'epoch_{"9" * 100}.pth').write_bytes((tmp_path / 'epoch_2.pth').read_bytes())
    assert newest(tmp_path) == 'epoch_2.pth'
