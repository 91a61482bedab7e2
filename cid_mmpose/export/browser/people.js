// From an image to the network's input, and from the rows of the graph to people: what cid_mmpose/data/resize.py,
// cid_mmpose/oks.py and cid_mmpose/runtime/predictor.py do, to the pixel. `about` is what the model says of itself.

const MOST_INPUT_PIXELS = 2 ** 22; // of the network's input; a browser has less memory than a program

// OpenCV's warpAffine: places in the image in 1/1024 pixels, of which 1/32 are looked at; 32 * 32 shares of a pixel
const PLACES = 1024;
const SHARES = 32;

function roundedToEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

function multiplesOf([width, height], factor) {
  return [Math.ceil(width / factor) * factor, Math.ceil(height / factor) * factor];
}

// Where an image of `width` x `height` pixels lies in the network's input.
export function placingOf(width, height, about) {
  const {input_size: inputSize, factor, mode} = about.resizing;
  const ratio = width / height;
  const full = multiplesOf(inputSize, factor);
  let size = full;
  let resized = [Math.min(full[0], full[1] * ratio), Math.min(full[1], full[0] / ratio)];
  if (mode === 'expand') {
    resized = [Math.max(full[0], full[1] * ratio), Math.max(full[1], full[0] / ratio)];
    size = multiplesOf(resized, factor);
  }
  if (size[0] * size[1] > MOST_INPUT_PIXELS) {
    throw new Error(`is ${width} x ${height} pixels, too narrow for this page; cut it into pieces`);
  }
  const center = [width / 2, height / 2];
  const scale = [Math.fround((width * size[0]) / resized[0]), Math.fround((height * size[1]) / resized[1])];
  return {size, center, scale};
}

// The network's input, h * w * 3 values BGR, of an image as a canvas gives it (RGBA).
export function inputOf(image, placing, padding) {
  const [width, height] = placing.size;
  const step = placing.scale[0] / width; // pixels of the image for one of the input
  const [left, top] = placing.center.map((center, axis) => center - (step * placing.size[axis]) / 2);
  const columns = Array.from({length: width}, (_, x) => roundedToEven(step * x * PLACES));
  const input = new Uint8Array(height * width * 3);
  const half = PLACES / SHARES / 2;
  const leftmost = roundedToEven(left * PLACES) + half;
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    // OpenCV turns the matrix around, after which the row has its place in one number
    const row = (roundedToEven((step * y + top) * PLACES) + half) >> 5;
    const [imageY, shareY] = [row >> 5, row & 31];
    for (let x = 0; x < width; x += 1) {
      const column = (leftmost + columns[x]) >> 5;
      const [imageX, shareX] = [column >> 5, column & 31];
      for (let color = 0; color < 3; color += 1) {
        const upper = between(image, imageX, imageY, shareX, color, padding);
        const lower = between(image, imageX, imageY + 1, shareX, color, padding);
        input[at] = (upper * (SHARES - shareY) + lower * shareY + 512) >> 10;
        at += 1;
      }
    }
  }
  return input;
}

// 32 times the value between two pixels of a row of the image.
function between(image, x, y, share, color, padding) {
  return valueAt(image, x, y, color, padding) * (SHARES - share) + valueAt(image, x + 1, y, color, padding) * share;
}

function valueAt(image, x, y, color, padding) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return padding[color];
  return image.data[(y * image.width + x) * 4 + 2 - color]; // RGBA to BGR
}

// The people of an image, best first, in its pixels. `rows`: the graph's outputs as flat arrays.
export function peopleOf(rows, placing, about) {
  const count = about.keypoint_set.names.length;
  const people = [];
  for (let row = 0; row < about.max_people; row += 1) {
    if (Number.isNaN(rows.scores[row])) throw new Error('the model gave NaN; export it again, in float32');
    if (rows.scores[row] > 0) people.push(personOf(rows, row, count));
  }
  const found = withoutDuplicates(people, about.keypoint_set.sigmas, about.nms);
  return found.map((person) => inPixelsOfTheImage(person, placing));
}

function personOf(rows, row, count) {
  const keypoints = [];
  for (let point = row * count; point < (row + 1) * count; point += 1) {
    keypoints.push([rows.keypoints[2 * point], rows.keypoints[2 * point + 1]]);
  }
  const [xs, ys] = [keypoints.map((point) => point[0]), keypoints.map((point) => point[1])];
  const keypointScores = Array.from(rows.keypoint_scores.slice(row * count, (row + 1) * count));
  return {
    score: keypointScores.reduce((sum, score) => sum + score, 0) / count,
    center: [rows.centers[2 * row], rows.centers[2 * row + 1]],
    box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
    keypoints,
    keypoint_scores: keypointScores,
  };
}

// Each person, best first, takes away those whose OKS with them lies above the threshold.
export function withoutDuplicates(people, sigmas, threshold) {
  let left = [...people].sort((one, other) => other.score - one.score);
  const kept = [];
  while (left.length) {
    const [best, ...others] = left;
    kept.push(best);
    left = others.filter((other) => oks(best, other, sigmas) <= threshold);
  }
  return kept;
}

function oks(one, other, sigmas) {
  const area = (areaOf(one) + areaOf(other)) / 2 + Number.EPSILON;
  const similarities = sigmas.map((sigma, point) => {
    const [x, y] = one.keypoints[point];
    const [otherX, otherY] = other.keypoints[point];
    const squared = (x - otherX) ** 2 + (y - otherY) ** 2;
    return Math.exp(-squared / (2 * sigma) ** 2 / area / 2);
  });
  return similarities.reduce((sum, value) => sum + value, 0) / sigmas.length;
}

function areaOf({box}) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

function inPixelsOfTheImage(person, {size, center, scale}) {
  const moved = ([x, y]) => [
    (x / size[0]) * scale[0] + center[0] - scale[0] / 2,
    (y / size[1]) * scale[1] + center[1] - scale[1] / 2,
  ];
  const [left, top, right, bottom] = person.box;
  return {
    ...person,
    center: moved(person.center),
    box: [...moved([left, top]), ...moved([right, bottom])],
    keypoints: person.keypoints.map(moved),
  };
}
