"""Checkpoints from the web: what goes wrong is named, and no file is taken for another's."""

import hashlib
import http.server
import socket
import threading
from pathlib import Path

import pytest
import torch

from cid_mmpose.errors import BadInput
from cid_mmpose.weights import loaders
from cid_mmpose.weights.files import downloads


def weights(value: float) -> bytes:
    """A checkpoint whose one weight has this value."""
    import io

    written = io.BytesIO()
    torch.save(dict(state_dict=dict(weight=torch.tensor([value]))), written)
    return written.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves what ``server.pages`` holds: path -> bytes, or a function that answers by itself."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        page = self.server.pages.get(self.path)
        if page is None:
            self.send_error(404)
        elif callable(page):
            page(self)
        else:
            self.send_response(200)
            self.send_header('Content-Length', str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server on this machine, and an empty cache; ``web.url`` is where it listens."""
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.daemon_threads = True
    server.pages, server.asked = {}, []
    server.url = f'http://127.0.0.1:{server.server_port}'
    thread = threading.Thread(target=server.serve_forever, kwargs=dict(poll_interval=0.01), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def load(url: str) -> float:
    return loaders.load_from_http(url)['state_dict']['weight'].item()


def refused(url: str) -> str:
    """The line with which a URL is refused, without the URL."""
    with pytest.raises(BadInput) as caught:
        load(url)
    text = str(caught.value)
    assert text.startswith(f'{url}: ') and '\n' not in text
    return text[len(f'{url}: ') :]


def kept(tmp_path: Path) -> list:
    """The files of the cache, below its folder."""
    folder = tmp_path / 'hub' / 'checkpoints'
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


def test_a_url_is_fetched_once(web, tmp_path):
    web.pages['/w.pth'] = weights(3)
    assert load(f'{web.url}/w.pth') == 3 and load(f'{web.url}/w.pth') == 3
    assert web.asked == ['/w.pth']


def test_the_cache_is_where_cid_home_says(web, tmp_path, monkeypatch):
    monkeypatch.setenv('CID_HOME', str(tmp_path / 'home'))
    web.pages['/w.pth'] = weights(3)
    assert load(f'{web.url}/w.pth') == 3 and kept(tmp_path) == []
    assert len(list((tmp_path / 'home' / 'checkpoints').rglob('w.pth'))) == 1


def test_two_urls_of_one_file_name_are_two_files_and_each_knows_its_own(web, tmp_path):
    urls = [f'{web.url}/{place}' for place in ('a/model.pth', 'b/model.pth', 'b/model.pth?v=2')]
    for number, url in enumerate(urls):
        web.pages[url[len(web.url) :]] = weights(number)
    assert [load(url) for url in urls] == [0, 1, 2] and [load(url) for url in urls] == [0, 1, 2]
    assert len(web.asked) == 3
    notes = (tmp_path / 'hub' / 'checkpoints').rglob('url.txt')
    assert sorted(note.read_text().strip() for note in notes) == sorted(urls)


def test_a_file_of_unknown_origin_is_not_taken_and_stays(web, tmp_path):
    old = tmp_path / 'hub' / 'checkpoints' / 'model.pth'  # as mmengine and torch keep all files
    old.parent.mkdir(parents=True)
    old.write_bytes(weights(1))
    web.pages['/model.pth'] = weights(2)
    assert load(f'{web.url}/model.pth') == 2
    assert old.read_bytes() == weights(1)


def test_a_file_whose_name_carries_its_hash_is_taken_from_torch_s_folder_without_asking(web, tmp_path):
    data = weights(5)
    name = f'cid_{hashlib.sha256(data).hexdigest()[:8]}-20230207.pth'
    old = tmp_path / 'hub' / 'checkpoints' / name
    old.parent.mkdir(parents=True)
    old.write_bytes(data)
    assert load(f'{web.url}/any/{name}') == 5 and web.asked == []


def test_openmmlab_s_own_names_are_kept_where_mmengine_keeps_them(web, tmp_path):
    name = 'hrnet_w32-36af842e.pth'  # digits that are not those of the file
    folder = tmp_path / 'hub' / 'checkpoints'
    assert downloads.place_of(f'https://download.openmmlab.com/mmpose/{name}') == folder / name
    assert downloads.place_of(f'https://example.org/{name}').parent.parent == folder
    assert downloads.place_of('https://download.openmmlab.com/model.pth').parent.parent == folder


@pytest.mark.parametrize(
    'name, content, says',
    [
        ('w_42b7e6e6-20230207.pth', b'other weights', 'its sha256 begins with'),
        ('w.pth', b'<html>not found</html>', 'this is a web page, not a checkpoint'),
        ('w.pth', b'{"error": "gone"}', 'not a complete checkpoint'),
        ('w.pth', b'', 'is empty'),
        ('w.pth', weights(1)[:-99], 'not a complete checkpoint'),
    ],
    ids=['hash', 'page', 'json', 'empty', 'cut'],
)
def test_what_is_no_checkpoint_is_named_and_not_kept(web, tmp_path, name, content, says):
    web.pages[f'/{name}'] = content
    assert refused(f'{web.url}/{name}').startswith(says)
    assert kept(tmp_path) == []
    if name == 'w.pth':
        web.pages['/w.pth'] = weights(4)
        assert load(f'{web.url}/w.pth') == 4


def answer(code: int, length: int = 0, body: bytes = b'', **headers: str):
    """A function that answers a request so."""

    def write(handler) -> None:
        handler.send_response(code)
        handler.send_header('Content-Length', str(length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return write


def test_what_the_server_says_is_passed_on(web):
    web.pages['/forbidden.pth'] = answer(403)
    web.pages['/broken.pth'] = answer(500)
    web.pages['/loop.pth'] = answer(302, Location='/loop.pth')
    web.pages['/disk.pth'] = answer(302, Location='file:///etc/hostname')
    web.pages['/moved.pth'] = answer(302, Location='/there.pth')
    web.pages['/there.pth'] = weights(6)
    assert refused(f'{web.url}/gone.pth').startswith('cannot be downloaded (the server says 404 Not Found); check')
    assert 'the server says 403 Forbidden' in refused(f'{web.url}/forbidden.pth')
    assert 'the server says 500' in refused(f'{web.url}/broken.pth')
    assert 'it leads back to itself' in refused(f'{web.url}/loop.pth')
    assert 'cannot be downloaded' in refused(f'{web.url}/disk.pth')
    assert load(f'{web.url}/moved.pth') == 6


def test_a_server_that_stops_in_the_middle_is_named(web, tmp_path):
    web.pages['/short.pth'] = answer(200, 10_000, b'x' * 100)
    assert 'the server stopped after 100 of 10000 bytes; try again' in refused(f'{web.url}/short.pth')
    assert kept(tmp_path) == []


def test_a_server_that_says_nothing_more_is_given_up(web, monkeypatch):
    monkeypatch.setattr(downloads, 'SECONDS', 1.0)
    told = threading.Event()  # until then the server keeps its connections open

    def silent(handler) -> None:
        told.wait(60)

    def stalling(handler) -> None:
        answer(200, 10_000, b'x' * 100)(handler)
        told.wait(60)

    web.pages.update({'/silent.pth': silent, '/stalling.pth': stalling})
    assert 'no answer in 1 seconds' in refused(f'{web.url}/silent.pth')
    assert 'the download broke off (no answer in 1 seconds)' in refused(f'{web.url}/stalling.pth')
    told.set()


def test_a_port_where_nobody_listens_and_one_that_speaks_no_http_are_named(web):
    with socket.create_server(('127.0.0.1', 0)) as closed:
        port = closed.getsockname()[1]
    assert 'Connection refused' in refused(f'http://127.0.0.1:{port}/w.pth')
    assert 'cannot be downloaded' in refused(f'https://127.0.0.1:{web.server_port}/w.pth')


@pytest.mark.parametrize(
    'url, says',
    [
        ('http://', 'is no URL, it names no host'),
        ('http:///w.pth', 'is no URL, it names no host'),
        ('http://:80/w.pth', 'is no URL, it names no host'),
        ('http://host:99999/w.pth', 'is no URL (Port out of range'),
        ('http://host:0/w.pth', 'is no URL, it names no port'),
        ('http://host:abc/w.pth', 'is no URL (Port could not'),
        ('http://[::1/w.pth', 'is no URL (Invalid IPv6 URL)'),
        ('http://example.org', 'names no file at its end'),
        ('http://example.org/', 'names no file at its end'),
        ('http://example.org/a/..', 'names no file at its end'),
        ('http://' + 'ä' * 99 + '.org/w.pth', 'is no URL, no host can have the name'),
        ('http://a..b/w.pth', 'cannot be downloaded'),
        ('http://no such host/w.pth', 'cannot be downloaded'),
    ],
)
def test_a_url_that_is_none_is_told_what_it_lacks(web, url, says):
    assert refused(url).startswith(says)


@pytest.mark.parametrize('content', [None, b'other weights'], ids=['nobody', 'hash'])
def test_a_file_that_is_put_where_the_message_says_is_found(web, tmp_path, monkeypatch, content):
    monkeypatch.setenv('CID_HOME', str(tmp_path / 'home'))
    data = weights(5)
    name = f'cid_{hashlib.sha256(data).hexdigest()[:8]}-20230207.pth'
    if content:
        web.pages[f'/{name}'] = content
    said = refused(f'{web.url}/{name}')
    place = said.partition('saved as ')[2].partition(' it is found without a network (CID_HOME moves')[0]
    assert place == str(tmp_path / 'home' / 'checkpoints' / name)
    Path(place).write_bytes(data)
    assert load(f'{web.url}/{name}') == 5


def test_letters_of_any_alphabet_and_spaces_reach_the_server_as_it_wants_them(web, tmp_path):
    web.pages['/m%C3%BCller/my%20w.pth?q=%C3%A4'] = weights(7)
    assert load(f'{web.url}/müller/my w.pth?q=ä') == 7
    assert load(f'{web.url}/m%C3%BCller/my%20w.pth?q=%C3%A4#part') == 7  # what is quoted already stays
    assert downloads.in_ascii('https://bücher.example/w.pth') == 'https://xn--bcher-kva.example/w.pth'
    assert downloads.in_ascii('http://[::1]:80/w.pth') == 'http://[::1]:80/w.pth'


def test_no_name_of_a_file_leads_out_of_the_cache(web, tmp_path):
    folder = tmp_path / 'hub' / 'checkpoints'
    for name in ('..%2f..%2fw.pth', 'a\\..\\w.pth', 'x' * 999 + '.pth', 'a\nb.pth'):
        place = downloads.place_of(f'{web.url}/{name}')
        assert place.parent.parent == folder and len(place.name) <= 150 and '/' not in place.name


def test_a_cache_that_cannot_be_written_is_named(web, tmp_path):
    (tmp_path / 'hub').write_text('a file where the folder should be')
    web.pages['/w.pth'] = weights(1)
    assert 'set CID_HOME to a folder with room' in refused(f'{web.url}/w.pth')
