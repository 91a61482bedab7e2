"""Checks of the images' files against the annotations. Each takes a case; without a look there is nothing to find."""

from cid_mmpose.data.problems import problem_of_sides

from .case import Case, FoundEntries
from .images import Look


def _look_of(case: Case, image: dict) -> Look | None:
    """What the file of an image holds; None if nobody looked."""
    looks = case.looks or {}
    return looks.get(image['file_name'])


def image_missing(case: Case) -> FoundEntries:
    """Images without a file."""

    def is_missing(image: dict) -> bool:
        look = _look_of(case, image)
        return look is not None and not look.present

    return case.images_where([image for image in case.images if is_missing(image)])


def image_unreadable(case: Case) -> FoundEntries:
    """Images whose file was decoded and is no complete image."""

    def problem(image: dict) -> str:
        look = _look_of(case, image)
        return look.problem if look else ''

    wrong = [image for image in case.images if problem(image)]
    return case.images_where(wrong, problem)


def image_size(case: Case) -> FoundEntries:
    """Images whose file has other sides than the annotation says, if it says any."""

    def differs(image: dict) -> bool:
        look = _look_of(case, image)
        if look is None or look.shape is None or problem_of_sides(image):
            return False
        return look.shape != (image['height'], image['width'])

    def detail(image: dict) -> str:
        height, width = _look_of(case, image).shape
        return f'{width} x {height}, annotated as {image["width"]} x {image["height"]}'

    wrong = [image for image in case.images if differs(image)]
    return case.images_where(wrong, detail)


def same_image_twice(case: Case) -> FoundEntries:
    """Images with the content of another one of the same data set."""
    return _copies(case, case.twice)


def leak(case: Case) -> FoundEntries:
    """Images with the content of one in data that must be kept apart."""
    return _copies(case, case.elsewhere)


def _copies(case: Case, other: dict[str, str]) -> FoundEntries:
    """Images whose file name is among the keys of ``other``, which gives the image of the same content."""

    def detail(image: dict) -> str:
        return f'as {other[image["file_name"]]}'

    copies = [image for image in case.images if image['file_name'] in other]
    return case.images_where(copies, detail)
