"""The page: where things stand on it, and which action each event calls."""

import secrets
from pathlib import Path
from typing import Any, NamedTuple

from .actions import Actions, View, attempt
from .candidates import LOWEST_NMS, Sliders
from .html import Line
from .sessions import Session, Sessions
from .uploads import LIMITS, MAX_BYTES

HERE = Path(__file__).parent
TITLE = 'CID: everyone in a crowded image, and why'
FILES = {'people.json': 'JSON', 'people.csv': 'CSV', 'people.png': 'PNG'}  # of ``server.download`` -> label
STEP = 0.01  # of the sliders
LONGEST_PROBLEM = 200  # characters
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


class Parts(NamedTuple):
    """The components of the page, each one of Gradio's."""

    give: Any
    example: Any
    score: Any
    nms: Any
    files: Any
    line: Any
    picture: Any
    people: Any
    maps: Any

    def shown(self) -> list[Any]:
        """What an action changes."""
        return [self.line, self.picture, self.people, self.maps, self.files]


def build(actions: Actions, sessions: Sessions) -> Any:
    """The page, a ``gradio.Blocks``.

    Args:
        actions: what it does.
        sessions: of the open pages.
    """
    import gradio as gr

    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        parts = _lay_out(sessions.start, actions.predictor.options.min_score)
        _listen_to_images(parts, actions, sessions)
        _listen_to_choices(parts, actions, sessions)

        def on_close(request: gr.Request) -> None:
            sessions.forget(request.session_hash)
            page.state_holder.session_data.pop(request.session_hash, None)  # Gradio's own copy of what the page shows

        page.unload(on_close)
    return page


def _lay_out(start: Sliders, lowest: float) -> Parts:
    """Puts the components where they stand; called inside the page.

    Args:
        start: where the sliders stand.
        lowest: score that the slider goes down to.
    """
    import gradio as gr

    gr.HTML(f'<h1>{TITLE}</h1>', elem_id='cid-title')
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_id='cid-left'):
            with gr.Column(min_width=0):
                give = gr.HTML(GIVE, js_on_load=_script('give.js'), elem_id='cid-give', max_bytes=MAX_BYTES)
                example = gr.Button('Draw a crowd (SynthCrowd)', elem_id='cid-example')
            with gr.Column(min_width=0, elem_id='cid-choose'):
                score = gr.Slider(lowest, 1, start.min_score, step=STEP, label=SCORE, elem_id='cid-score')
                lowest_nms = min(LOWEST_NMS, start.nms)
                nms = gr.Slider(lowest_nms, 1, start.nms, step=STEP, label=NMS, elem_id='cid-nms')
                files = gr.HTML(files_html(None), elem_id='cid-files')
        with gr.Column(scale=2, min_width=280, elem_id='cid-right'):
            line = gr.HTML(EMPTY, elem_id='cid-line')
            picture = gr.HTML('', js_on_load=_script('picture.js'), elem_id='cid-picture')
            people = gr.Radio([], label='Person: score', visible=False, elem_id='cid-person')
    maps = gr.HTML('', elem_id='cid-maps')
    return Parts(give, example, score, nms, files, line, picture, people, maps)


def _listen_to_images(parts: Parts, actions: Actions, sessions: Sessions) -> None:
    """What happens when an image is given or drawn."""
    import gradio as gr

    def on_give(request: gr.Request, event: gr.EventData) -> list[Any]:
        session = sessions.of(request.session_hash)
        return _changes(attempt(actions.give, session, sent(event)), session)

    def on_example(request: gr.Request) -> list[Any]:
        session = sessions.of(request.session_hash)
        return _changes(attempt(actions.draw_example, session, secrets.randbelow(10**6)), session)

    def on_problem(request: gr.Request, event: gr.EventData) -> list[Any]:
        view = View(Line(str(sent(event).get('text'))[:LONGEST_PROBLEM], is_error=True))
        return _changes(view, sessions.of(request.session_hash))

    common = dict(outputs=parts.shown(), api_visibility='private', show_progress_on=parts.picture)
    parts.give.upload(on_give, **common)
    parts.give.problem(on_problem, **common)
    parts.example.click(on_example, **common)


def _listen_to_choices(parts: Parts, actions: Actions, sessions: Sessions) -> None:
    """What happens when a slider moves or a person is chosen."""
    import gradio as gr

    def on_slide(min_score: float, nms: float, request: gr.Request) -> list[Any]:
        session = sessions.of(request.session_hash)
        return _changes(attempt(actions.slide, session, min_score, nms), session)

    def on_point(request: gr.Request, event: gr.EventData) -> list[Any]:
        session = sessions.of(request.session_hash)
        place = sent(event).get('x'), sent(event).get('y')
        return _changes(attempt(actions.point, session, *place), session)

    def on_choose(person: int, request: gr.Request) -> list[Any]:
        session = sessions.of(request.session_hash)
        return _changes(attempt(actions.choose, session, person), session)

    common = dict(outputs=parts.shown(), api_visibility='private')
    sliders = [parts.score, parts.nms]
    for slider in sliders:
        slider.input(on_slide, sliders, trigger_mode='always_last', show_progress='hidden', **common)
    parts.picture.select(on_point, show_progress_on=parts.picture, **common)
    parts.people.input(on_choose, parts.people, show_progress_on=parts.picture, **common)


def sent(event: Any) -> dict[str, Any]:
    """What an event of the page brings; nothing where somebody else has sent something else.

    Args:
        event: Gradio's ``EventData``.
    """
    return event._data if isinstance(event._data, dict) else {}


def _changes(view: View, session: Session) -> list[Any]:
    """What becomes of ``Parts.shown`` after an action."""
    import gradio as gr

    same = gr.skip()
    people = same
    if view.people is not None:
        people = gr.Radio(choices=view.people, value=view.chosen, visible=bool(view.people))
    return [
        view.line.html() if view.line.text else same,
        same if view.picture is None else view.picture,
        people,
        same if view.maps is None else view.maps,
        same if session.candidates is None else files_html(session.token),
    ]


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
