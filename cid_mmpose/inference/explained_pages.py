"""The pages of an explanation: a sheet of everyone, and for each person the stages one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cid_mmpose.visualization.crops import Crop, Region, around, crop_of
from cid_mmpose.visualization.options import least_keypoint_score
from cid_mmpose.visualization.pages import Chart, Panel, page, slot_width, trimmed
from cid_mmpose.visualization.panels import (
    all_heatmaps_panel,
    center_panel,
    features_panel,
    heatmap_panels,
    limits_of,
    mask_panel,
    people_picture,
    similarity_panel,
    weights_panel,
)

if TYPE_CHECKING:
    from .explained import Explained
    from .people import People

STAGES = 6  # panels of a person
HEATMAP_COLUMNS = 6
ROW_HEIGHT = 440  # px, of pictures in rows
SINGLE_HEIGHT = 900  # px, of a picture on a page of its own
LETTERS = 'AB'  # of two models


@dataclass(frozen=True)
class Side:
    """One of the models on a page."""

    letter: str  # in front of its titles; '' if it is the only one
    seen: Explained
    person: int = -1  # whose stages are shown, its number here

    def titled(self, panel: Panel | Chart | None) -> Panel | Chart | None:
        """The panel with the letter in front of its title."""
        if panel is None or not self.letter:
            return panel
        return panel._replace(title=f'{self.letter}: {panel.title}')


def found(seen: Explained) -> str:
    """How many people a model finds, and if none, how far it is from finding one."""
    count = len(seen.people)
    if count:
        return f'{count} {"person" if count == 1 else "people"} above {seen.min_score:g}'
    return f'nobody above {seen.min_score:g}, the center map reaches {seen.maps.crowd[-1].max():.2f}'


def pages_of(models: Sequence[Explained], persons: Sequence[int]) -> Iterator[tuple[str, np.ndarray]]:
    """Name of a file below the folder, and its page.

    Args:
        models: one or two, of the same image.
        persons: numbers of people of the first one.
    """
    sides = [Side('', models[0])]
    if len(models) > 1:
        sides = [Side(letter, seen) for letter, seen in zip(LETTERS, models)]
    everyone = [matched(sides, person) for person in persons]
    heading = heading_of(sides)

    rows = [_overview(sides)]
    for of_person in everyone:
        region = region_of(of_person)
        for side in of_person:
            panels = stages(side, STAGES, region).values()
            rows.append(list(map(side.titled, panels)))
    yield 'sheet.png', page(rows, heading)

    columns = len(sides)
    centers = [side.titled(_center(side.seen, columns, SINGLE_HEIGHT)) for side in sides]
    yield 'center_map.png', trimmed(page([centers], heading))
    people = [side.titled(_people(side.seen, columns, SINGLE_HEIGHT)) for side in sides]
    yield 'people.png', trimmed(page([people], heading))
    for of_person in everyone:
        yield from person_pages(of_person, heading)


def matched(sides: Sequence[Side], person: int) -> list[Side]:
    """The sides with a person of the first model, and with whom the other has nearest to that center.

    Args:
        sides: of ``pages_of``.
        person: number in the first one.

    Returns:
        The first side, and the other unless it has nobody.
    """
    x, y = sides[0].seen.people.centers[person]
    found_sides = [replace(sides[0], person=person)]
    for side in sides[1:]:
        nearest = side.seen.nearest(x, y)
        if nearest is not None:
            found_sides.append(replace(side, person=nearest))
    return found_sides


def region_of(sides: Sequence[Side]) -> Region:
    """The part of the image that shows the person of the first model, by the center and the keypoints that are drawn.

    Args:
        sides: of ``matched``.
    """
    person = sides[0].seen.people[sides[0].person]
    is_drawn = person.keypoint_scores[0] >= least_keypoint_score(sides[0].seen.min_score)
    places = np.concatenate([person.keypoints[0, is_drawn], person.centers])
    return around(np.concatenate([places.min(0), places.max(0)]), person.image_size)


def person_pages(sides: Sequence[Side], heading: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Name of a file and its page, for one person.

    Args:
        sides: of ``matched``.
        heading: lines.
    """
    region = region_of(sides)
    stem = f'person_{sides[0].person}'
    columns = 3 if len(sides) == 1 else 4
    panels = []  # stage by stage, those of two models beside each other
    for of_stage in stages_of_models(sides, columns, region, ROW_HEIGHT).values():
        panels += of_stage
    heatmaps = _heatmaps(sides, region)
    yield f'{stem}.png', page(_rows(panels, columns) + heatmaps, heading)

    for name, row in stages_of_models(sides, len(sides), region, SINGLE_HEIGHT).items():
        if any(panel is not None for panel in row):
            yield f'{stem}/{name}.png', trimmed(page([row], heading))
    yield f'{stem}/heatmaps_of_keypoints.png', trimmed(page(heatmaps, heading))


def stages_of_models(sides: Sequence[Side], columns: int, region: Region, height: int) -> dict[str, list]:
    """Name of a file -> a panel of each model, titled; None where a model has no such stage.

    Args:
        sides: of ``matched``.
        columns: of the row that they will stand in.
        region: that is shown.
        height: of the pictures at most, px.
    """
    of_models: dict[str, list] = {}
    for side in sides:
        for name, panel in stages(side, columns, region, height).items():
            of_models.setdefault(name, []).append(side.titled(panel))
    return of_models


def stages(side: Side, columns: int, region: Region, height: int = ROW_HEIGHT) -> dict[str, Panel | Chart | None]:
    """Name of a file -> panel, from the person to the heatmaps; None where a model has no such stage.

    Args:
        side: with a person.
        columns: of the row that they will stand in.
        region: that is shown.
        height: of the pictures at most, px.
    """
    names = ('skeleton', 'similarity', 'mask', 'channel_weights', 'feature_map', 'heatmaps')
    seen, person = side.seen, side.person
    maps = seen.maps
    crop = crop_of(seen.image, seen.grid, region, (slot_width(columns), height))
    size = crop.image.shape[1], crop.image.shape[0]
    limits = limits_of(maps, seen.grid, seen.people.image_size)
    panels = (
        _skeleton(seen, person, crop),
        similarity_panel(maps, person, crop, limits),
        mask_panel(maps, person, crop),
        weights_panel(maps, person, size, limits),
        features_panel(maps, person, crop, limits),
        all_heatmaps_panel(maps, person, crop),
    )
    return dict(zip(names, panels))


def _heatmaps(sides: Sequence[Side], region: Region) -> list[list]:
    """Rows of the heatmaps of each keypoint; those of two models stand beside each other."""
    of_sides = []
    for side in sides:
        people = side.seen.people
        crop = crop_of(side.seen.image, side.seen.grid, region, (slot_width(HEATMAP_COLUMNS), ROW_HEIGHT))
        panels = heatmap_panels(side.seen.maps, side.person, crop, people.keypoints[side.person], people.names)
        of_sides.append([side.titled(panel) for panel in panels])
    return _rows(list(chain(*zip(*of_sides))), HEATMAP_COLUMNS)


def _rows(panels: list, columns: int) -> list[list]:
    """Panels in rows, the last one filled up with None."""
    rows = []
    for start in range(0, len(panels), columns):
        row = panels[start : start + columns]
        rows.append(row + [None] * (columns - len(row)))
    return rows


def _overview(sides: Sequence[Side]) -> list:
    """Center map and people of each model."""
    columns = 2 * len(sides)
    panels = []
    for side in sides:
        panels.append(side.titled(_center(side.seen, columns, ROW_HEIGHT)))
        panels.append(side.titled(_people(side.seen, columns, ROW_HEIGHT)))
    return panels


def _whole(seen: Explained, columns: int, height: int) -> Crop:
    """The whole image as a panel in a row of so many columns."""
    width_and_height = seen.people.image_size
    return crop_of(seen.image, seen.grid, Region(0, 0, *width_and_height), (slot_width(columns), height))


def _center(seen: Explained, columns: int, height: int) -> Panel:
    return center_panel(seen.maps, seen.nobodies, _whole(seen, columns, height))


def _people(seen: Explained, columns: int, height: int) -> Panel:
    people = seen.people
    picture = _people_on(_whole(seen, columns, height), people, seen.min_score)
    title = 'people, numbered best first' if len(people) else f'nobody above {seen.min_score:g}'
    return Panel(title, picture)


def _skeleton(seen: Explained, person: int, crop: Crop) -> Panel:
    people = seen.people[person]
    picture = _people_on(crop, people, seen.min_score)
    return Panel(f'person {person}, score {people.scores[0]:.2f}', picture)


def _people_on(crop: Crop, people: People, min_score: float) -> np.ndarray:
    """People on a crop, with the keypoints that are drawn of those who have at least ``min_score``."""
    least = least_keypoint_score(min_score)
    return people_picture(crop, people.keypoints, people.keypoint_scores, people.keypoint_set, least)


def heading_of(sides: Sequence[Side]) -> list[str]:
    """What a page shows, and which model is which.

    Args:
        sides: of ``pages_of``.
    """
    image = _short(sides[0].seen.people.path or 'an array')
    if len(sides) == 1:
        return [f'{image}: {found(sides[0].seen)}', _short(sides[0].seen.weights)]
    return [image, *(f'{side.letter}: {_short(side.seen.weights)}, {found(side.seen)}' for side in sides)]


def _short(path: str) -> str:
    """The last two parts of a path."""
    return '/'.join(Path(path).parts[-2:])
