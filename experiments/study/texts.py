"""What docs/evidence.md says beside its tables: no figures of runs, which change with the lines."""

from .plans import ITERATIONS, OF_OPTIONS

ABOUT = {
    'pilot': f"""Which length of a run tells rows apart: fused and spatial recalibration, both with the contrastive
loss, after runs of four lengths, two seeds. The learning rate falls to its end in each. From 600 iterations on the two
rows lie many times further apart than the seeds of either; the paper's smaller differences would need dozens to
hundreds of seeds. AP still rises at the end: every table of this page shows networks that are still learning. A run was
to take at most 15 minutes of a slow core with AVX2: {ITERATIONS} iterations of ours take about half of that, and DEKR's
take longer (seconds of training are in the table of methods).""",
    'crowds': """The paper trains on COCO for 35 epochs and has AP 17.9 for spatial recalibration alone, 64.9 for
channel recalibration, 65.3 for both; with the contrastive loss 64.6, 65.3 and 66.0.

- *Fast mask*: the layers of GFD's mask learn as fast as the rest, as in the authors' code; in the other rows, and
  everywhere else on this page but on the GPU and in the rule of this name, at a hundredth of the rate. Alone, a fast
  mask is lost at the start, when the keypoints of all people have to come up at once: it is 0 or 1 in nearly every cell
  (second table), and its sigmoid (eq. 10) has no slope by which it could come back.
- *The authors' weights*: those of GFD before training have a standard deviation of 0.001, as the authors' have; one
  seed. The mask is lost likewise. The learning rate is four times theirs, the backbone has random weights, and the run
  is short: whether their pretrained backbone keeps the mask alive was not tried.
- The contrastive loss divides the cosine of two people by a temperature of 0.05, so that it hardly sees pairs below
  about 0.8. It lowers the mean cosine in each pair of rows (second table). How many pairs lie above 0.8 was not
  counted, so these images may not be able to show what it is for.
- On easy images one person stands alone, and a saturated mask costs nothing.""",
    'channels': """The paper has AP 62.8, 64.4, 66.0 and 66.1 on COCO. 32 channels are the row *fused, contrastive loss*
above.""",
    'rates': """Each method is trained with the same three learning rates, one seed each, and tested on images
that no other table uses. The best of the three is that of the next table; where it is the largest, a larger one may be
better still. DEKR, which takes more than twice as long for an iteration, is trained as long as ours in time, so that
its rate at equal iterations need not be its best.""",
    'methods': """**Equal in all**: backbone, images, batches, schedule, flip test; each has its best learning rate of
the three. Schedule, warm-up, clipping and the first weights of GFD were settled with our own head.

**Equal time**: as many iterations as fit into the time of ours by the seconds an iteration that `cid study pace`
measured in turns, with drawing in the same process. In the runs another process draws, so that the slower methods come
to more seconds than ours (table below): the rule favours them.

**Changed in MMPose's methods**, whose other options are those of their own configs:

- MMPose's CID has the slow mask as well. *With our first weights*: random ones of the same standard deviations as ours,
  where its own are the authors' 0.001.
- DEKR and associative embedding: Gaussians, whose width does not follow the size of a person, are half as wide, because
  people are about half as tall here in cells.
- DEKR has no network that scores people anew, and its deformable convolution is the same sum by a faster call. Its
  head, as wide as in its config, costs several times as much as this small backbone: at equal iterations it computes
  several times as much as CID, where with HRNet-W32 both compute about as much (44.5 and 43.2 GFLOPs, the paper's table
  3).
- MMPose 1.3.2 cannot train associative embedding as it is: the labels of its codec are lost when an image is packed,
  and its loss does not fit them. Two classes of `experiments/study/parts.py` mend that.

**How to read it**: a part of a cell is about twice as much of a person here as in COCO at 512 px, so the rules of the
next section may cost less there, which was not measured.""",
    'options': f"""Each rule in which the authors' code and MMPose's port differ ([recipes.md](recipes.md)), and some
others, changed by itself, for {OF_OPTIONS} iterations.

- *Varied images*, for rules about small people, augmentation and loss masks: turned, scaled and shifted, some people
  small, and the keypoints of 15% of those in training not labelled. Those runs begin with the weights of *fused,
  contrastive loss*, because random ones do not get far on them in so few iterations. Nobody is below 8 x 8 px there, so
  the rule about small people has 20 x 20, and about a fifth of those in training have a smaller box.
- Keypoints are read at the middle of a cell, so that those of cells rounded to the nearest lie half a cell, 2 px,
  beside.
- After so few iterations AP still rises fast: a rule may cost AP because it slows learning.
- Costs do not add up: MMPose's Gaussians and its rounding move peaks in opposite directions, and one without the other
  is nobody's code.
- Not tried: `max_people`, because no image has 30 people, and `train_images`, an option of `CocoPeople` alone.""",
    'gpu': """CID-W32 on images of 512 px with 10 to 30 people who cover each other, 20 in a batch, from random weights
of the same standard deviations in both; one run each, one learning rate for both. Each has the same minutes of one GPU,
at whose end the learning rate has come down, and 15 processes that draw. The mask learns as fast as the rest in both.
Ours does twice as many iterations in the time. The loss of MMPose's CID, which can overflow in half precision, stayed
finite. No image is easy.""",
    'real': """Trained on the 28 images of a small part of COCO train2017 that show somebody and tested on the 26 of its
val2017, at 256 px; fine-tuned with a learning rate of 0.001, from random weights with 0.004. `CID_SHARED` names the
folder that has `data/coco_mini` with them. So low an AP is of no use to anybody: a network that has seen drawn
people for some minutes and a few dozen photographs finds hardly anyone in others. That both heads learn such images
by heart is in [figures.md](figures.md#real-images-by-heart).""",
}
INTRODUCTION = """# Evidence

Do the claims of the paper hold in this implementation, and is it better than others at equal cost? **No network was
trained on COCO or CrowdPose here, and this page does not reproduce the paper's AP** ([model_zoo.md](model_zoo.md) has
what is published). It has short trainings of a small network on drawn crowds ([SynthCrowd](data.md#synthcrowd)), each
some minutes on a core, which anyone can repeat; two sections, which say so, need COCO's images or a GPU. `cid study
--page` writes this page from `experiments/results/`, which has a line for each run: the figures of its tables and
verdicts are computed from them. Words such as root, mask and cell are in the [glossary](glossary.md).

```bash
cid study crowds                 # does the runs that are left; it may be stopped, and started several times at once
cid study crowds --results mine  # all of them again, with lines of your own
cid study --list                 # what is done, what is left, how long it will take
cid study --line experiments/results/crowds.jsonl:3    # does the run of a line again, with the code as it is now
cid study --page
```
"""
SETTING = f"""## The setting

- **Images**: 128 px, one to six people of half to nine tenths of the image's height, who overlap; mirrored at random,
  and not turned, scaled or shifted.
- **Network**: HRNet of two blocks a branch with 16, 32, 64 and 128 channels, random weights before training.
- **Training**: {ITERATIONS} iterations of 8 images, no image twice; Adam, learning rate 0.004 (of ours; those of others
  are in their table) after 50 iterations of warm-up, falling in a line to 0.00002, betas 0.9 and 0.99, gradients cut at
  20; float32, one thread.
- **Test**: 300 images that nobody trained on, with the flip test.
- **A row**: three runs (two in the pilot, one for learning rates and on the GPU), whose seeds choose the weights before
  training and which of 100,000 drawn images a run sees. Figures are means and standard deviations (n - 1).

*Reference* has the authors' rules ([recipes.md](recipes.md)). Beside the setting above four things differ:

- the weights of GFD before training have a standard deviation of one over the root of each layer's inputs
  (`head.init_std=None`), where the authors' have 0.001; two layers keep theirs: the last, and the mask's linear one;
- the mask learns at a hundredth of the rate;
- people count as small below 8 x 8 px, which are 32 x 32 of 512;
- images are mirrored at the last pixel, as MMPose does, except where *varied images* say which.

**What is measured**: COCO's AP, of all images and of those with a crowd index up to 0.1 (*easy*: 61 images, 59 of one
person), up to 0.8 (*medium*: 146) and above (*hard*: 93), as CrowdPose parts them. In an image with n annotated people
the n found with the highest scores are paired with them. *Missed*: annotated people whose partner has an OKS below 0.5.
*Wrong person*: of the labelled keypoints, hidden ones too, of people whose partner has an OKS of at least 0.1, the
share that does not lie on its own keypoint but on the same one of somebody else; to lie on one means a likeness of at
least 0.5 (the term of OKS). `experiments/study/measures.py` says it exactly.

**How claims are judged**, by the 95% confidence interval of the difference (Welch):

- *holds*: all of it is above 0; *by less than half* if all of it is also below half of the paper's difference;
- *does not hold here*: all of it is below 0, or it has 0 in it and ends below half of the paper's difference;
- *cannot be told at this size*: the rest, and what is lost from easy to hard images where two rows are more than 10 AP
  apart on easy ones: who finds few people anywhere has little to lose in crowds.

Of two that should be alike it holds if all of the interval lies within 2 AP of 0, and does not if none of it does. The
intervals know of seeds alone: not of the choice of the 300 images, on which the setting was also chosen, nor of that of
a learning rate by one seed. They are not corrected for their number, with those of the rules about forty, of which one
or two would lie beside 0 by chance alone.
"""
