"""docs/figures.md: each figure has its command, and the lines that a command prints come into it as they are."""

import datetime
import re

import pytest
from figures import CHECKS, PAGE, figures_in, largest_differences, put, section

from cid_mmpose.errors import BadInput

DAY = datetime.date(2026, 11, 5)


def test_every_section_of_the_page_is_that_of_a_command_and_has_its_day():
    sections = re.findall(r'<!-- figures: (\w+) -->\n(.*?)<!-- end -->', PAGE.read_text(encoding='utf-8'), re.S)
    assert sorted(name for name, _ in sections) == sorted(CHECKS)
    for name, text in sections:
        command, about = text.split('\n')[:2]
        assert command.startswith(f'`{CHECKS[name].command}`')
        assert re.match(r'on \d+ cores of .+, \d+ \w+ \d{4}:$', about) or 'has not been run' in command


def test_figures_stand_on_the_page_only_where_a_command_has_written_them():
    page = PAGE.read_text(encoding='utf-8')
    outside = re.sub(r'<!-- figures: .*?<!-- end -->', '', page, flags=re.S)
    assert re.findall(r'AP \d|\d passed|\d images/s', page)
    assert re.findall(r'AP \d|\d passed|\d images/s', outside) == []


@pytest.mark.parametrize(
    'name, output, expected',
    [
        (
            'demo',
            'iter 25\nTrained 1000 iterations and evaluated in 4.6 min; AP 86.2 on 200 held-out images of the same '
            'kind, 256 x 256 px. Open:\n  people.png\n',
            'Trained 1000 iterations and evaluated in 4.6 min; AP 86.2 on 200 held-out images of the same kind, '
            '256 x 256 px. Open:',
        ),
        ('test', '....\n3281 passed in 179.12s (0:02:59)\n', '3281 passed in 179.12s (0:02:59)'),
        ('synth', '105 images/s on one core, 512x512, 3.2 people an image\n', None),
        ('overfit', 'loss 3\n\nhead             AP   minutes\ncid_mmpose     97.1      20.4\n', None),
    ],
)
def test_the_lines_with_figures_are_found_in_an_output(name, output, expected):
    every_line = [line for line in output.splitlines() if line and line != 'loss 3']
    assert figures_in(output, CHECKS[name]) == ([expected] if expected else every_line)


def test_an_output_without_figures_is_refused_with_its_command():
    with pytest.raises(BadInput, match='make demo: no line with figures'):
        figures_in('stopped by SIGINT\n', CHECKS['demo'])


def test_of_each_quantity_the_largest_difference_of_all_cases_is_kept():
    lines = [
        '=== recipe mmpose against MMPose ===',
        'target maps, crowd 0      1e-07    1e-05',
        'target maps, crowd 1      3e-07    1e-05',
        'scores with flip, features 0      0    0.0001',
        'gradient of gfd.fuse.bias, relative, crowd 0      2e-06    0.0001',
        'gradient of iia.conv.bias, relative, crowd 1      1e-06    0.0001',
        '=== recipe reference against the authors ===',
        'target maps, crowd 0      5e-08    1e-06',
    ]
    found = [re.split(r' {2,}', line.strip()) for line in largest_differences(lines)]
    assert found == [
        ['recipe mmpose against MMPose:'],
        ['target maps', '3e-07', '1e-05'],
        ['scores with flip', '0', '0.0001'],
        ['gradient of a weight, relative', '2e-06', '0.0001'],
        ['recipe reference against the authors:'],
        ['target maps', '5e-08', '1e-06'],
    ]


def test_a_section_replaces_the_one_that_was_there_and_no_other():
    page = 'a\n<!-- figures: synth -->\nold\n<!-- end -->\n<!-- figures: test -->\nkept\n<!-- end -->\n'
    text = section(CHECKS['synth'], ['105 images/s'], DAY)
    changed = put(page, 'synth', text)
    assert changed == page.replace('old\n', text)
    assert text.startswith('`cid synth --speed`\non ') and ', 5 November 2026:\n\n```\n105 images/s\n```\n' in text


def test_a_page_without_a_place_for_a_section_is_refused():
    with pytest.raises(BadInput, match='no place for synth'):
        put('# Figures\n', 'synth', 'text\n')
