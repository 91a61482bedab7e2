// Runs the model beside the page, so that the page answers while it computes.
// In: {bitmap, name}. Out: {about} once, then {people, width, height, milliseconds} or {error} for each image.

import * as ort from './ort.wasm.bundle.min.mjs';
import {inputOf, peopleOf, placingOf} from './people.js';

const OUTPUTS = ['keypoints', 'keypoint_scores', 'scores', 'centers'];
const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext('2d', {willReadFrequently: true});
const ready = start();

async function fetched(name) {
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name}: is not there (${answer.status}); put the whole folder on the server`);
  return answer;
}

async function start() {
  const settings = await (await fetched('page.json')).json();
  const model = await (await fetched('model.onnx')).arrayBuffer();
  await checkHash(model, settings.sha256);
  const session = await ort.InferenceSession.create(model, {executionProviders: ['wasm']});
  return {session, settings};
}

// Browsers hash only on pages of https and of this machine.
async function checkHash(model, wanted) {
  if (!self.crypto.subtle) return;
  const digest = new Uint8Array(await self.crypto.subtle.digest('SHA-256', model));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (found !== wanted) {
    throw new Error('model.onnx: is not the file that this page was written with; copy the whole folder again');
  }
}

async function find(bitmap) {
  const {session, settings: {about}} = await ready;
  const begin = performance.now();
  const {width, height} = bitmap;
  const placing = placingOf(width, height, about);
  [canvas.width, canvas.height] = [width, height];
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const input = inputOf(context.getImageData(0, 0, width, height), placing, about.resizing.padding);
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
