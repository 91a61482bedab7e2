"""The server around the page, without Gradio: bounds, files to download, what is said when Gradio is missing."""

import asyncio
import csv
import io
import json
import os
import sys

import cv2
import numpy as np
import pytest

from cid_mmpose.cli import main
from cid_mmpose.web import server
from cid_mmpose.web.server import MAX_BODY, Guard, content_of
from cid_mmpose.web.uploads import MAX_BYTES


def ask(
    path: str = '/',
    length: object = None,
    pieces: tuple = (b'',),
    method: str = 'GET',
    kind: str = '',
    host: str = '127.0.0.1:7860',
    is_shared: bool = False,
) -> tuple[dict, list]:
    """What a guarded server answers, and the pieces of the request's body that reached it.

    Args:
        path: of the request.
        length: of its body as it says; None says none.
        pieces: of its body.
        method: of the request.
        kind: of its body, as it says.
        host: that it asks.
        is_shared: whether the server has a public link.
    """
    reached, answers, left = [], [], list(pieces)

    async def app(scope, receive, send):
        while True:
            message = await receive()
            if message['type'] != 'http.request':
                return
            reached.append(message['body'])
            if not message['more_body']:
                break
        await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'x', b'y')]})

    async def receive():
        piece = left.pop(0)
        return {'type': 'http.request', 'body': piece, 'more_body': bool(left)}

    async def send(message):
        answers.append(message)

    headers = [(b'host', host.encode()), (b'content-type', kind.encode())]
    headers += [] if length is None else [(b'content-length', str(length).encode())]
    scope = {'type': 'http', 'method': method, 'path': path, 'headers': headers}
    asyncio.run(Guard(app, is_shared)(scope, receive, send))
    return (answers[0] if answers else {}), reached


def test_a_request_goes_through_and_the_answer_binds_the_page_to_this_host():
    answer, reached = ask(length=3, pieces=(b'a', b'bc'))
    assert answer['status'] == 200 and reached == [b'a', b'bc']
    policy = dict(answer['headers'])[b'content-security-policy'].decode()
    sources = {word for rule in policy.split('; ') for word in rule.split()[1:]}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", 'data:', 'blob:'}
    assert policy.startswith("default-src 'self'; ")


@pytest.mark.parametrize('length', [MAX_BODY + 1, 10**30, '9' * 5000, '-1', 'many'])
def test_a_request_that_says_it_is_too_large_is_refused_before_it_is_read(length):
    answer, reached = ask(length=length)
    assert answer['status'] == 413 and reached == []


def test_a_request_that_does_not_say_its_size_is_cut_off():
    piece = bytes(2**20)
    answer, reached = ask(pieces=(piece,) * 40)
    assert answer == {} and sum(map(len, reached)) <= MAX_BODY


def test_the_largest_file_fits_into_a_request():
    assert MAX_BODY > -(-MAX_BYTES // 3) * 4 + 1000


JSON = 'application/json'
FORM = 'multipart/form-data; boundary=x'


@pytest.mark.parametrize(
    ('method', 'path', 'kind'),
    [
        ('POST', '/gradio_api/upload', FORM),
        ('POST', '/gradio_api/upload/', JSON),
        ('POST', '/gradio_api/queue/join', FORM),
        ('POST', '/gradio_api/queue/join', 'text/plain'),
        ('POST', '/gradio_api/component_server', FORM),
        ('POST', '/gradio_api/process_recording', FORM),
        ('GET', '/gradio_api/deep_link', ''),
        ('GET', '/gradio_api/file=/etc/passwd', ''),
        ('POST', '/', JSON),
    ],
)
def test_what_the_page_does_not_ask_for_and_gradio_may_write_to_the_disk_is_refused(method, path, kind):
    answer, reached = ask(path, method=method, kind=kind)
    assert answer['status'] == 404 and reached == []


@pytest.mark.parametrize(
    ('method', 'path', 'kind'),
    [
        ('POST', '/gradio_api/queue/join', 'application/json; charset=utf-8'),
        ('GET', '/gradio_api/queue/data', ''),
        ('GET', '/gradio_api/heartbeat/abc', ''),
        ('HEAD', '/', ''),
        ('GET', '/people/abc/people.json', ''),
    ],
)
def test_what_the_page_asks_for_is_answered(method, path, kind):
    assert ask(path, method=method, kind=kind)[0]['status'] == 200


@pytest.mark.parametrize('host', ['elsewhere.example', 'elsewhere.example:7860', '127.0.0.1.example:7860', '', 'x:y:1'])
def test_a_page_of_another_host_whose_name_leads_here_is_refused_unless_there_is_a_link(host):
    answer, reached = ask(host=host)
    assert answer['status'] == 421 and reached == []
    assert ask(host=host, is_shared=True)[0]['status'] == 200


@pytest.mark.parametrize('host', ['127.0.0.1:7860', 'localhost:8000', 'LOCALHOST', '127.0.0.1', '[::1]:7860'])
def test_this_machine_is_called_by_its_own_names(host):
    assert ask(host=host)[0]['status'] == 200


def test_downloads_are_what_people_write(predictor, image):
    people = predictor(image)[0][:3]
    found = json.loads(content_of(people, 'json', 0.3))
    assert len(found['people']) == 3 and found == json.loads(people.to_json())
    rows = list(csv.reader(io.StringIO(content_of(people, 'csv', 0.3).decode())))
    assert rows[0] == people.header() and len(rows) == 4
    drawn = cv2.imdecode(np.frombuffer(content_of(people, 'png', 0.3), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(drawn, people.draw(image))
    drawn = cv2.imdecode(np.frombuffer(content_of(people, 'png', 0.1), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(drawn, people.draw(image, min_keypoint_score=0.1))


def test_without_gradio_the_command_says_how_to_get_it_before_it_looks_for_weights(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(SystemExit) as left:
        main(['web', '--model', 'nowhere'])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert said == "error: cid web needs Gradio, which is not installed: pip install 'cid_mmpose[web]'\n"


def test_a_gradio_that_cannot_be_imported_is_told_with_its_reason(monkeypatch, tmp_path, capsys):
    (tmp_path / 'gradio.py').write_text('import gone_from_here')
    monkeypatch.delitem(sys.modules, 'gradio', raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit):
        main(['web'])
    said = capsys.readouterr().err
    assert said.startswith("error: cid web: Gradio cannot be imported (No module named 'gone_from_here'); pip install")


@pytest.mark.parametrize(
    'before, after',
    [('', '127.0.0.1'), ('a.org,b.org', 'a.org,b.org,127.0.0.1'), ('127.0.0.1', '127.0.0.1')],
)
def test_no_proxy_is_asked_for_this_machine_and_others_stay_as_they_are(monkeypatch, before, after):
    for name in ('NO_PROXY', 'no_proxy'):
        monkeypatch.setenv(name, before)
    server._ask_no_proxy()
    assert [os.environ[name] for name in ('NO_PROXY', 'no_proxy')] == [after, after]
