// The place where an image is given: chosen, dropped or pasted anywhere on the page, or taken by the camera.
// Gradio runs this once, with `element`, `props` and `trigger` of the component.

const chooser = element.querySelector('input');
const camera = element.querySelector('.cid-camera');
const video = element.querySelector('video');
let stream = null;

function readAsBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

async function give(file, name) {
  const tooLarge = file.size > props.max_bytes;
  try {
    const data = tooLarge || !file.size ? '' : await readAsBase64(file);
    trigger('upload', {name, size: file.size, data});
  } catch (error) {
    trigger('problem', {text: `${name}: cannot be read (${error.message})`});
  }
}

function giveFirst(files) {
  if (files && files.length) give(files[0], files[0].name || 'pasted');
}

function closeCamera() {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  camera.hidden = true;
}

async function openCamera() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 1280}}});
  } catch (error) {
    trigger('problem', {text: `camera: ${error.name === 'NotAllowedError' ? 'the browser does not allow it' : 'there is none, or it is in use'}`});
    return;
  }
  video.srcObject = stream;
  camera.hidden = false;
}

function takeImage() {
  if (!video.videoWidth) return;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  canvas.toBlob((blob) => give(blob, 'camera.png'), 'image/png');
  closeCamera();
}

const actions = {choose: () => chooser.click(), camera: openCamera, take: takeImage, close: closeCamera};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-do]');
  if (button) actions[button.dataset.do]();
});
chooser.addEventListener('change', () => {
  giveFirst(chooser.files);
  chooser.value = ''; // the same file may be chosen again
});

function holdsFiles(event) {
  return event.dataTransfer && Array.from(event.dataTransfer.types).includes('Files');
}

document.addEventListener('dragover', (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  element.classList.add('cid-over');
});
document.addEventListener('dragleave', (event) => {
  if (!event.relatedTarget) element.classList.remove('cid-over');
});
document.addEventListener('drop', (event) => {
  element.classList.remove('cid-over');
  if (!holdsFiles(event)) return;
  event.preventDefault();
  giveFirst(event.dataTransfer.files);
});
document.addEventListener('paste', (event) => {
  const files = event.clipboardData ? event.clipboardData.files : null;
  if (!files || !files.length) return;
  event.preventDefault();
  giveFirst(files);
});
