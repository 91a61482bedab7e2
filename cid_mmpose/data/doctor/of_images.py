"""Checks of the images' files against the annotations. Each takes a case; without a look there is nothing to find."""

from cid_mmpose.data.problems import problem_of_sides

from .case import Case, Found
from .images import Look


def _looks(case: Case) -> dict[str, Look]:
    return case.looks or {}


def image_missing(case: Case) -> Found:
    """Images without a file."""
    looks = _looks(case)
    return case.images_where([p for p in case.images if p['file_name'] in looks and not looks[p['file_name']].present])


def image_unreadable(case: Case) -> Found:
    """Images whose file was decoded and is no complete image."""
    looks = _looks(case)
    wrong = [p for p in case.images if p['file_name'] in looks and looks[p['file_name']].problem]
    return case.images_where(wrong, lambda image: looks[image['file_name']].problem)


def image_size(case: Case) -> Found:
    """Images whose file has other sides than the annotation says, if it says any."""

    def shape(image: dict) -> tuple:
        look = _looks(case).get(image['file_name'])
        return look.shape if look and look.shape else (image['height'], image['width'])

    sound = [image for image in case.images if not problem_of_sides(image)]
    wrong = [image for image in sound if shape(image) != (image['height'], image['width'])]
    return case.images_where(
        wrong, lambda p: f'{shape(p)[1]} x {shape(p)[0]}, annotated as {p["width"]} x {p["height"]}'
    )


def same_image_twice(case: Case) -> Found:
    """Images with the content of another one of the same data set."""
    return case.images_where(
        [p for p in case.images if p['file_name'] in case.twice], lambda p: f'as {case.twice[p["file_name"]]}'
    )


def leak(case: Case) -> Found:
    """Images with the content of one in data that must be kept apart."""
    return case.images_where(
        [p for p in case.images if p['file_name'] in case.elsewhere], lambda p: f'as {case.elsewhere[p["file_name"]]}'
    )
