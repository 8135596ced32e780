// Dragging over a chart chooses the time from one of its rooms (chart_rooms.js) to another and goes there; Escape lets go.

let drag = null;        // what is held: chart, its places, the first and the last of them
let isQuiet = false;    // the click that ends a drag opens nothing

function placeAt({ chart, places }, x) {
  const { left, width } = chart.getBoundingClientRect();
  const index = Math.floor(((x - left) / width) * places.length);
  return Math.min(places.length - 1, Math.max(0, index));
}

function ends({ places, first, last }) {
  return [places[Math.min(first, last)], places[Math.max(first, last)]];
}

function show() {
  const low = Math.min(drag.first, drag.last);
  const high = Math.max(drag.first, drag.last);
  drag.places.forEach((place, index) => place.classList.toggle("is-chosen", index >= low && index <= high));
  const [from, to] = ends(drag);
  drag.words.textContent = `${from.dataset.fromWords} to ${to.dataset.toWords}`;
}

function letGo() {
  if (!drag) return;
  for (const place of drag.places) place.classList.remove("is-chosen");
  drag.words.textContent = "";
  drag = null;
}

function choose() {
  const [from, to] = ends(drag);
  const url = new URL(drag.chart.dataset.choose, location.href);
  url.searchParams.delete("range");
  url.searchParams.set("from", from.dataset.from);
  url.searchParams.set("to", to.dataset.to);
  location.assign(url);
}

document.addEventListener("pointerdown", (event) => {
  isQuiet = false;
  const chart = event.target.closest("svg[data-choose]");
  const isPlain = event.button === 0 && event.isPrimary && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  letGo();
  if (!chart || !isPlain) return;
  const places = [...chart.querySelectorAll("[data-from]")];
  if (places.length === 0) return;
  drag = { chart, places, words: chart.parentElement.querySelector("[data-chosen]"), pointer: event.pointerId, isMoved: false };
  drag.first = drag.last = placeAt(drag, event.clientX);
});

document.addEventListener("pointermove", (event) => {
  if (drag?.pointer !== event.pointerId) return;
  const last = placeAt(drag, event.clientX);
  if (last === drag.last) return;
  if (!drag.isMoved) drag.chart.setPointerCapture(event.pointerId);   // let go of outside the window, too
  drag.isMoved = true;
  drag.last = last;
  show();
});

document.addEventListener("pointerup", (event) => {
  if (drag?.pointer !== event.pointerId) return;
  if (!drag.isMoved) drag = null;
  else {
    isQuiet = true;
    choose();
  }
});

document.addEventListener("pointercancel", letGo);
addEventListener("pagehide", letGo);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag) return;
  isQuiet = true;
  letGo();
});

document.addEventListener("click", (event) => {
  if (isQuiet && event.target.closest("svg[data-choose]")) event.preventDefault();
  isQuiet = false;
}, true);

document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.("svg[data-choose]")) event.preventDefault();   // a bar is a link, which browsers drag
});
