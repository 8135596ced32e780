// A row of the list opens the request beside it, where there is room; elsewhere the row is a link.
// While it is open, moving along the rows with "j" and "k" shows each; Escape closes it, and the focus is on the row again.

const list = document.querySelector("[data-drawer]");
const wide = matchMedia("(min-width: 1200px)");
let shown = "";       // the id of the row whose request is open
let question = null;
let timer = 0;

const drawer = () => list.querySelector(".drawer");
const rows = () => [...list.querySelectorAll("[data-rows] > tr")];
const linkOf = (row) => row?.querySelector("a");

function mark() {
  for (const row of rows()) {
    if (row.id === shown) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  const index = rows().findIndex((row) => row.id === shown);
  for (const button of drawer()?.querySelectorAll("[data-drawer-step]") ?? []) {
    button.disabled = !rows()[index + Number(button.dataset.drawerStep)] || index < 0;
  }
}

async function open(row, { focus = "" } = {}) {
  clearTimeout(timer);
  question?.abort();
  const asked = question = new AbortController();
  shown = row.id;
  mark();
  const { href } = linkOf(row);
  try {
    const answer = await fetch(`${href}/drawer`, { signal: asked.signal, redirect: "error", headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".drawer");
    if (asked.signal.aborted) return;
    const fresh = document.importNode(part, true);
    if (drawer()) drawer().replaceWith(fresh);
    else list.append(fresh);
    document.dispatchEvent(new Event("parts"));
    mark();
    const target = focus && fresh.querySelector(focus);
    if (target) (target.disabled ? fresh.querySelector("h2") : target).focus({ preventScroll: true });
  } catch {
    if (!asked.signal.aborted) location.assign(href);
  }
}

function close() {
  clearTimeout(timer);
  question?.abort();
  const row = document.getElementById(shown);
  shown = "";
  drawer()?.remove();
  mark();
  linkOf(row)?.focus();
}

function step(count) {
  const index = rows().findIndex((row) => row.id === shown);
  const row = rows()[index + count];
  if (index < 0 || !row) return;
  row.scrollIntoView({ block: "nearest" });
  open(row, { focus: `[data-drawer-step="${count}"]` });
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-drawer-step], [data-drawer-close]");
  if (button) return "drawerClose" in button.dataset ? close() : step(Number(button.dataset.drawerStep));
  const row = event.target.closest("[data-rows] > tr");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!row || !isPlain || !wide.matches || !linkOf(row) || String(getSelection())) return;
  event.preventDefault();
  open(row, { focus: "h2" });
});

list.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-rows] > tr");
  if (!shown || !row || row.id === shown) return;
  clearTimeout(timer);
  timer = setTimeout(() => open(row), 120);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !shown || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  close();
  event.preventDefault();
});

wide.addEventListener("change", () => { if (!wide.matches && shown) close(); });
document.addEventListener("poll:changed", mark);
