// The page: takes images, hands them to worker.js, and draws who was found.

const RATE_OF = 2000; // milliseconds of the camera over which frames are counted

const at = (id) => document.getElementById(id);
const picture = at('picture').getContext('2d');
const worker = new Worker('worker.js', {type: 'module'});
let settings = null; // page.json, once the model is loaded
let shown = null; // {bitmap, name, found} of the last image
let answered = null; // is called with the worker's answer to the image that it has
let newest = 0; // number of the last image that was given
let stream = null; // of the camera
let colored = []; // {center, color} of the people of the last frame

function say(text, isError = false) {
  at('line').setAttribute('role', isError ? 'alert' : 'status');
  at('line').textContent = text;
}

worker.onmessage = ({data}) => {
  if (answered) answered(data);
  else if (data.error) say(data.error, true);
  else begin(data.settings);
};
worker.onerror = (event) => {
  say(`the model cannot be loaded (${event.message || 'worker.js or what it needs is not there'})`, true);
};

function begin(given) {
  settings = given;
  at('score').value = settings.min_score;
  at('score').min = settings.about.min_score;
  at('score-shown').textContent = settings.min_score.toFixed(2);
  for (const name of settings.samples) {
    const button = document.createElement('button');
    button.append(Object.assign(new Image(), {src: name, alt: 'a drawn crowd'}));
    button.onclick = () => giveSample(name);
    at('samples').append(button);
  }
  say('Give an image, or click one of these drawn ones.');
}

// The worker's answer; it has one image at a time.
async function found(bitmap, name) {
  while (answered) await answered.done;
  let finish;
  const done = new Promise((resolve) => { finish = resolve; });
  answered = (data) => {
    answered = null;
    finish(data);
  };
  answered.done = done;
  worker.postMessage({bitmap, name}, [bitmap]);
  return done;
}

async function give(blob, name) {
  closeCamera();
  newest += 1;
  const number = newest;
  if (!settings) return;
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, {colorSpaceConversion: 'none', premultiplyAlpha: 'none'});
  } catch (error) {
    say(`${name}: is no image that this browser reads; convert it to JPEG or PNG`, true);
    return;
  }
  say(`Looking for the people in ${name}.`);
  const result = await found(await createImageBitmap(bitmap), name);
  if (number !== newest) return; // another image was given meanwhile
  if (result.error) {
    say(result.error, true);
    return;
  }
  colored = [];
  show({bitmap, name, found: result});
}

async function giveSample(name) {
  const answer = await fetch(name).catch(() => null);
  if (answer && answer.ok) give(await answer.blob(), name);
  else say(`${name}: is not there; put the whole folder on the server`, true);
}

function show(image, rate = '') {
  if (shown && shown.bitmap !== image.bitmap) shown.bitmap.close();
  shown = image;
  const {bitmap, name, found: {people, width, height, milliseconds}} = image;
  const minScore = Number(at('score').value);
  const drawn = people.filter((person) => person.score >= minScore);
  [picture.canvas.width, picture.canvas.height] = [width, height];
  picture.drawImage(bitmap, 0, 0);
  colored = colorsOf(drawn);
  // the best person last, above the others
  drawn.map((person, number) => [person, colored[number].color]).reverse().forEach(draw);

  const count = drawn.length === 1 ? '1 person' : `${drawn.length} people`;
  const time = rate || `${Math.round(milliseconds)} ms`;
  say(`${count} above ${minScore.toFixed(2)} in ${name}, ${width} x ${height} px: ${time}`);
  save(drawn);
}

// A color a person; in a film, the one that the person at nearly the same place had.
function colorsOf(people) {
  const free = [...colored];
  const same = people.map(({center, box}) => {
    const near = Math.hypot(box[2] - box[0], box[3] - box[1]) / 4;
    const place = free.findIndex((old) => Math.hypot(old.center[0] - center[0], old.center[1] - center[1]) < near);
    return place < 0 ? null : free.splice(place, 1)[0].color;
  });
  const unused = settings.palette.filter((color) => !same.includes(color));
  return people.map(({center}, number) => {
    const color = same[number] || unused.shift() || settings.palette[number % settings.palette.length];
    return {center, color};
  });
}

function draw([person, color]) {
  const {keypoints, keypoint_scores: scores, box} = person;
  const side = Math.max(box[2] - box[0], box[3] - box[1]);
  const width = Math.max(1.5, Math.min(side / 40, picture.canvas.width / 150));
  // lower where people with lower scores are asked for, so that everyone is seen
  const least = Math.min(settings.min_keypoint_score, Number(at('score').value));
  const isSeen = (point) => scores[point] >= least;
  const links = settings.about.keypoint_set.links.filter((link) => link.every(isSeen));
  picture.lineCap = 'round';
  for (const [lineWidth, lineColor] of [[1.8 * width, '#0008'], [width, color]]) {
    picture.lineWidth = lineWidth;
    picture.strokeStyle = lineColor;
    picture.fillStyle = lineColor;
    picture.beginPath();
    for (const [start, end] of links) {
      picture.moveTo(...keypoints[start]);
      picture.lineTo(...keypoints[end]);
    }
    picture.stroke();
    keypoints.forEach(([x, y], point) => {
      if (!isSeen(point)) return;
      picture.beginPath();
      picture.arc(x, y, lineWidth / 2 + width / 2, 0, 2 * Math.PI);
      picture.fill();
    });
  }
}

// The people in the form that `cid predict` writes.
function save(people) {
  const {name, found: {width, height}} = shown;
  const written = {path: name, width, height, names: settings.about.keypoint_set.names, people};
  URL.revokeObjectURL(at('save').href);
  at('save').href = URL.createObjectURL(new Blob([JSON.stringify(written)], {type: 'application/json'}));
  at('save').hidden = false;
}

async function openCamera() {
  closeCamera();
  if (!settings) return;
  newest += 1;
  const number = newest;
  let opened;
  if (!navigator.mediaDevices) {
    say('camera: browsers let only pages of https and of this machine use it', true);
    return;
  }
  try {
    opened = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 640}}});
  } catch (error) {
    const isRefused = error.name === 'NotAllowedError';
    say(`camera: ${isRefused ? 'the browser does not allow it' : 'there is none, or it is in use'}`, true);
    return;
  }
  if (number !== newest) { // an image was given meanwhile
    stop(opened);
    return;
  }
  stream = opened;
  at('camera').textContent = 'Stop the camera';
  at('video').srcObject = stream;
  try {
    await at('video').play();
  } catch (error) {
    if (number === newest) {
      closeCamera();
      say(`camera: cannot be shown (${error.message})`, true);
    }
    return; // else it was closed meanwhile
  }
  colored = [];
  const times = [];
  while (stream && number === newest) {
    const bitmap = await createImageBitmap(at('video'));
    const result = await found(await createImageBitmap(bitmap), 'camera');
    if (!stream || number !== newest) break;
    if (result.error) {
      closeCamera();
      say(result.error, true);
      break;
    }
    times.push(performance.now());
    while (times.length > 2 && times[times.length - 1] - times[0] > RATE_OF) times.shift();
    const rate = (1000 * (times.length - 1)) / (times[times.length - 1] - times[0]);
    show({bitmap, name: 'camera', found: result}, times.length > 1 ? `${rate.toFixed(1)} frames a second` : '');
  }
}

function stop(opened) {
  opened.getTracks().forEach((track) => track.stop());
}

function closeCamera() {
  if (stream) stop(stream);
  stream = null;
  at('video').srcObject = null;
  at('camera').textContent = 'Camera';
}

function giveFirst(files) {
  if (files && files.length) give(files[0], files[0].name || 'pasted');
}

at('choose').onclick = () => at('file').click();
at('file').onchange = () => {
  giveFirst(at('file').files);
  at('file').value = ''; // the same file may be chosen again
};
at('camera').onclick = () => {
  if (stream) closeCamera();
  else openCamera();
};
at('score').oninput = () => {
  at('score-shown').textContent = Number(at('score').value).toFixed(2);
  if (shown && !stream) show(shown);
};
document.ondragover = (event) => {
  event.preventDefault();
  document.body.classList.add('over');
};
document.ondragleave = (event) => {
  if (!event.relatedTarget) document.body.classList.remove('over');
};
document.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove('over');
  giveFirst(event.dataTransfer.files);
};
document.onpaste = (event) => giveFirst(event.clipboardData.files);
