"""docs/evidence.md: tables, plots and sentences, all made from the lines of the runs."""

from collections.abc import Sequence
from pathlib import Path

from cid_mmpose.files import write_whole

from .claims import CLAIMS, NOT_RUN, difference, sentence
from .lines import PACE, REPEATS, read, read_file
from .plans import ITERATIONS, OF_OPTIONS, REFERENCES, SEEDS, STUDIES
from .plots import write_plots
from .summary import by_row, figure, hours, value, values_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'evidence.md'
COLUMNS = {  # heading -> figure and bin
    'AP': ('ap', 'all'),
    'AP50': ('ap50', 'all'),
    'AP75': ('ap75', 'all'),
    'easy': ('ap', 'easy'),
    'medium': ('ap', 'medium'),
    'hard': ('ap', 'hard'),
    'missed, %': ('missed', 'all'),
    'wrong person, %': ('wrong', 'all'),
}
ABOUT = {
    'pilot': 'Which length of a run tells rows apart: fused and spatial recalibration, both with the contrastive loss, '
    'after runs of four lengths. The learning rate falls to its end in each.',
    'crowds': 'The paper trains on COCO for 35 epochs and has AP 17.9 for spatial recalibration alone, 64.9 for '
    'channel recalibration, 65.3 for both; with the contrastive loss 64.6, 65.3 and 66.0. Here a mask that learns as '
    'fast as the rest (*fast mask*) is lost at the start, when the keypoints of all people have to come up at once: '
    'M_sim of eq. 10, a sum of 32 products, grows to hundreds, the mask is 1 in every cell, and its sigmoid has no '
    'slope by which it could come back. Everywhere else on this page but on the GPU the mask learns at a hundredth of '
    'the rate. The contrastive loss is near 0 as soon as the cosine of two vectors is below 0.8: it divides by a '
    'temperature of 0.05.',
    'channels': 'The paper has AP 62.8, 64.4, 66.0 and 66.1 on COCO. 32 channels are the fused row of table 1.',
    'rates': 'Each method is trained with the same three learning rates and tested on images that no other table '
    'is about (one seed). Its best rate is that of the next table. Methods that take more than twice as long for an '
    'iteration are trained as long as ours in time.',
    'methods': 'All on the same backbone, images, batches and schedule, each with its best learning rate, with the '
    'options of its own config otherwise. *Equal time* is as many iterations as fit into the time of ours, by the '
    'seconds an iteration that `cid study pace` measured in turns. All have the flip test. MMPose 1.3.2 cannot train '
    'associative embedding as it is: the labels of its codec are lost when an image is packed, and its loss does not '
    'fit them; two classes of `experiments/study/parts.py` mend that. DEKR has no network that scores people anew, and '
    'its deformable convolution is the same sum by a faster call; its head, as wide as in its config, takes several '
    'times as long as this small backbone, which on a large one it does not.',
    'options': "Each rule in which the authors' code and MMPose's port differ ([recipes.md](recipes.md)), and some "
    f'others, changed by itself, for {OF_OPTIONS} iterations. Those about small people, augmentation and loss masks '
    'are tried on varied images, where they can matter: turned, scaled and shifted, some people small, and the '
    'keypoints of 15% of those in training not labelled. Those runs begin with the weights of table 1 (fused, with the '
    'contrastive loss), because from random weights AP is 8 there after twice as long. `max_people` and `train_images` '
    'change nothing here: no image has 30 people, and none is without a labelled one.',
    'gpu': 'CID-W32 on images of 512 px with 10 to 30 people who cover each other, 20 in a batch, from random weights; '
    'each row has the same minutes of one GPU, and 15 processes that draw. The learning rate comes down to the end of '
    "them. MMPose's has the weights before training that ours has. The mask learns as fast as the rest in both, so "
    'that what table 1 says of fast masks may be true of both.',
    'real': 'The 28 images of a small part of COCO train2017 that show somebody, and the 26 of its val2017, at 256 px.',
}
SETTING = f"""# Evidence

Do the claims of the paper hold in this implementation, and is it better than others at equal cost? Nobody needs data
or a GPU to see: short trainings of a small network on drawn crowds ([SynthCrowd](data.md#synthcrowd)), each some
minutes on two cores. `cid study --page` writes this page from `experiments/results/`, which has a line for each run;
nothing here is typed by hand.

```bash
cid study crowds                 # does the runs that are left; it may be stopped, and started several times at once
cid study --list                 # what is done, what is left, how long it will take
cid study --line experiments/results/crowds.jsonl:3    # does the run of a line again
cid study --page
```

**The setting**: images of 128 px with one to six people of half to nine tenths of the image's height, who are put
before and behind each other; HRNet of two blocks a branch with 16, 32, 64 and 128 channels, random weights before
training; {ITERATIONS} iterations of 8 images, and no image twice; Adam, learning rate 0.004 falling to 0 (betas 0.9
and 0.99, gradients cut at 20); float32, one thread. The authors' rules but for three: the weights of GFD before
training are as large as each layer's inputs ask for, because the authors' 0.001 tells people apart only after a
thousand iterations; GFD's mask learns at a hundredth of the rate (see table 1); and people count as small below
8 x 8 px, which are 32 x 32 of 512. Tested on 300 images of another seed, with the flip test. Figures are means and
standard deviations over {len(SEEDS)} seeds, which choose the weights before training and the order of the images.

**What is measured**: COCO's AP, of all images and of those with a crowd index up to 0.1 (*easy*), up to 0.8
(*medium*) and above (*hard*), as CrowdPose parts them. As many people as are annotated in an image, the best by
score, are paired with the annotated ones. *Missed*: annotated people whose partner has an OKS below 0.5. *Wrong
person*: of the labelled keypoints of those found, the share that does not lie on its own keypoint but on the same one
of somebody else, where to lie on one means a likeness of at least 0.5 (the term of OKS). The docstrings of
`experiments/study/measures.py` say it exactly. All is small: what differs by some AP on COCO need not be seen here,
and what is seen here need not be so on photographs.
"""


def write_page(results: Path, page: Path = PAGE) -> Path:
    """Writes the page and its plots.

    Args:
        results: folder of the lines.
        page: where to write; plots go into ``images`` beside it.
    """
    lines = read(results)
    repeats = read_file(results / f'{REPEATS}.jsonl')
    plots = write_plots(lines, page.parent / 'images')
    write_whole(page, text(lines, repeats, plots).encode())
    return page


def text(lines: Sequence[dict], repeats: Sequence[dict], plots: dict[str, str]) -> str:
    """The page.

    Args:
        lines: of the runs.
        repeats: of runs that were done again from their line.
        plots: study -> file beside the page; those that have one.
    """
    sections = [SETTING]
    for name, study in STUDIES.items():
        sections.append(f'## {study.title}\n\n`cid study {name}`. {ABOUT[name]}\n')
        sections.append(table(by_row(study.plan(lines), lines)))
        if name == 'crowds':
            sections.append(insides(by_row(study.plan(lines), lines)))
        if name == 'gpu':
            sections.append(speeds(by_row(study.plan(lines), lines)))
        if name in plots:
            sections.append(f'![{study.title}]({plots[name]})\n')
        sections += claims_of(name, by_row(study.plan(lines), lines))
        if name == 'options':
            sections.append(what_to_check(by_row(study.plan(lines), lines)))
    sections += [pace_of(lines), repeated(lines, repeats), machines(lines)]
    return '\n'.join(section for section in sections if section)


def table(rows: dict[str, list[dict]]) -> str:
    """A table with a row for each row of a study; those without runs say so.

    Args:
        rows: row -> lines.
    """
    written = ['| | ' + ' | '.join(COLUMNS) + ' | runs |', '|---' * (len(COLUMNS) + 2) + '|']
    for row, lines in rows.items():
        if lines:
            values = [values_of(lines, name, place) for name, place in COLUMNS.values()]
            cells = ['' if value is None else str(value) for value in values] + [str(len(lines))]
        else:
            cells = [NOT_RUN] + [''] * len(COLUMNS)
        written.append(f'| {row} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(written) + '\n'


def insides(rows: dict[str, list[dict]]) -> str:
    """A table of masks and vectors (``inside``); '' without runs."""
    written = ['| | cells of masks between 0.01 and 0.99, % | cosine of two people, % |', '|---' * 3 + '|']
    for row, lines in rows.items():
        looks = [line['inside'] for line in lines]
        cells = []
        for name in ('undecided', 'alike'):
            found = [look[name] for look in looks if name in look]
            cells.append(str(value(found)) if found else '')
        if any(cells):
            written.append(f'| {row} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(written) + '\n' if len(written) > 2 else ''


def speeds(rows: dict[str, list[dict]]) -> str:
    """A table with what the runs of each row came to in their time; '' without runs.

    Args:
        rows: row -> lines, of which the first counts.
    """
    written = ['| | minutes | iterations | images/s | waiting for images, % | GPU memory, MiB |', '|---' * 6 + '|']
    for row, lines in rows.items():
        for line in lines[:1]:
            found = line['speed']
            written.append(
                f'| {row} | {line["seconds"] / 60:.1f} | {line["iterations"]} | {found["images_per_second"]:.0f} | '
                f'{100 * found["waiting"]:.0f} | {found.get("peak_mib", "")} |'
            )
    return '\n'.join(written) + '\n' if len(written) > 2 else ''


def claims_of(study: str, rows: dict[str, list[dict]]) -> list[str]:
    """A list item for each claim that a study is about."""
    items = [f'- {sentence(claim, rows)}' for claim in CLAIMS if claim.study == study]
    if not items:
        return []
    rule = (
        'A claim *holds* if the 95% confidence interval of the difference (Welch) is above 0, *does not hold* if it is '
        'below, and else *cannot be told at this size*; of two that should be alike, if it is within 2 AP or outside.\n'
    )
    return [rule, '\n'.join(items) + '\n']


def what_to_check(rows: dict[str, list[dict]]) -> str:
    """What somebody who cannot reproduce CID should look at first: the rules in the order of the AP that they cost."""
    costs = []
    for row, lines in rows.items():
        if not lines or row in REFERENCES.values():
            continue
        reference = [figure(line, 'ap') for line in rows[REFERENCES[lines[0]['config']]]]
        values = [figure(line, 'ap') for line in lines]
        if min(len(reference), len(values)) >= 2:
            costs.append((difference(reference, values), row))
    written = ['### What to check first\n']
    if not costs:
        return '\n'.join([*written, f'The rules in the order of the AP that they cost: *{NOT_RUN}*.\n'])

    written.append('The rules in the order of the AP that they cost, with the 95% confidence interval:\n')
    for number, (cost, row) in enumerate(sorted(costs, reverse=True), 1):
        telling = '' if cost.low > 0 or cost.high < 0 else ', which is within the spread of the seeds'
        written.append(f'{number}. {row}: {cost.mean:+.1f} AP lost ({cost.low:+.1f} to {cost.high:+.1f}){telling}')
    return '\n'.join(written) + '\n'


def pace_of(lines: Sequence[dict]) -> str:
    """Seconds an iteration of each method."""
    measured = [line for line in lines if line['study'] == PACE]
    title = '## Time of an iteration\n\n`cid study pace`, drawing of the images included, one thread.\n'
    if not measured:
        return f'{title}\n*{NOT_RUN}*\n'
    line = measured[0]
    rows = '\n'.join(f'| {method} | {seconds:.3f} |' for method, seconds in line['pace'].items())
    return f'{title}\n| | seconds |\n|---|---|\n{rows}\n\non {line["machine"]}, {line["date"]}\n'


def repeated(lines: Sequence[dict], repeats: Sequence[dict]) -> str:
    """Runs that were done again from their line, and both APs."""
    title = '## Runs done again from their line\n\n`cid study --line FILE:N`\n'
    first = {line['key']: line for line in lines}
    rows = []
    for again in repeats:
        before = first.get(again['key'])
        if before:
            aps = ' | '.join(f'{line["bins"]["all"]["ap"]:.1f} ({line["machine"]})' for line in (before, again))
            rows.append(f'| {again["row"]}, seed {again["seed"]} | {aps} |')
    if not rows:
        return f'{title}\n*{NOT_RUN}*\n'
    return f'{title}\n| | AP | again |\n|---|---|---|\n' + '\n'.join(rows) + '\n'


def machines(lines: Sequence[dict]) -> str:
    """How long all of it took, and on what."""
    runs = [line for line in lines if line['study'] != PACE]
    if not runs:
        return f'## Time and machines\n\n*{NOT_RUN}*\n'
    kind = 'each by one process that trains, with one thread, and others that draw'
    written = [f'## Time and machines\n\n{len(runs)} runs, {hours(runs):.1f} hours of CPU time in all, {kind}:\n']
    for machine in sorted({line['machine'] for line in runs}):
        of_machine = [line for line in runs if line['machine'] == machine]
        days = sorted({line['date'] for line in of_machine})
        commits = ', '.join(f'`{name}`' for name in dict.fromkeys(line['commit'] for line in of_machine))
        written.append(f'- {machine}: {len(of_machine)} runs, {hours(of_machine):.1f} hours, {days[0]} to {days[-1]}, '
                       f'commits {commits}')  # fmt: skip
    return '\n'.join(written) + '\n'
