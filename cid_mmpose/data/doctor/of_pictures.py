"""Checks of the pictures' files against the annotations. Each takes a case; without a look there is nothing to find."""
from typing import Dict

from cid_mmpose.data.problems import problem_of_sides

from .case import Case, Found
from .pictures import Look


def _looks(case: Case) -> Dict[str, Look]:
    return case.looks or {}


def picture_missing(case: Case) -> Found:
    """Pictures without a file."""
    looks = _looks(case)
    return case.pictures_where([p for p in case.pictures if p['file_name'] in looks
                                and not looks[p['file_name']].present])


def picture_unreadable(case: Case) -> Found:
    """Pictures whose file was decoded and is no complete picture."""
    looks = _looks(case)
    wrong = [p for p in case.pictures if p['file_name'] in looks and looks[p['file_name']].problem]
    return case.pictures_where(wrong, lambda picture: looks[picture['file_name']].problem)


def picture_size(case: Case) -> Found:
    """Pictures whose file has other sides than the annotation says, if it says any."""
    def shape(picture: dict) -> tuple:
        look = _looks(case).get(picture['file_name'])
        return look.shape if look and look.shape else (picture['height'], picture['width'])

    sound = [picture for picture in case.pictures if not problem_of_sides(picture)]
    wrong = [picture for picture in sound if shape(picture) != (picture['height'], picture['width'])]
    return case.pictures_where(
        wrong, lambda p: f'{shape(p)[1]} x {shape(p)[0]}, annotated as {p["width"]} x {p["height"]}')


def same_picture_twice(case: Case) -> Found:
    """Pictures with the content of another one of the same data set."""
    return case.pictures_where([p for p in case.pictures if p['file_name'] in case.twice],
                               lambda p: f'as {case.twice[p["file_name"]]}')


def leak(case: Case) -> Found:
    """Pictures with the content of one in data that must be kept apart."""
    return case.pictures_where([p for p in case.pictures if p['file_name'] in case.elsewhere],
                               lambda p: f'as {case.elsewhere[p["file_name"]]}')
