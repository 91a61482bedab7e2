// Runs the model beside the page, so that the page answers while it computes.
// In: {bitmap, name}. Out: {settings} once, then {people, width, height, milliseconds} for each image; or {error}.

import * as ort from './ort.wasm.bundle.min.mjs';
import {inputOf, peopleOf, placingOf} from './people.js';

const RUNTIME = 'ort-wasm-simd-threaded.wasm';
const WASM = [0, 0x61, 0x73, 0x6d]; // the first bytes of such a file
const OUTPUTS = ['keypoints', 'keypoint_scores', 'scores', 'centers'];
const ready = start();

async function fetched(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: is not there (${answer.status}); put the whole folder on the server`);
  return answer;
}

// Of what is there but is not what was written.
function changed(name) {
  return new Error(`${name}: is not the file that this page was written with; copy the whole folder again`);
}

async function start() {
  const settings = await (await fetched('page.json')).json().catch(() => { throw changed('page.json'); });
  const model = await (await fetched('model.onnx')).arrayBuffer();
  await checkHash(model, settings.sha256);
  const session = await ort.InferenceSession.create(model, {executionProviders: ['wasm']}).catch(checkRuntime);
  return {session, settings};
}

// Browsers hash only on pages of https and of this machine.
async function checkHash(model, wanted) {
  if (!self.crypto.subtle) return;
  const digest = new Uint8Array(await self.crypto.subtle.digest('SHA-256', model));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found !== wanted) throw changed('model.onnx');
}

// After onnxruntime-web has failed, which does not name its own file.
async function checkRuntime(error) {
  const start = new Uint8Array(await (await fetched(RUNTIME)).arrayBuffer()).slice(0, WASM.length);
  if (String(start) !== String(WASM)) throw changed(RUNTIME);
  throw error;
}

// The pixels as RGBA. A canvas that is larger than the browser can hold takes all and gives back zeros; and it may stay
// like that, so each image has its own.
function pixelsOf(bitmap) {
  const {width, height} = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.fillRect(width - 1, height - 1, 1, 1);
  if (!context.getImageData(width - 1, height - 1, 1, 1).data[3]) {
    throw new Error(`is ${width} x ${height} pixels, too large for this browser; make it smaller`);
  }
  context.clearRect(width - 1, height - 1, 1, 1);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

async function find(bitmap) {
  const {session, settings: {about}} = await ready;
  const begin = performance.now();
  const {width, height} = bitmap;
  const placing = placingOf(width, height, about);
  const pixels = pixelsOf(bitmap);
  bitmap.close();
  const input = inputOf(pixels, placing, about.resizing.padding);
  const [inputWidth, inputHeight] = placing.size;
  const images = new ort.Tensor('uint8', input, [1, inputHeight, inputWidth, 3]);
  const outputs = await session.run({images});
  const rows = Object.fromEntries(OUTPUTS.map((name) => [name, outputs[name].data]));
  const people = peopleOf(rows, placing, about);
  return {people, width, height, milliseconds: performance.now() - begin};
}

function lineOf(error) {
  return String(error.message || error).split('\n')[0];
}

ready.then(
  ({settings}) => postMessage({settings}),
  (error) => postMessage({error: lineOf(error)}),
);

self.onmessage = async ({data: {bitmap, name}}) => {
  try {
    postMessage(await find(bitmap));
  } catch (error) {
    postMessage({error: `${name}: ${lineOf(error)}`});
  }
};
