// Over each place of a chart lies a room for the pointer: it tells the numbers that stand in its row of the table,
// and is a link where the row has one. The table is fetched when a pointer comes near, or at once where fingers touch.
// The links of the table are those for the keyboard, and for who has no script.

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

function layAll() {
  for (const chart of document.querySelectorAll("svg.drawing:not(:has(.bar-room))")) {
    if (chart.closest("section").querySelector("table")) lay(chart);
  }
}

// parts.js fetches it.
function wantNumbers(section) {
  section?.querySelector(".drawing") && section.querySelector("a[data-part]")?.dispatchEvent(new Event("wanted", { bubbles: true }));
}

layAll();
document.addEventListener("parts", layAll);
document.addEventListener("pointerover", (event) => wantNumbers(event.target.closest?.("section")));
if (matchMedia("(any-pointer: coarse)").matches) document.querySelectorAll("section").forEach(wantNumbers);
