"""What the page does, without the page: each action changes a session and gives what is to be seen of it."""

import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.data.synth.scene import render_scene
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.explained import explain_people
from cid_mmpose.inference.people import People
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.visualization.options import least_keypoint_score

from .candidates import Sliders, find_candidates
from .html import Line, maps_html, person_label, picture_html
from .sessions import Session
from .uploads import image_of_upload

EXAMPLE_SIZE = 640, 480  # px
EXAMPLE_PEOPLE = 3, 6  # fewest and most
EXAMPLE_HEIGHT = 0.4, 0.9  # of the people, in image heights
EXAMPLE_OVERLAP = 0.5
EXAMPLE_TURN = 120.0  # degrees
FARTHEST = 2.0**31  # px of a click; beyond it a whole number may be none that numpy has
NO_IMAGE = 'there is no image (a page is forgotten when others are opened after it, or the server anew); give one'
HINT = 'click a person to see why their keypoints are where they are'


class View(NamedTuple):
    """What a page shows; None leaves a part as it is."""

    line: Line
    picture: str | None = None  # HTML
    people: list[tuple[str, int]] | None = None  # label and number of each, to choose from
    chosen: int | None = None  # number of the one whose maps are shown, among the people
    maps: str | None = None  # HTML


class Actions:
    """What can be done on a page.

    Args:
        predictor: after ``candidates.keep_candidates``.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self._network = threading.Lock()  # one image at a time

    def give(self, session: Session, upload: dict[str, Any]) -> View:
        """Finds the people of an image that the page sends.

        Args:
            session: of the page.
            upload: as ``uploads.image_of_upload`` takes it.
        """
        name, image = image_of_upload(upload)
        return self._find(session, image, name)

    def draw_example(self, session: Session, seed: int) -> View:
        """Finds the people of an image of SynthCrowd, which is drawn now.

        Args:
            session: of the page.
            seed: of the image.
        """
        scene = render_scene(
            np.random.default_rng(seed),
            *EXAMPLE_SIZE,
            EXAMPLE_PEOPLE,
            EXAMPLE_HEIGHT,
            EXAMPLE_OVERLAP,
            EXAMPLE_TURN,
        )
        return self._find(session, scene.image, f'synth_crowd_{seed}.png')

    def _find(self, session: Session, image: np.ndarray, name: str) -> View:
        start = time.perf_counter()
        with self._network:
            candidates = find_candidates(self.predictor, image, name)
        seconds = time.perf_counter() - start
        with session.lock:
            session.take(candidates)
            people = session.shown()
            assert people is not None  # an image was just taken
            line = Line(f'{summary(people, session.sliders)}; found in {seconds:.1f} s. {hint(people)}')
            return _everything(session, people, line)._replace(maps='')

    def slide(self, session: Session, min_score: Any, nms: Any) -> View:
        """Chooses among the candidates anew; the network is not asked.

        Args:
            session: of the page.
            min_score: where the slider stands.
            nms: where the other one stands.

        Raises:
            BadInput: a value is none of its slider's.
        """
        sliders = Sliders(min_score, nms).checked()
        with session.lock:
            session.sliders = sliders
            people = session.shown()
            if people is None:
                return View(Line(''))
            gone = session.chosen is not None and session.chosen not in session.numbers()
            if gone:
                session.chosen = None
            view = _everything(session, people, Line(f'{summary(people, sliders)}. {hint(people)}'))
            return view._replace(maps='') if gone else view

    def point(self, session: Session, x: Any, y: Any) -> View:
        """Shows the maps of the person at a place.

        Args:
            session: of the page.
            x: px of the image.
            y: px of the image.

        Raises:
            BadInput: there is no image, or nobody in it.
        """
        people = _some_people(session)
        if not all(isinstance(value, (int, float)) and abs(value) <= FARTHEST for value in (x, y)):
            raise BadInput(f'a place in the image is two numbers, got {x!r:.20} and {y!r:.20}')
        return self.choose(session, person_at(people, x, y, session.sliders.min_score))

    def choose(self, session: Session, person: Any) -> View:
        """Shows the maps of a person.

        Args:
            session: of the page.
            person: number among those who are shown.

        Raises:
            BadInput: there is no image, or no such person.
        """
        people = _some_people(session)
        if type(person) is not int or not 0 <= person < len(people):
            raise BadInput(f'person {person!r:.20}: there are {len(people)}, the first is number 0')
        with session.lock:
            numbers, candidates, sliders = tuple(session.numbers()), session.candidates, session.sliders
            explained = session.explained if session.explained_numbers == numbers else None
        if explained is None:
            with self._network:
                explained = explain_people(self.predictor, people, sliders.min_score)

        with session.lock:
            if session.candidates is not candidates:  # another image came meanwhile
                return View(Line(''))
            session.explained, session.explained_numbers = explained, numbers
            session.chosen = numbers[person]
            shown = session.shown()
            assert shown is not None  # the image is the same
            score = people.scores[person]
            line = Line(f'{summary(shown, session.sliders)}. Below: what CID sees of person {person} ({score:.2f})')
            return _everything(session, shown, line)._replace(maps=maps_html(explained, person))


def attempt(action: Callable[..., View], *arguments: Any) -> View:
    """What an action gives, or the line that says what is wrong; what nobody foresaw goes to the terminal.

    Args:
        action: a method of ``Actions``.
        *arguments: for it.
    """
    try:
        return action(*arguments)
    except BadInput as error:
        return View(Line(str(error), is_error=True))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return View(Line(f'this did not work ({type(error).__name__}); the terminal of cid web says more', True))


def person_at(people: People, x: float, y: float, min_score: float) -> int:
    """The number of the person of whom a center or a keypoint that is drawn is nearest to a place.

    Args:
        people: at least one.
        x: px of the image.
        y: px of the image.
        min_score: that people had to have.
    """
    places = np.concatenate([people.centers[:, None], people.keypoints], 1)  # (N, 1 + K, 2)
    distances = np.hypot(*(places - (x, y)).transpose(2, 0, 1))
    hidden = people.keypoint_scores < least_keypoint_score(min_score)
    distances[:, 1:][hidden] = np.inf
    return int(distances.min(1).argmin())


def summary(people: People, sliders: Sliders) -> str:
    """Who is shown, and of what.

    Args:
        people: who are shown.
        sliders: that chose them.
    """
    count = len(people)
    who = 'nobody' if not count else '1 person' if count == 1 else f'{count} people'
    width, height = people.image_size
    return f'{who} above {sliders.min_score:.2f} in {people.path}, {width} x {height} px'


def hint(people: People) -> str:
    """What a user may do next."""
    return HINT[0].upper() + HINT[1:] if len(people) else 'Lower the score to see who comes next'


def _some_people(session: Session) -> People:
    people = session.shown()
    if people is None:
        raise BadInput(NO_IMAGE)
    if not len(people):
        raise BadInput(f'{summary(people, session.sliders)}; lower the score')
    return people


def _everything(session: Session, people: People, line: Line) -> View:
    """The picture and the list of people; the maps stay."""
    numbers = session.numbers()
    chosen = numbers.index(session.chosen) if session.chosen in numbers else None
    labels = [(person_label(people, number), number) for number in range(len(people))]
    return View(line, picture_html(people, chosen, session.sliders.min_score), labels, chosen)
