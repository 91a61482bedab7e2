"""Files of ``torch.save``: the zip of torch 1.6 and later, and the row of pickles of before."""

import io
import pickle
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from .makers import MAKERS
from .pickles import DataUnpickler, Refused
from .tensors import Names, Stored, placing

ZIP = b'PK\x03\x04'  # the first bytes of a zip that holds anything
MAGIC = 0x1950A86A20F9469CFC6C  # the first number of a file before torch 1.6
PROTOCOL = 1001  # the second one


def read_torch_file(path: Path, map_location: Any = None) -> Any:
    """What ``torch.save`` wrote, whichever version of torch did.

    Args:
        path: of the file.
        map_location: as for ``torch.load``.

    Raises:
        Refused: with what it holds that is not taken. A damaged file may raise any other exception.
    """
    place = placing(map_location)
    with path.open('rb') as file:
        head = file.read(len(ZIP))
    if head == ZIP:
        return read_zip(path, place)
    if not head.startswith(pickle.PROTO) and tarfile.is_tarfile(path):
        raise Refused(
            'is a tar archive; unpack it if the checkpoint is in there. If torch before 0.1.10 wrote it, '
            'load it with such a torch and save its state_dict'
        )
    return read_row(path, place)


def read_zip(path: Path, place: Callable[[Tensor, str], Tensor]) -> Any:
    """The content of a zip of torch's, whose checksums must be right.

    Args:
        path: of the file.
        place: as of ``placing``.
    """
    with zipfile.ZipFile(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        root = _root(members)
        _check_members(members, path.stat().st_size)
        byte_order = f'{root}/byteorder'
        if byte_order in members and archive.read(byte_order) != b'little':
            raise Refused('was written on a machine of another byte order')

        stored: dict[str, Tensor] = {}

        def read_storage(said: tuple) -> Stored:
            kind, dtype, key, location, size = said
            if kind != 'storage' or not isinstance(dtype, torch.dtype):
                raise pickle.UnpicklingError('a storage of another form')
            member = members[f'{root}/data/{key}']
            if size * _itemsize(dtype) != member.file_size:
                raise ValueError(f'{size} numbers of {dtype} in {member.file_size} bytes')
            if key not in stored:
                data = _read_member(archive, member)
                stored[key] = place(data, location)
            return Stored(stored[key], dtype)

        content = io.BytesIO(archive.read(f'{root}/data.pkl'))
        unpickler = DataUnpickler(content, Names(), read_storage)
        return unpickler.load()


def _root(members: dict[str, zipfile.ZipInfo]) -> str:
    """The folder in the zip that holds everything."""
    roots = [name[: -len('/data.pkl')] for name in members if re.fullmatch(r'[^/]+/data\.pkl', name)]
    if not roots:
        raise Refused('is a zip archive, but none that torch.save wrote; unpack it if the checkpoint is in there')
    if f'{roots[0]}/constants.pkl' in members:
        raise Refused(
            'is a program of TorchScript and no checkpoint; save the state_dict of the model that it was made of'
        )
    return roots[0]


def _check_members(members: dict[str, zipfile.ZipInfo], size: int) -> None:
    """Refused if the members are packed, or larger than the file; leaves out checksums where the writer did.

    Args:
        members: name -> entry of the zip's table.
        size: bytes of the file.
    """
    total = 0
    has_checksums = False
    for member in members.values():
        if member.compress_type != zipfile.ZIP_STORED:
            raise Refused('is packed, which torch.save does not do; unpack it and save its content with torch')
        total += member.file_size
        has_checksums = has_checksums or member.CRC != 0

    if total > size:
        raise ValueError('its parts are larger than the file')
    if not has_checksums:  # torch.serialization.set_crc32_options(False)
        for member in members.values():
            member.CRC = None  # type: ignore[assignment]  # by which zipfile compares none, though it does not say so


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Tensor:
    """The bytes (n, ) of a member."""
    data = torch.empty(member.file_size, dtype=torch.uint8)
    with archive.open(member) as opened:
        file = cast(zipfile.ZipExtFile, opened)  # which the stubs know as any binary file
        if not _fill(data, file):
            raise EOFError(f'{member.filename} is cut off')
    return data


def _fill(data: Tensor, file: io.BufferedIOBase) -> bool:
    """Reads the next bytes of a file into ``data`` (n, ) uint8; whether there were as many."""
    if len(data) == 0:
        return True
    buffer = data.numpy().data
    return file.readinto(buffer) == len(data)


class Bounded:
    """A file that does not set aside memory for more than it holds, whatever it is asked for.

    Args:
        file: opened for reading.
        size: its bytes.
    """

    def __init__(self, file: io.BufferedReader, size: int) -> None:
        self.file = file
        self.size = size

    def left(self) -> int:
        """Bytes that have not been read."""
        return self.size - self.file.tell()

    def read(self, wanted: int, /) -> bytes:
        """The next bytes, as many as wanted and there."""
        there = min(wanted, self.left())
        return self.file.read(max(there, 0))

    def readline(self) -> bytes:
        """The next bytes to the end of their line."""
        return self.file.readline()


def read_row(path: Path, place: Callable[[Tensor, str], Tensor]) -> Any:
    """The content of a file of torch before 1.6: pickles one after the other, then the storages.

    The storages stand behind the pickle that uses them, so this is read twice, the first time to learn which there are.

    Args:
        path: of the file.
        place: as of ``placing``.
    """
    with path.open('rb') as opened:
        file = Bounded(opened, path.stat().st_size)
        if _plain_content(file) != MAGIC or _plain_content(file) != PROTOCOL:
            raise ValueError('not the numbers that a file of torch begins with')
        _plain_content(file)  # of the machine that wrote it

        start = opened.tell()
        storages = RowStorages(file.left())
        _content_with_tensors(file, storages)
        keys = _plain_content(file)
        storages.fill(file, keys, place)

        opened.seek(start)
        return _content_with_tensors(file, storages)


def _plain_content(file: Bounded) -> Any:
    """The content of the next pickle of a file, which holds no tensors."""
    return DataUnpickler(file, MAKERS).load()


def _content_with_tensors(file: Bounded, storages: 'RowStorages') -> Any:
    """The content of the next pickle of a file, with tensors over these storages."""
    return DataUnpickler(file, Names(), storages.read).load()


class RowStorages:
    """The storages of an old file, empty at first.

    Args:
        most: bytes that they can have together at most.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.data: dict[str, Tensor] = {}
        self.dtypes: dict[str, torch.dtype] = {}
        self.locations: dict[str, str] = {}

    def read(self, said: tuple) -> Stored:
        """The storage of which a pickle says this, or the part of it."""
        kind, dtype, key, location, size, view = said
        if kind != 'storage' or type(key) is not str or type(size) is not int or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError('a storage of another form')
        if key not in self.data:
            self._add(key, dtype, location, size)
        data = self.data[key]
        if view is not None:
            _, first, length = view
            start = first * _itemsize(dtype)
            end = start + length * _itemsize(dtype)
            if not 0 <= start <= end <= len(data):
                raise ValueError('a part that leads out of its storage')
            data = data[start:end]
        return Stored(data, dtype)

    def _add(self, key: str, dtype: torch.dtype, location: str, size: int) -> None:
        size_in_bytes = size * _itemsize(dtype)
        self.most -= size_in_bytes
        if size < 0 or self.most < 0:
            raise ValueError('storages that are larger than the file')
        self.data[key] = torch.empty(size_in_bytes, dtype=torch.uint8)
        self.dtypes[key] = dtype
        self.locations[key] = location

    def fill(self, file: Bounded, keys: list, place: Callable[[Tensor, str], Tensor]) -> None:
        """Reads the numbers of all storages.

        Args:
            file: where they start.
            keys: of the storages in their order.
            place: as of ``placing``.
        """
        if sorted(keys) != sorted(self.data):
            raise ValueError('other storages than the pickle names')
        for key in keys:
            data = self.data[key]
            said = int.from_bytes(file.read(8), 'little')
            if said * _itemsize(self.dtypes[key]) != len(data):
                raise ValueError('a storage of another size than the pickle says')
            if not _fill(data, file.file):
                raise EOFError('the last storages are missing')
            self.data[key] = place(data, self.locations[key])


def _itemsize(dtype: torch.dtype) -> int:
    none = torch.empty(0, dtype=dtype)
    return none.element_size()
