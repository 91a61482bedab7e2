"""The options of ``cid export``: one that would change nothing is an error."""

import pytest

from cid_mmpose.cli import main

COMMAND = ['export', 'none.pth', '--out', 'a.onnx']


@pytest.mark.parametrize(
    'words, says',
    [
        (['--calibrate', 'photos'], 'error: --calibrate photos: is of --precision int8; leave it out, or give that'),
        (['--max-drop', '0.5'], 'error: --max-drop 0.5: no AP is measured; give --data with it, or leave it out'),
        (['--data', 'synth', '--max-drop', '0.5'], 'error: none.pth'),
        (['--precision', 'int8', '--calibrate', 'synth', '--max-drop', '2'], 'error: none.pth'),
    ],
)
def test_what_would_change_nothing_is_one_line(words, says, capsys):
    with pytest.raises(SystemExit) as left:
        main(COMMAND + words)
    assert left.value.code == 2
    assert says in capsys.readouterr().err.strip().splitlines()[-1]
