// Over each place of a chart lies a room for the pointer: it tells the numbers that stand in its row of the table,
// and is a link where the row has one. Dragging over a chart chooses the time from one place to another and goes
// there; Escape lets go. The links of the table are those for the keyboard, and for who has no script.

function drawn(chart, name, attributes) {
  const made = document.createElementNS(chart.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function lay(chart) {
  const table = chart.closest("section").querySelector("table");
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const rooms = rows.map((row, index) => {
    const link = row.querySelector("a");
    const room = link ? drawn(chart, "a", { href: link.getAttribute("href"), tabindex: -1 }) : drawn(chart, "g", {});
    const said = drawn(chart, "title", {});
    said.textContent = [...row.cells].map((cell, at) => (at ? `${names[at]}: ${cell.textContent}` : cell.textContent)).join("\n");
    if (link) {
      const time = new URL(link.href).searchParams;
      Object.assign(room.dataset, { from: time.get("from"), to: time.get("to"), fromWords: row.dataset.start,
        toWords: rows[index + 1]?.dataset.start ?? table.dataset.end });
    }
    room.append(said, drawn(chart, "rect", { class: "bar-room", x: (100 * index) / rows.length, y: 0, width: 100 / rows.length, height: 100 }));
    return room;
  });
  chart.prepend(...rooms);
}

document.querySelectorAll("svg.drawing").forEach(lay);

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
