// A click on the picture is handed over as a place in pixels of the image.
// Gradio runs this once, with `element` and `trigger` of the component.

element.addEventListener('click', (event) => {
  const image = event.target.closest('img.cid-people');
  if (!image) return;
  const box = image.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * Number(image.dataset.width) - 0.5;
  const y = ((event.clientY - box.top) / box.height) * Number(image.dataset.height) - 0.5;
  trigger('select', {x, y});
});
