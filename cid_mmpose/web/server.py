"""The server of the page: on this machine alone, bounded, and talking to nobody else."""

import os
import threading
from typing import Any

import cv2

from cid_mmpose.engine.interrupts import run_ends
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.people import People
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.visualization.options import least_keypoint_score

from .actions import Actions
from .candidates import keep_candidates
from .page import FILES, HERE, TITLE, build
from .sessions import MOST, Sessions
from .uploads import MAX_BYTES

HOST = '127.0.0.1'
MAX_PORT = 65535
MAX_BODY = MAX_BYTES * 4 // 3 + 2**16  # bytes of a request: base64 is a third longer, and some words are around it
MAX_DIGITS = 12  # of a size; Python refuses to read numbers of thousands
API = '/gradio_api/'
# What the page asks of Gradio's API, beside the heartbeats. Of the rest some write files: upload, deep_link and others.
ASKED = {'queue/join', 'queue/data', 'startup-events', 'info', 'app_id', 'theme.css', 'cancel', 'reset'}
HEARTBEAT = 'heartbeat/'
# By which this machine is called. A page of another host whose name leads here ("DNS rebinding") has that name instead.
OWN_NAMES = {'127.0.0.1', 'localhost', '[::1]'}
TYPES = {'json': 'application/json', 'csv': 'text/csv; charset=utf-8', 'png': 'image/png'}
# Nothing is loaded from or sent to another host; Gradio's own scripts need the rest.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; frame-ancestors 'self'"
)
HEADERS = [
    (b'content-security-policy', POLICY.encode()),
    (b'referrer-policy', b'no-referrer'),
    (b'x-content-type-options', b'nosniff'),
]
FONT = ['ui-sans-serif', 'system-ui', 'sans-serif']  # what the browser has; Gradio's themes name fonts of Google's
FONT_OF_CODE = ['ui-monospace', 'monospace']
GRADIO_OPTIONS: dict[str, Any] = dict(
    quiet=True,
    prevent_thread_lock=True,
    state_session_capacity=MOST,
    footer_links=[],
    # what Gradio would keep or tell
    run_history=False,
    enable_monitoring=False,
    # further servers and forms of the page
    ssr_mode=False,
    mcp_server=False,
    pwa=False,
)
NO_GRADIO = "cid web needs Gradio, which is not installed: pip install 'cid_mmpose[web]'"


def check_gradio() -> None:
    """BadInput if Gradio is missing, or so old or new that it does not work."""
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        if error.name != 'gradio':
            raise BadInput(f"cid web: Gradio cannot be imported ({error}); pip install 'cid_mmpose[web]'") from error
        raise BadInput(NO_GRADIO) from error


class Guard:
    """Around the page's server: requests are bounded and those of the page, which may load nothing from elsewhere.

    Args:
        app: the server, in ASGI's form.
        is_shared: whether it may be called by other names than those of this machine.
    """

    def __init__(self, app: Any, is_shared: bool = False) -> None:
        self.app = app
        self.is_shared = is_shared

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """Answers a request."""
        if scope['type'] != 'http':
            await self.app(scope, receive, send)
            return
        headers = dict(scope['headers'])
        if not self.is_shared and not is_own_name(headers.get(b'host', b'')):
            await _refuse(send, 421, b'this page is for this machine; open it as 127.0.0.1 or localhost')
            return
        if not is_of_the_page(scope['method'], scope['path'], headers.get(b'content-type', b'')):
            await _refuse(send, 404, b'the page does not ask for this; files are not taken here')
            return
        length = headers.get(b'content-length', b'0')
        if not length.isdigit() or len(length) > MAX_DIGITS or int(length) > MAX_BODY:
            await _refuse(send, 413, b'larger than this page takes')
            return
        taken = 0

        async def bounded() -> dict:
            nonlocal taken
            message = await receive()
            taken += len(message.get('body', b''))
            if taken > MAX_BODY:  # sent in pieces, without its length
                return {'type': 'http.disconnect'}
            return message

        async def with_headers(message: dict) -> None:
            if message['type'] == 'http.response.start':
                message = {**message, 'headers': [*message['headers'], *HEADERS]}
            await send(message)

        await self.app(scope, bounded, with_headers)


def is_own_name(host: bytes) -> bool:
    """Whether a request is for this machine.

    Args:
        host: its header of that name, with or without a port.
    """
    name, colon, port = host.decode('latin-1').rpartition(':')
    if not (colon and port.isdigit()):
        name = host.decode('latin-1')
    return name.lower() in OWN_NAMES


def is_of_the_page(method: str, path: str, content_type: bytes) -> bool:
    """Whether the page sends such requests.

    Args:
        method: 'GET', 'POST' or another.
        path: of the request.
        content_type: of what is sent; forms would be written to files, and any web page could send them.
    """
    if method not in ('GET', 'HEAD') and not content_type.lower().startswith(b'application/json'):
        return False
    if not path.startswith(API):
        return method in ('GET', 'HEAD')
    asked = path[len(API) :].rstrip('/')
    return asked in ASKED or asked.startswith(HEARTBEAT)


async def _refuse(send: Any, status: int, text: bytes) -> None:
    headers = [(b'content-type', b'text/plain'), (b'content-length', str(len(text)).encode())]
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': text})


def download(sessions: Sessions, token: str, name: str) -> Any:
    """An answer with a file of the people who are shown, made now and kept nowhere.

    Args:
        sessions: of the open pages.
        token: of one of them.
        name: one of ``page.FILES``.
    """
    from starlette.responses import PlainTextResponse, Response

    session = sessions.with_token(token)
    people = session.shown() if session is not None else None
    if session is None or people is None or name not in FILES:
        return PlainTextResponse('there is nothing under this address any more; give the image again', 404)
    ending = name.rpartition('.')[2]
    headers = {'content-disposition': f'attachment; filename="{name}"', 'cache-control': 'no-store'}
    return Response(content_of(people, ending, session.sliders.min_score), media_type=TYPES[ending], headers=headers)


def content_of(people: People, ending: str, min_score: float) -> bytes:
    """A file with people.

    Args:
        people: with their image.
        ending: 'json', 'csv' or 'png'.
        min_score: that people had to have.
    """
    if ending == 'json':
        return people.to_json().encode()
    if ending == 'csv':
        return people.to_csv().encode()
    drawn = people.draw(min_keypoint_score=least_keypoint_score(min_score))
    return cv2.imencode('.png', drawn)[1].tobytes()


def launch(predictor: Predictor, port: int | None, share: bool) -> Any:
    """Starts the server in threads of its own.

    Args:
        predictor: any; from now on it is the page's.
        port: on this machine; None takes the first free one from 7860.
        share: whether Gradio makes a public link.

    Returns:
        The page, a ``gradio.Blocks`` with ``local_url`` and ``share_url``; ``close`` ends it.

    Raises:
        BadInput: there is no such port, it is taken, or there is no link.
    """
    check_gradio()
    if port is not None and not 0 < port <= MAX_PORT:
        raise BadInput(f'--port: {port} is none; give a number from 1 to {MAX_PORT}')
    import gradio as gr
    from starlette.middleware import Middleware
    from starlette.routing import Route

    sessions = Sessions(keep_candidates(predictor))
    page = build(Actions(predictor), sessions)

    def answer(request: Any) -> Any:
        return download(sessions, request.path_params['token'], request.path_params['name'])

    app = dict(middleware=[Middleware(Guard, is_shared=share)], routes=[Route('/people/{token}/{name}', answer)])
    theme = gr.themes.Default(font=FONT, font_mono=FONT_OF_CODE)
    style = (HERE / 'page.css').read_text(encoding='utf-8')
    _ask_no_proxy()
    try:
        page.launch(
            server_name=HOST, server_port=port, share=share, theme=theme, css=style, app_kwargs=app, **GRADIO_OPTIONS
        )
    except OSError as error:
        raise BadInput(f'--port: {HOST}:{port or "7860-7959"} cannot be used ({error}); name another one') from error
    if share and not page.share_url:
        page.close(verbose=False)
        raise BadInput('--share: Gradio could not make a link (it says above why); leave it out, or see to the network')
    return page


def serve(predictor: Predictor, port: int | None = None, share: bool = False) -> None:
    """Serves the page until a signal comes.

    Args:
        predictor: as for ``launch``.
        port: as for ``launch``.
        share: as for ``launch``.
    """
    page = launch(predictor, port, share)
    print(f'{TITLE}: open {page.local_url} (Ctrl-C ends it)', flush=True)
    if page.share_url:
        print(f'anybody who has this link can use the page: {page.share_url}', flush=True)
    try:
        with run_ends():
            threading.Event().wait()
    finally:
        page.close(verbose=False)


def _ask_no_proxy() -> None:
    """Gradio asks its own server whether it is there; a proxy of the environment must not be asked instead."""
    for name in ('NO_PROXY', 'no_proxy'):
        hosts = [host for host in os.environ.get(name, '').split(',') if host]
        os.environ[name] = ','.join(dict.fromkeys([*hosts, HOST]))
