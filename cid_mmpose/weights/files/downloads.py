"""Checkpoints from the web, each kept where no other URL's file can be taken for it."""

import hashlib
import http.client
import os
import re
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import torch
from mmengine.dist import barrier, get_rank
from tqdm import tqdm

from cid_mmpose.errors import BadInput

from .hashes import digits_in_name, hash_in_name

HOME = 'CID_HOME'  # of the environment
SECONDS = 30.0  # without an answer, or without a byte more, until a download is given up
BLOCK = 2**18  # bytes
OPENMMLAB = 'download.openmmlab.com'  # gives no two files the same digits
SOURCE = 'url.txt'  # beside a file, says where it is from
LONGEST_NAME = 150  # characters of a file's name that are kept
BY_HAND = 'fetch it by hand and give the path of the file'


def fetched(url: str, check: Callable[[Path, str], None]) -> Path:
    """The file of a URL, downloaded unless it is there; with several processes the first one fetches it.

    Args:
        url: http or https.
        check: raises BadInput for a file that is not what it should be, by its path and what to call it.

    Raises:
        BadInput: naming the URL and what is wrong with it, with its server or with its file.
    """
    target = place_of(url)
    try:
        if get_rank() == 0:
            fetch(url, target, check)
    finally:
        barrier()  # also after an error, which the others would wait for
    fetch(url, target, check)  # on the first process of another machine
    return target


def place_of(url: str) -> Path:
    """Where the file of a URL is kept.

    A name that carries a hash is the same file whoever gives it, so it lies in torch's hub folder, where torch and
    mmengine keep it too; so do OpenMMLab's names that look like it. Any other file (``model.pth``) gets a folder of
    its URL: there are many of that name.

    Args:
        url: as for ``fetched``.
    """
    parts = parsed(url)
    last_part = parts.path.rpartition('/')[2]
    name = re.sub(r'[^\w.+()%-]', '_', last_part)[-LONGEST_NAME:]
    if not name.strip('.'):
        raise BadInput(f'{url}: names no file at its end; give the URL of the file itself')

    folder = cache() / 'checkpoints'
    if hash_in_name(name) or (digits_in_name(name) and parts.hostname == OPENMMLAB):
        return folder / name
    digest = hashlib.sha256(url.encode('utf-8', 'surrogatepass'))
    return folder / digest.hexdigest()[:16] / name


def cache() -> Path:
    """The folder of files from the web: the one that ``CID_HOME`` names, else torch's hub folder."""
    return Path(os.environ.get(HOME) or torch.hub.get_dir()).expanduser()


def parsed(url: str) -> SplitResult:
    """The parts of a URL that can be asked for; BadInput with what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # brackets that are no IPv6 address, a port that is no number or above 65535
        raise BadInput(f'{url}: is no URL ({error}); check it') from error
    if not parts.hostname:
        raise BadInput(f'{url}: is no URL, it names no host; check it')
    if port == 0:
        raise BadInput(f'{url}: is no URL, it names no port; check it')
    return parts


def in_ascii(url: str) -> str:
    """The URL as servers take it: other letters by their bytes, and the host's in its own way."""
    parts = parsed(url)
    host = parts.hostname or ''  # ``parsed`` gives none without a host
    if not host.isascii():
        try:
            host = host.encode('idna').decode()
        except UnicodeError as error:
            raise BadInput(f'{url}: is no URL, no host can have the name {parts.hostname}; check it') from error
    if ':' in host:
        host = f'[{host}]'

    place = host
    if parts.port:
        place = f'{host}:{parts.port}'
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._", errors='replace')
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?", errors='replace')
    return urlunsplit((parts.scheme.lower(), place, path, query, ''))


def fetch(url: str, target: Path, check: Callable[[Path, str], None]) -> None:
    """Downloads a file that is not there yet; only one that passes gets its name, so that no half one is taken later.

    Args:
        url: as for ``fetched``.
        target: where to keep it.
        check: as for ``fetched``.

    Raises:
        BadInput: as ``fetched``; the message also says where the file would be kept.
    """
    if target.exists():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix='.download-') as folder:
            scratch = Path(folder) / target.name
            download(url, scratch)
            check(scratch, url)
            if target.parent.name != 'checkpoints':
                source = target.parent / SOURCE
                source.write_text(url + '\n', encoding='utf-8', errors='replace')
            os.replace(scratch, target)
    except BadInput as error:
        raise BadInput(
            f'{error}; saved as {target} it is found without a network ({HOME} moves that folder)'
        ) from error
    except OSError as error:
        raise BadInput(
            f'{url}: cannot be kept in {target.parent} ({error.strerror or error}); set {HOME} to a folder with room, '
            f'or {BY_HAND}'
        ) from error


def download(url: str, target: Path) -> None:
    """Writes what a URL gives into a file.

    Args:
        url: as for ``fetched``.
        target: of a folder that is there.

    Raises:
        BadInput: the server cannot be reached, gives no file, or stops giving.
        OSError: the file cannot be written.
    """
    request = urllib.request.Request(in_ascii(url), headers={'User-Agent': 'cid_mmpose'})
    try:
        answer = urllib.request.urlopen(request, timeout=SECONDS)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BadInput(f'{url}: cannot be downloaded ({reason(error)}); check the URL, or {BY_HAND}') from error

    said = answer.headers.get('Content-Length') or ''
    size = int(said) if said.isdecimal() else None
    with answer, target.open('wb') as file, _progress(target.name, size) as bar:
        while block := _block(answer, url):
            file.write(block)
            bar.update(len(block))
        written = file.tell()

    if size is not None and written < size:
        raise BadInput(f'{url}: the server stopped after {written} of {size} bytes; try again, or {BY_HAND}')


def _progress(name: str, size: int | None) -> tqdm:
    return tqdm(total=size, unit='B', unit_scale=True, leave=False, desc=name[:40], disable=not os.isatty(2))


def _block(answer, url: str) -> bytes:
    try:
        return answer.read(BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise BadInput(f'{url}: the download broke off ({reason(error)}); try again, or {BY_HAND}') from error


def reason(error: Exception) -> str:
    """Why a URL gave nothing, in a few words on one line."""
    if isinstance(error, urllib.error.HTTPError):
        if 'infinite loop' in str(error.reason):
            return 'it leads back to itself'
        return f'the server says {error.code} {error.reason}'

    inner = getattr(error, 'reason', error)
    if isinstance(inner, (socket.timeout, TimeoutError)):
        return f'no answer in {SECONDS:g} seconds'
    if isinstance(inner, socket.gaierror):
        return 'no such host, or no connection to the network'
    text = ' '.join(str(inner).split())
    return text[:200] or type(inner).__name__
