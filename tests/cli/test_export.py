"""The options of ``cid export``: one that would change nothing is an error."""

import pytest

from cid_mmpose.cli import main

COMMAND = ['export', 'none.pth', '--out', 'a.onnx']


@pytest.mark.parametrize(
    'words, says',
    [
        (['--calibrate', 'photos'], 'error: --calibrate photos: is of --precision int8; leave it out, or give that'),
        (['--max-drop', '0.5'], 'error: --max-drop 0.5: no AP is measured; give --data with it, or leave it out'),
    ],
)
def test_what_would_change_nothing_is_one_line(words, says, capsys):
    assert says in last_line(words, capsys)


@pytest.mark.parametrize(
    'words',
    [['--data', 'synth', '--max-drop', '0.5'], ['--precision', 'int8', '--calibrate', 'synth', '--max-drop', '2']],
)
def test_what_is_of_use_goes_on(words, capsys):
    line = last_line(words, capsys)  # that there are no such weights, or that a package is missing
    assert line.startswith('error: ') and '--calibrate' not in line and '--max-drop' not in line


def last_line(words: list, capsys) -> str:
    """Of what the command says, which ends with status 2."""
    with pytest.raises(SystemExit) as left:
        main(COMMAND + words)
    assert left.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]
