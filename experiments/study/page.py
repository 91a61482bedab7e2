"""docs/evidence.md: tables, plots and sentences, all made from the lines of the runs."""

from collections.abc import Sequence
from pathlib import Path

from cid_mmpose.files import write_whole

from .claims import CLAIMS, NOT_RUN, difference, sentence
from .lines import PACE, REPEATS, read, read_file
from .plans import ITERATIONS, OF_OPTIONS, REFERENCES, SEEDS, STUDIES
from .plots import write_plots
from .summary import COLUMNS, by_row, figure, hours, value, values_of
from .symptoms import symptoms

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'evidence.md'
ABOUT = {
    'pilot': 'Which length of a run tells rows apart: fused and spatial recalibration, both with the contrastive loss, '
    'after runs of four lengths, two seeds. The learning rate falls to its end in each. From 600 iterations on the two '
    'rows lie many times further apart than the seeds of either. A run was to take at most 15 minutes on two slow '
    f'cores with AVX2: {ITERATIONS} iterations take about half of that.',
    'crowds': 'The paper trains on COCO for 35 epochs and has AP 17.9 for spatial recalibration alone, 64.9 for '
    'channel recalibration, 65.3 for both; with the contrastive loss 64.6, 65.3 and 66.0. Here a mask that learns as '
    'fast as the rest (*fast mask*) is lost at the start, when the keypoints of all people have to come up at once: '
    'M_sim of eq. 10, a sum of 32 products, grows to hundreds, the mask is 1 in every cell, and its sigmoid has no '
    'slope by which it could come back. Everywhere else on this page but on the GPU the mask learns at a hundredth of '
    'the rate: it is this that keeps spatial recalibration from collapsing here, not the contrastive loss. That loss '
    'divides the cosine of two people by a temperature of 0.05 and is near 0 below a cosine of 0.8; it is about 0.5 '
    'here with and without it, so that these images cannot show what the loss is for. On easy images one person '
    'stands alone, and a saturated mask costs nothing.',
    'channels': 'The paper has AP 62.8, 64.4, 66.0 and 66.1 on COCO. 32 channels are the fused row of table 1.',
    'rates': 'Each method is trained with the same three learning rates, one seed each, and tested on a validation set '
    'of its own. The best of the three is that of the next table; where it is the largest, a larger one may be better '
    'still. Methods that take more than twice as long for an iteration are trained as long as ours in time.',
    'methods': 'All on the same backbone, images, batches and schedule, each with its best learning rate. The options '
    "are those of each method's own config, but for three: MMPose's CID has the slow mask as well; the Gaussians of "
    'DEKR and of associative embedding, whose width does not follow the size of a person, are half as wide, because '
    'people are about half as tall here in cells; and DEKR has no network that scores people anew. *With our first '
    'weights*: random ones of the same standard deviations as ours. *Equal time* is as many iterations as fit into '
    'the time of ours, by the seconds an iteration that `cid study pace` measured in turns, with drawing in the same '
    'process. All have the flip test. MMPose 1.3.2 cannot train associative embedding as it is: the labels of its '
    'codec are lost when an image is packed, and its loss does not fit them; two classes of '
    "`experiments/study/parts.py` mend that. DEKR's deformable convolution is the same sum by a faster call; its head, "
    'as wide as in its config, takes several times as long as this small backbone, which on a large one it does not. '
    "Much of the gap to MMPose's CID comes from the rules of the next section, and errors of a part of a cell "
    'weigh four times as much on images of 128 px as on those of 512: on COCO the gap is smaller.',
    'options': "Each rule in which the authors' code and MMPose's port differ ([recipes.md](recipes.md)), and some "
    f'others, changed by itself, for {OF_OPTIONS} iterations. Those about small people, augmentation and loss masks '
    'are tried on varied images, where they can matter: turned, scaled and shifted, some people small, and the '
    'keypoints of 15% of those in training not labelled. Those runs begin with the weights of table 1 (fused, with the '
    'contrastive loss), because from random weights AP is 8 there after twice as long. Nobody is below 8 x 8 px there, '
    'so the rule about small people has 20 x 20, and a fifth of those in training have a smaller box. Keypoints are '
    'read at the middle of a cell, so that those of cells rounded to the nearest lie half a cell beside, 2 px, which '
    'is four times as much of a person here as on images of 512 px. After so few iterations AP still rises fast: a '
    'rule may cost AP because it slows learning. Costs do not add up. `max_people` changes nothing here, where no '
    'image has 30 people, and `train_images` is an option of `CocoPeople` alone.',
    'gpu': 'CID-W32 on images of 512 px with 10 to 30 people who cover each other, 20 in a batch, from random weights; '
    'each row has the same minutes of one GPU, and 15 processes that draw; one run each, one learning rate for both. '
    'It comes down to the end of the minutes. Random weights have the same standard deviations in both, and the mask '
    'learns as fast as the rest in both, so that what table 1 says of fast masks may be true of both. Ours does twice '
    'as many iterations in the time. No image is easy.',
    'real': 'Trained on the 28 images of a small part of COCO train2017 that show somebody and tested on the 26 of its '
    'val2017, at 256 px; fine-tuned with a learning rate of 0.001, from random weights with 0.004. `CID_SHARED` names '
    'the folder that has `data/coco_mini` with them.',
}
SETTING = f"""# Evidence

Do the claims of the paper hold in this implementation, and is it better than others at equal cost? **No network was
trained on COCO or CrowdPose here, and this page does not reproduce the paper's AP** ([model_zoo.md](model_zoo.md) has
what is published). It has short trainings of a small network on drawn crowds ([SynthCrowd](data.md#synthcrowd)), each
some minutes on two cores, which anyone can repeat; two sections, which say so, need COCO's images or a GPU. `cid study
--page` writes this page from `experiments/results/`, which has a line for each run: the figures of its tables and
verdicts are computed from them.

```bash
cid study crowds                 # does the runs that are left; it may be stopped, and started several times at once
cid study --list                 # what is done, what is left, how long it will take
cid study --line experiments/results/crowds.jsonl:3    # does the run of a line again, with the code as it is now
cid study --page
```

**The setting**: images of 128 px with one to six people of half to nine tenths of the image's height, who are put
before and behind each other; HRNet of two blocks a branch with 16, 32, 64 and 128 channels, random weights before
training; {ITERATIONS} iterations of 8 images, and no image twice; Adam, learning rate 0.004 after 50 iterations of
warm-up, falling in a line to 0.00002 (betas 0.9 and 0.99, gradients cut at 20); float32, one thread. The authors'
rules but for three: the weights of GFD before training are as large as each layer's inputs ask for, because the
authors' 0.001 tells people apart only after a thousand iterations; GFD's mask learns at a hundredth of the rate (see
table 1); and people count as small below 8 x 8 px, which are 32 x 32 of 512. Tested on 300 images of another seed, with
the flip test. Figures are means and standard deviations (n - 1) over the runs in the last column. Their seeds choose
the weights before training and which of 100,000 drawn images a run sees.

**What is measured**: COCO's AP, of all images and of those with a crowd index up to 0.1 (*easy*: 61 images, 59 of one
person), up to 0.8 (*medium*: 146) and above (*hard*: 93), as CrowdPose parts them. As many people as are annotated in
an image, the best by score, are paired with the annotated ones. *Missed*: annotated people whose partner has an OKS
below 0.5. *Wrong person*: of the labelled keypoints, hidden ones too, of people whose partner has an OKS of at least
0.1, the share that does not lie on its own keypoint but on the same one of somebody else, where to lie on one means a
likeness of at least 0.5 (the term of OKS). The docstrings of `experiments/study/measures.py` say it exactly. All is
small: what differs by some AP on COCO need not be seen here, and what is seen here need not be so on photographs.

**How claims are judged**: a claim *holds* if the 95% confidence interval of the difference (Welch, three seeds a row)
is above 0, *does not hold* if it is below, and else *cannot be told at this size*; of two that should be alike, it
holds if all of the interval lies within 2 AP of 0, and does not if none of it does. Most intervals reach 2 to 4
AP to either side: what the paper calls better by less cannot be told by three seeds. The intervals know of seeds
alone, not of the choice of the 300 images, on which the setting was also chosen; there are {len(CLAIMS)} of them, not
corrected for their number.
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
        rows = by_row(study.plan(lines), lines)
        sections.append(f'## {study.title}\n\n`cid study {name}`. {ABOUT[name]}\n')
        sections.append(table(rows))
        if name == 'crowds':
            sections.append(insides(rows))
        if name == 'gpu':
            sections.append(speeds(rows))
        if name in plots:
            sections.append(f'![{study.title}]({plots[name]})\n')
        sections.append(claims_of(name, rows))
        if name == 'options':
            sections += [what_to_check(rows), symptoms(lines)]
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
    written = ['| | cells of masks not saturated, %, of each run | cosine of two people, % |', '|---' * 3 + '|']
    for row, lines in rows.items():
        looks = [line['inside'] for line in lines if line['inside']]
        if not looks:
            continue
        masks = ' / '.join(f'{look["undecided"]:.0f}' for look in looks if 'undecided' in look)
        cosines = value([look['alike'] for look in looks if 'alike' in look])
        written.append(f'| {row} | {masks} | {cosines} |')
    if len(written) == 2:
        return ''
    return '\n'.join([*written, '\nNot saturated: between 0.01 and 0.99, where the sigmoid has a slope.\n'])


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


def claims_of(study: str, rows: dict[str, list[dict]]) -> str:
    """A list item for each claim that a study is about; '' without."""
    items = [f'- {sentence(claim, rows)}' for claim in CLAIMS if claim.study == study]
    return '\n'.join([*items, ''])


def what_to_check(rows: dict[str, list[dict]]) -> str:
    """What somebody who cannot reproduce CID should look at first: the rules in the order of the AP that they cost."""
    costs = []
    for row, lines in rows.items():
        if not lines or row in REFERENCES.values():
            continue
        reference = [figure(line, 'ap') for line in rows[REFERENCES[lines[0]['config']]]]
        values = [figure(line, 'ap') for line in lines]
        if min(len(reference), len(values)) >= len(SEEDS):
            costs.append((difference(reference, values), row))
    written = ['### What to check first\n']
    if not costs:
        return '\n'.join([*written, f'The rules in the order of the AP that they cost: *{NOT_RUN}*.\n'])

    written.append('The rules in the order of the AP that they cost, with the 95% confidence interval:\n')
    for number, (cost, row) in enumerate(sorted(costs, reverse=True), 1):
        telling = '' if cost.low > 0 or cost.high < 0 else ', not to be told from 0'
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
    kind = 'each with one thread; drawing and testing are not counted'
    of_training = f'{hours(runs):.1f} hours of CPU time of the processes that train'
    written = [f'## Time and machines\n\n{len(runs)} runs, {of_training}, {kind}:\n']
    for machine in sorted({line['machine'] for line in runs}):
        of_machine = [line for line in runs if line['machine'] == machine]
        days = sorted({line['date'] for line in of_machine})
        commits = ', '.join(f'`{name}`' for name in dict.fromkeys(line['commit'] for line in of_machine))
        written.append(f'- {machine}: {len(of_machine)} runs, {hours(of_machine):.1f} hours, {days[0]} to {days[-1]}, '
                       f'commits {commits}')  # fmt: skip
    return '\n'.join(written) + '\n'
