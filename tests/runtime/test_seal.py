"""A file that is not what was written is refused, to the bit, in one line."""

import hashlib

import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.seal import check_seal, seal

CONTENT = {
    '.onnx': b'\x08\x0a' + bytes(range(256)) * 20,
    '.xml': b'<net></net>\n',
    '.engine': bytes(range(255, -1, -1)) * 20,
}
WEIGHTS = bytes(range(255)) * 9


@pytest.fixture(params=['.onnx', '.xml', '.engine'])
def sealed(tmp_path, request):
    """All kinds of files."""
    return sealed_file(tmp_path, request.param)


def sealed_file(folder, ending: str, weights: bytes = WEIGHTS):
    folder.mkdir(exist_ok=True)
    path = folder / f'a{ending}'
    path.write_bytes(CONTENT[ending])
    if ending == '.xml':
        path.with_suffix('.bin').write_bytes(weights)
    seal(path)
    return path


def assert_refused(path, message: str):
    with pytest.raises(BadInput, match=f'{path.name}: {message}') as error:
        check_seal(path)
    assert '\n' not in str(error.value) and 'export' in str(error.value)


def test_the_end_of_a_file_is_the_sha256_of_all_before_it(tmp_path):
    plain = CONTENT['.onnx']
    written = sealed_file(tmp_path, '.onnx').read_bytes()
    assert written.startswith(plain) and written.endswith(hashlib.sha256(plain).hexdigest().encode())
    plain = CONTENT['.xml']
    written = sealed_file(tmp_path, '.xml').read_bytes()
    digest = hashlib.sha256(plain + WEIGHTS).hexdigest()
    assert written == plain + f'<!-- cid_mmpose_sha256 {digest} -->\n'.encode()


def test_the_end_of_an_onnx_file_is_an_entry_of_its_metadata(tmp_path):
    onnx = pytest.importorskip('onnx', reason='needs the extra [export]')
    path = tmp_path / 'a.onnx'
    model = onnx.ModelProto(ir_version=9, producer_name='me')
    path.write_bytes(model.SerializeToString())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    seal(path)
    (entry,) = onnx.load(path).metadata_props
    assert (entry.key, entry.value) == ('cid_mmpose_sha256', digest)


def test_a_file_that_nobody_touched_is_taken(sealed):
    check_seal(sealed)


def test_every_flipped_bit_is_seen(sealed):
    content = sealed.read_bytes()
    rng = np.random.default_rng(0)
    for place in [0, len(content) - 1, *rng.integers(0, len(content), 200)]:
        changed = bytearray(content)
        changed[place] ^= 1 << rng.integers(8)
        sealed.write_bytes(changed)
        assert_refused(sealed, '(its sha256 is not the one|does not end as a file of cid export)')


def test_every_cut_and_every_byte_too_many_are_seen(sealed):
    content = sealed.read_bytes()
    for length in [0, 1, 50, len(content) // 2, len(content) - 90, len(content) - 1]:
        sealed.write_bytes(content[:length])
        assert_refused(sealed, 'does not end as a file of cid export does: it was cut')
    sealed.write_bytes(content + b'\n')
    assert_refused(sealed, 'does not end as a file of cid export')
    sealed.write_bytes(b'\0' + content)
    assert_refused(sealed, 'its sha256 is not the one')


def test_weights_of_another_export_are_seen(tmp_path):
    one = sealed_file(tmp_path / 'one', '.xml')
    other = sealed_file(tmp_path / 'other', '.xml', WEIGHTS[::-1])
    other.with_suffix('.bin').replace(one.with_suffix('.bin'))
    assert_refused(one, 'its sha256 is not .*: it or a.bin was changed, or they are of two exports')


def test_weights_that_are_not_there_are_one_line(tmp_path):
    path = sealed_file(tmp_path, '.xml')
    path.with_suffix('.bin').unlink()
    assert_refused(path, 'cannot be read .No such file')
