"""The page: where things stand on it, and which action each event calls."""

import secrets
from pathlib import Path
from typing import Any

from .actions import Actions, View, attempt
from .candidates import LOWEST_NMS
from .html import Line
from .sessions import Session, Sessions
from .uploads import LIMITS, MAX_BYTES

HERE = Path(__file__).parent
TITLE = 'CID: everyone in a crowded image, and why'
FILES = {'people.json': 'JSON', 'people.csv': 'CSV', 'people.png': 'PNG'}  # of ``server.download`` -> label
STEP = 0.01  # of the sliders
GIVE = f"""<div class="cid-give">
<p>Drop or paste an image anywhere on this page</p>
<button type="button" data-do="choose">Choose a file</button>
<button type="button" data-do="camera">Camera</button>
<input type="file" accept="image/*" aria-label="image" hidden>
<div class="cid-camera" hidden><video autoplay playsinline muted></video>
<button type="button" data-do="take">Take the image</button>
<button type="button" data-do="close">Close</button></div>
<p class="cid-limits">{LIMITS}.</p>
</div>"""
SCORE = 'People with a score of at least'
NMS = 'NMS: two people are one above an OKS of'
EMPTY = Line('Give an image, or have a crowd drawn').html()


def build(actions: Actions, sessions: Sessions) -> Any:
    """The page, a ``gradio.Blocks``.

    Args:
        actions: what it does.
        sessions: of the open pages.
    """
    import gradio as gr

    start = sessions.start
    lowest = actions.predictor.options.min_score
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.HTML(f'<h1>{TITLE}</h1>')
        with gr.Row():
            with gr.Column(scale=1, min_width=280, elem_id='cid-left'):
                with gr.Column(min_width=0):
                    give = gr.HTML(GIVE, js_on_load=_script('give.js'), elem_id='cid-give', max_bytes=MAX_BYTES)
                    example = gr.Button('Draw a crowd (SynthCrowd)', elem_id='cid-example')
                with gr.Column(min_width=0, elem_id='cid-choose'):
                    score = gr.Slider(lowest, 1, start.min_score, step=STEP, label=SCORE, elem_id='cid-score')
                    nms = gr.Slider(LOWEST_NMS, 1, start.nms, step=STEP, label=NMS, elem_id='cid-nms')
                    files = gr.HTML(files_html(None), elem_id='cid-files')
            with gr.Column(scale=2, min_width=280, elem_id='cid-right'):
                line = gr.HTML(EMPTY, elem_id='cid-line')
                picture = gr.HTML('', js_on_load=_script('picture.js'), elem_id='cid-picture')
                people = gr.Radio([], label='Person: score', visible=False, elem_id='cid-person')
        maps = gr.HTML('', elem_id='cid-maps')
        shown = [line, picture, people, maps, files]

        def updates(view: View, session: Session) -> list[Any]:
            """What changes on the page, in the order of ``shown``."""
            same = gr.skip()
            changed: list[Any] = [view.line.html() if view.line.text else same]
            changed.append(same if view.picture is None else view.picture)
            changed.append(
                same
                if view.people is None
                else gr.Radio(choices=view.people, value=view.chosen, visible=bool(view.people))
            )
            changed.append(same if view.maps is None else view.maps)
            changed.append(same if session.candidates is None else files_html(session.token))
            return changed

        def on_give(request: gr.Request, event: gr.EventData) -> list[Any]:
            session = sessions.of(request.session_hash)
            return updates(attempt(actions.give, session, event._data), session)

        def on_problem(request: gr.Request, event: gr.EventData) -> list[Any]:
            view = View(Line(str(event._data.get('text'))[:200], is_error=True))
            return updates(view, sessions.of(request.session_hash))

        def on_example(request: gr.Request) -> list[Any]:
            session = sessions.of(request.session_hash)
            return updates(attempt(actions.draw_example, session, secrets.randbelow(10**6)), session)

        def on_slide(min_score: float, overlap: float, request: gr.Request) -> list[Any]:
            session = sessions.of(request.session_hash)
            return updates(attempt(actions.slide, session, min_score, overlap), session)

        def on_point(request: gr.Request, event: gr.EventData) -> list[Any]:
            session = sessions.of(request.session_hash)
            return updates(attempt(actions.point, session, event._data.get('x'), event._data.get('y')), session)

        def on_choose(person: int, request: gr.Request) -> list[Any]:
            session = sessions.of(request.session_hash)
            return updates(attempt(actions.choose, session, person), session)

        def on_close(request: gr.Request) -> None:
            sessions.forget(request.session_hash)

        hidden = dict(outputs=shown, api_visibility='private', show_progress='hidden')
        busy = dict(outputs=shown, api_visibility='private', show_progress_on=picture)
        give.upload(on_give, **busy)
        give.problem(on_problem, **hidden)
        example.click(on_example, **busy)
        for slider in (score, nms):
            slider.input(on_slide, [score, nms], trigger_mode='always_last', **hidden)
        picture.select(on_point, **busy)
        people.input(on_choose, people, **busy)
        page.unload(on_close)
    return page


def files_html(token: str | None) -> str:
    """Links to the files of a page; a click on one does not leave the page.

    Args:
        token: of its session; None before there is anything to load.
    """
    links = []
    for name, label in FILES.items():
        where = 'aria-disabled="true"' if token is None else f'href="people/{token}/{name}" download="{name}"'
        links.append(f'<a class="cid-file" role="button" {where}>{label}</a>')
    return f'<div class="cid-files">{"".join(links)}</div>'


def _script(name: str) -> str:
    return (HERE / name).read_text(encoding='utf-8')
