// "/" searches, "g" then a letter goes, "j" and "k" move along rows, "?" shows the list of keys.

const PLACES = { o: "overview.index", c: "llm_clients.index", d: "custom_domains.index", r: "request_history.index", p: "providers.index", k: "api_keys.index", s: "system.index" };
let leaderAt = -Infinity;   // times count from the load of the page

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable]") !== null;
}

function moveRow(step) {
  const rows = [...document.querySelectorAll("[data-rows] > *")].filter((row) => row.querySelector("a, button"));
  if (rows.length === 0) return;
  let here = rows.findIndex((row) => row.contains(document.activeElement));
  if (here < 0) here = rows.findIndex((row) => row.matches("[aria-current]"));   // open in the drawer
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step));
  rows[next].querySelector("a, button").focus();
  rows[next].scrollIntoView({ block: "nearest" });
}

function focusSearch() {
  const toggle = document.querySelector("details.side-toggle");
  const field = document.querySelector("main input[type=search]") ?? document.querySelector("[data-search]");
  if (!field) return;
  if (field.offsetParent === null && toggle) toggle.open = true;
  field.focus();
  field.select();
}

function go(letter) {
  const link = document.querySelector(`[data-go="${PLACES[letter]}"]`);
  if (link) location.assign(link.href);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const afterLeader = event.timeStamp - leaderAt < 1500;
  leaderAt = -Infinity;
  if (afterLeader && event.key in PLACES) go(event.key);
  else if (event.key === "g") leaderAt = event.timeStamp;
  else if (event.key === "/") focusSearch();
  else if (event.key === "j") moveRow(1);
  else if (event.key === "k") moveRow(-1);
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else return;
  event.preventDefault();
});
