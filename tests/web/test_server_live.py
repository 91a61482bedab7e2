"""The server with Gradio: where it listens, whom it talks to, how it ends. `make test-web` has Gradio for it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.web.server import HOST, MAX_BODY, launch
from tests.helpers.images import ROOT

pytest.importorskip('gradio', reason='Gradio is not installed (make test-web has it)')
pytestmark = pytest.mark.slow

watched: list[tuple] = []
is_watching = [False]


def watch(event: str, arguments: tuple) -> None:
    """An audit hook, which cannot be removed: notes where this process connects to while it is asked to."""
    if is_watching[0] and event in ('socket.connect', 'socket.getaddrinfo'):
        watched.append((event, arguments[1] if event == 'socket.connect' else arguments[0]))


sys.addaudithook(watch)


@pytest.fixture(scope='module')
def model(work_folder):
    return cid_mmpose.load(work_folder, device='cpu')


@pytest.fixture(scope='module')
def page(model):
    """A page that runs, started while connections are noted."""
    watched.clear()
    is_watching[0] = True
    page = launch(model, None, share=False)
    is_watching[0] = False
    yield page
    page.close(verbose=False)


def status_of(url: str, **request) -> int:
    try:
        return urllib.request.urlopen(urllib.request.Request(url, **request), timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_start_connects_to_this_machine_alone(page):
    hosts = {str(where[0] if isinstance(where, tuple) else where) for _, where in watched}
    assert hosts and hosts <= {HOST}


def test_the_page_is_served_to_this_machine_alone_and_has_no_public_link(page):
    assert re.fullmatch(r'http://127\.0\.0\.1:\d+/', page.local_url)
    assert page.share is False and page.share_url is None and page.server_name == HOST
    with socket.socket() as other:
        other.settimeout(2)
        own_address = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
        for address in set(own_address) - {HOST}:
            if not address.startswith('127.'):
                assert other.connect_ex((address, page.server_port)) != 0


@pytest.mark.parametrize('name', ['GRADIO_SHARE', 'GRADIO_ANALYTICS_ENABLED', 'GRADIO_RUN_HISTORY'])
def test_the_environment_does_not_turn_on_what_tells_others(page, model, monkeypatch, name):
    monkeypatch.setenv(name, 'True')
    again = launch(model, None, share=False)
    try:
        assert again.share_url is None and not again.analytics_enabled and not again.run_history
    finally:
        again.close(verbose=False)


def test_the_page_names_no_other_host_that_is_loaded_from(page):
    html = urllib.request.urlopen(page.local_url).read().decode()
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]+)"', html)
    assert loaded and [url for url in loaded if '//' in url] == []


def test_uploads_to_gradio_and_large_requests_are_refused(page):
    assert status_of(f'{page.local_url}gradio_api/upload', data=b'x', method='POST') == 404
    headers = {'Content-Length': str(MAX_BODY + 1), 'Content-Type': 'application/json'}
    assert status_of(f'{page.local_url}gradio_api/queue/join', data=b'x', headers=headers, method='POST') == 413


@pytest.mark.parametrize('path', ['upload', 'queue/join', 'component_server', 'process_recording'])
def test_a_form_with_a_file_leaves_nothing_on_the_disk(page, path, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nSECRET\r\n--x--\r\n'
    headers = {'Content-Type': 'multipart/form-data; boundary=x'}
    assert status_of(f'{page.local_url}gradio_api/{path}', data=form, headers=headers, method='POST') == 404
    assert not list(tmp_path.iterdir())


def test_a_download_without_its_token_gives_nothing(page):
    assert status_of(f'{page.local_url}people/abc/people.json') == 404


@pytest.mark.parametrize('link', ['https://abc.gradio.live', None])
def test_a_public_link_is_made_where_it_is_asked_for_or_the_reason_is_told(page, model, monkeypatch, link):
    def tunnel(**_):
        if link is None:
            raise OSError('no network')
        return link

    monkeypatch.setattr('gradio.networking.setup_tunnel', tunnel)
    if link is None:
        with pytest.raises(BadInput, match='^--share: Gradio could not make a link'):
            launch(model, None, share=True)
        return
    shared = launch(model, None, share=True)
    assert shared.share_url == link
    shared.close(verbose=False)


@pytest.mark.parametrize('port', [0, -1, 65536])
def test_a_number_that_is_no_port_is_one_line(model, port):
    with pytest.raises(BadInput, match=f'^--port: {port} is none; give a number from 1 to 65535$'):
        launch(model, port, share=False)


def test_a_port_that_is_taken_is_one_line(page, model):
    with pytest.raises(BadInput, match=rf'^--port: {HOST}:{page.server_port} cannot be used'):
        launch(model, page.server_port, share=False)


def test_the_command_says_where_the_page_is_and_ends_with_one_line(work_folder):
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), *sys.path]), 'PYTHONWARNINGS': 'ignore'}
    server = subprocess.Popen(
        [sys.executable, '-m', 'cid_mmpose', 'web', '--model', str(work_folder), '--device', 'cpu'],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = server.stdout.readline()
    address = re.search(r'open (http://127\.0\.0\.1:\d+/) \(Ctrl-C ends it\)$', said)
    assert address and status_of(address[1]) == 200
    server.send_signal(signal.SIGTERM)
    _, errors = server.communicate(timeout=60)
    assert server.returncode == 143
    assert errors.splitlines()[-1] == 'stopped by SIGTERM' and 'Traceback' not in errors
