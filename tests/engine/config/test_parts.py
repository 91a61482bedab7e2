"""The options that a class takes, and one that it does not."""

import pytest

from cid_mmpose.engine.config.parts import check_options, parameters_of
from cid_mmpose.errors import BadInput


class Parent:
    def __init__(self, size: int, kind='round', rate=0.5) -> None:
        pass


class Child(Parent):
    def __init__(self, colour: str | None = None, **kwargs) -> None:
        super().__init__(**kwargs)


class Taker:
    def __init__(self, **kwargs) -> None:
        pass


def test_options_are_those_of_the_class_and_of_its_parents_as_far_as_they_are_handed_on():
    assert list(parameters_of(Child).names) == ['colour', 'size', 'kind', 'rate']
    assert parameters_of(Parent).names.keys() == {'size', 'kind', 'rate'}
    check_options(dict(size=3, rate=1, colour=None), Child, 'x', 'Child')
    check_options(dict(anything=1), Taker, 'x', 'Taker')


@pytest.mark.parametrize(
    'options, says',
    [
        (dict(siz=3), "x: Child: unknown option 'siz'; did you mean 'size'?"),
        (dict(size='3'), "x.size must be a whole number, got '3'"),
        (dict(size=3, colour=5), 'x.colour must be a text or None'),
        (dict(size=3, rate='fast'), "x.rate must be a number, got 'fast'"),
    ],
)
def test_an_option_is_held_against_annotation_and_default(options, says):
    with pytest.raises(BadInput) as caught:
        check_options(options, Child, 'x', 'Child')
    assert str(caught.value).startswith(says)
