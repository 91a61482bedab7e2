"""``cid predict``: the people of images and videos into files; an interrupted run goes on where it was stopped."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.files import check_writable, only_run_in, remove_partial
from cid_mmpose.visualization.options import least_keypoint_score

from .drawing import Drawer
from .finder import PeopleFinder
from .input_checks import check_inputs_stay, check_names
from .journal import FOLDER, Entry, Journal, remove_folder
from .origins import Origins
from .outputs import (
    IMAGES,
    JSON,
    VIDEOS,
    Names,
    Videos,
    by_video,
    files_of,
    write_coco,
    write_csv,
    write_image,
    write_json_list,
)
from .people import People
from .screen import check_screen, show, tell
from .sources import VIDEO_ENDINGS, FoundItems, Item, find

CSV = 'people.csv'
COCO = 'people_coco.json'


@dataclass(frozen=True)
class Wanted:
    """What is written of each image and of all.

    Args:
        json: ``json/NAME.json`` of each image, or of all frames of a video.
        images: ``images/NAME`` with the people drawn.
        video: ``videos/NAME.mp4`` with the people drawn.
        csv: ``people.csv``, one row a person.
        coco: ``people_coco.json``, images and people as COCO has them.
        show: a window with the people drawn.
    """

    json: bool = False
    images: bool = False
    video: bool = False
    csv: bool = False
    coco: bool = False
    show: bool = False


EVERYTHING = Wanted(json=True, images=True, video=True)  # where nothing is named


def predict(
    predictor: PeopleFinder,
    inputs: Sequence[Any],
    out: str,
    wanted: Wanted,
    *,
    settings: dict[str, Any] | None = None,
    strict: bool = False,
    skip_existing: bool = False,
) -> int:
    """Finds the people in everything that is given, and writes what is wanted.

    Args:
        predictor: of ``load``.
        inputs: paths, folders, patterns, URLs and numbers of cameras, as ``sources.find`` takes them.
        out: folder of results; it is made.
        wanted: what is written.
        settings: on which results depend, such as the name of the model; an unfinished run with others is not taken up.
        strict: an image that cannot be read stops the run.
        skip_existing: leaves out images whose results are there.

    Returns:
        How many images could not be read.

    Raises:
        BadInput: an input is not there or has no name, the folder cannot be written to, or no image could be read at
            all.
    """
    check_names(inputs)
    check_writable(out, 'folder of results')
    if skip_existing and (wanted.csv or wanted.coco):
        raise BadInput('--skip-existing: what is left out would be missing in --csv and --coco; give one or the other')
    if wanted.show:
        check_screen()
    folder = Path(out)
    origins = Origins(folder)
    of_all = [os.path.realpath(folder / name) for name in (CSV, COCO)]
    found = find(list(inputs), leave_out=origins.files().union(of_all))
    check_inputs_stay(found, folder)
    with writing_to(out), only_run_in(str(folder / FOLDER), doing='writing results'):
        for name in ('.', JSON, IMAGES, VIDEOS):
            remove_partial(folder / name)
        given = [str(each) for each in inputs]
        about = dict(settings or {}, options=asdict(predictor.options), wanted=asdict(wanted), inputs=given)
        run = Run(predictor, origins, wanted, Journal(folder, about), strict, skip_existing)
        run.work_through(found)
        remove_folder(folder / FOLDER)
    if run.num_unreadable and not run.num_images + run.num_skipped:
        raise BadInput(f'no image could be read, {run.num_unreadable} tried')
    return run.num_unreadable


@contextmanager
def writing_to(out: str) -> Iterator[None]:
    """One line for what the system says of a file of results.

    Args:
        out: folder of results.
    """
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or out
        raise RunStopped(
            f'{path}: cannot be written ({error.strerror or error}); see to that, and give the same command again: it '
            'goes on where it was'
        ) from error


class Run:
    """One run over all inputs.

    Args:
        predictor: of ``load``.
        origins: of the files in the folder of results.
        wanted: what is written.
        journal: of this run.
        strict: an image that cannot be read stops the run.
        skip_existing: leaves out images whose results are there.
    """

    def __init__(
        self,
        predictor: PeopleFinder,
        origins: Origins,
        wanted: Wanted,
        journal: Journal,
        strict: bool,
        skip_existing: bool,
    ) -> None:
        self.predictor = predictor
        self.origins = origins
        self.folder = origins.folder
        self.wanted = wanted
        self.journal = journal
        self.strict = strict
        self.skip_existing = skip_existing
        self.draws = wanted.images or wanted.video or wanted.show
        min_score = predictor.options.min_score
        self.drawer = Drawer(min_score=min_score, min_keypoint_score=least_keypoint_score(min_score))
        self.names = Names(origins if skip_existing else None)
        self.done: dict[str | None, bool] = {}  # path of an image or a video -> whether its results are there
        self.videos = Videos()
        self.num_journaled = 0  # images of which the journal told when this run began
        self.num_skipped = 0
        self.num_unreadable = 0
        self.num_images = 0
        self.num_people = 0

    def work_through(self, found: FoundItems) -> None:
        """See ``predict``."""
        if self.journal.is_other:
            tell(f'{self.folder}: the unfinished run there had other settings or inputs; this one starts anew')
        for name in found.passed_over:
            tell(f'passed over: {name}: no image and no video by its ending')
        if found.num_results:
            tell(f'passed over: {found.num_results} files of results in {self.folder}')

        start = time.monotonic()
        results = self.predictor.people_of(
            self._items(found), self._leave_out, keep_files=self.draws, keep_frames=self.draws, endless=found.endless
        )
        with self.videos, tqdm(total=found.total, unit=' images', file=sys.stderr) as bar:
            for people in results:
                self._write(people)
                self._add(Entry(key_of(people), people.to_dict(exact=True)))  # what the journal knows is written
                self.num_images += 1
                self.num_people += len(people)
                bar.set_postfix_str(f'{self.num_people} people', refresh=False)
                bar.update()
                if self.wanted.show and not show(self.drawer.draw(people)):
                    break
        seconds = time.monotonic() - start

        if self.num_images:
            self._write_of_all()
        self.journal.finish()
        if self.num_images + self.num_skipped:
            tell(self._summary(seconds))

    def _items(self, found: FoundItems) -> Iterator[Item]:
        """The items that are to be looked at; those that the journal knows come with their people."""
        entries: Iterator[Entry] = self.journal.entries()
        if found.endless or self.skip_existing:
            self.journal.keep(0)
        for item in found.items:
            self.names.name_of(item.path)
            if self.skip_existing and self._is_done(item.path):
                self.num_skipped += 1
                continue
            entry = next(entries, None)
            if entry is not None and entry.key == key_of(item) and (entry.people is not None or not can_be_read(item)):
                self.num_journaled += 1
                yield self._with_people(item, entry)
                continue
            if entry is not None:  # the inputs have changed
                self.journal.keep(self.num_journaled)
            entries = iter(())  # from here on the journal is written
            yield item

    def _with_people(self, item: Item, entry: Entry) -> Item:
        """The item with the people that the journal knows; its image is loaded only if it will be drawn."""
        if entry.people is None:
            return item  # it could not be read, and says so again
        known = item._replace(known=People.from_dict(entry.people, self.predictor.keypoint_set))
        if self.wanted.show or self._is_drawn_again(item):
            return known
        return known._replace(load=None)

    def _is_drawn_again(self, item: Item) -> bool:
        """Whether an image that the journal knows is drawn once more: a frame is, since its video is written anew."""
        if item.frame is not None:
            return self.wanted.video
        _, image_file, _ = self._files_of(item.path)
        return self.wanted.images and not self.folder.joinpath(image_file).exists()

    def _leave_out(self, item: Item, error: BadInput) -> None:
        """What happens to an image that cannot be read."""
        if self.strict:
            raise error
        self._add(Entry(key_of(item), None, str(error)))
        self.num_unreadable += 1
        tell(f'left out: {error}')

    def _add(self, entry: Entry) -> None:
        """Into the journal, unless it is from there."""
        if self.num_images + self.num_unreadable >= self.num_journaled:
            self.journal.add(entry)

    def _files_of(self, path: str | None) -> tuple[str, str, str]:
        """``files_of`` for an image or a video."""
        return files_of(self.names.name_of(path))

    def _is_done(self, path: str | None) -> bool:
        """Whether all wanted files of an image or a video are there; the answer stays while they are written anew."""
        if path not in self.done:
            json_file, image_file, video_file = self._files_of(path)
            is_video = os.path.splitext(path or '')[1].lower() in VIDEO_ENDINGS
            files = []
            if self.wanted.json:
                files.append(json_file)
            if self.wanted.images and not is_video:
                files.append(image_file)
            if self.wanted.video and is_video:
                files.append(video_file)
            self.done[path] = bool(files) and all(self.origins.is_done(file, path) for file in files)
        return self.done[path]

    def _claimed(self, file: str, path: str | None) -> Path:
        """The path of a file that will be written, of an image or a video."""
        self.origins.claim(file, path)
        return self.folder / file

    def _write(self, people: People) -> None:
        """The files of one image, or one frame of a video."""
        json_file, image_file, video_file = self._files_of(people.path)
        if people.frame is not None:
            if self.wanted.video:
                drawn = self.drawer.draw(people)
                self.videos.add(self._claimed(video_file, people.path), people, drawn)
            return
        if self.wanted.json:
            people.to_json(self._claimed(json_file, people.path))
        if self.wanted.images and people.image is not None:
            write_image(self._claimed(image_file, people.path), self.drawer.draw(people))

    def _write_of_all(self) -> None:
        """The files that hold all images, and those that hold all frames of a video."""
        keypoint_set = self.predictor.keypoint_set
        if self.wanted.csv:
            write_csv(self.folder / CSV, self._results(), keypoint_set)
        if self.wanted.coco:
            write_coco(self.folder / COCO, self._results(), keypoint_set)
        if self.wanted.json:
            for path, of_video in by_video(self._results()):
                json_file, _, _ = self._files_of(path)
                write_json_list(self._claimed(json_file, path), of_video)

    def _results(self) -> Iterator[People]:
        """Of all images, out of the journal."""
        for entry in self.journal.entries():
            if entry.people is not None:
                yield People.from_dict(entry.people, self.predictor.keypoint_set)

    def _summary(self, seconds: float) -> str:
        """The last line: how much, how fast, and where it is."""
        new = self.num_images + self.num_unreadable - self.num_journaled
        images = 'image' if self.num_images == 1 else 'images'
        people = 'person' if self.num_people == 1 else 'people'
        parts = [f'{self.num_images} {images}, {self.num_people} {people}']
        if self.num_images and not self.num_people:
            parts[0] += f' (nobody above {self.predictor.options.min_score:g}; --min-score sets that)'
        if new > 0 and seconds > 0:
            parts.append(f'{new / seconds:.1f} images/s')
        if self.num_unreadable:
            parts.append(f'{self.num_unreadable} left out')
        if self.num_skipped:
            parts.append(f'{self.num_skipped} skipped')
        if self.num_journaled:
            parts.append(f'{self.num_journaled} from the run before')
        return f'{", ".join(parts)}; results: {self.folder}'


def key_of(of: Item | People) -> str:
    """What an image is called in the journal.

    Args:
        of: an item, or its people.
    """
    return f'{of.path}' if of.frame is None else f'{of.path} {of.frame}'


def can_be_read(item: Item) -> bool:
    """Whether an image that could not be read in the run before is whole by now."""
    try:
        if item.load is not None:
            item.load()
    except BadInput:
        return False
    return True
