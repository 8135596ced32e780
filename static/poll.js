// Keeps #status current while work is under way. The fragment says where and when to ask again
// (data-poll-url, data-poll-after in milliseconds); without them nothing is asked any more.

const LONGEST_WAIT_MS = 60_000;
const lost = document.querySelector("[data-poll-lost]");
let etag = "";
let failures = 0;
let timer = 0;

const status = () => document.getElementById("status");

function sayIfChanged(before, after) {
  const text = (root) => root.querySelector("[data-poll-say]")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  if (text(before) === text(after)) return;
  document.querySelector("[data-announce]").textContent = text(after);
}

function sameKind(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && old.id === fresh.id;
}

function copyAttributes(old, fresh) {
  const kept = old.nodeName === "DETAILS" ? ["open"] : old.hasAttribute?.("data-copied") ? ["data-copied"] : [];
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !kept.includes(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !kept.includes(name)) old.setAttribute(name, value);
  }
}

// Changes only what differs: focus, open menus, selections and turning icons stay as they are.
function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  if (old.hasAttribute("data-copied")) return;
  copyAttributes(old, fresh);
  const rows = [...fresh.children];
  const keyed = rows.length > 0 && rows.every((row) => row.id);   // rows keep their elements, and with them the focus
  const wanted = keyed ? rows : [...fresh.childNodes];
  const ids = new Set(keyed ? rows.map((row) => row.id) : []);
  if (keyed) [...old.childNodes].filter((node) => !ids.has(node.id)).forEach((node) => node.remove());
  let present = old.firstChild;
  for (const node of wanted) {
    const next = present?.nextSibling;
    if (!present) old.append(node);
    else if (sameKind(present, node)) morph(present, node);
    else if (ids.has(present.id)) { old.insertBefore(node, present); continue; }
    else present.replaceWith(node);
    present = next;
  }
  [...old.childNodes].slice(wanted.length).forEach((node) => node.remove());
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("status");
  if (!fresh) throw new Error("The answer has no status");
  sayIfChanged(status(), fresh);
  morph(status(), document.importNode(fresh, true));
  document.dispatchEvent(new Event("poll:changed"));
}

function showLost(isLost) {
  if (lost) lost.hidden = !isLost;
}

async function ask() {
  const { pollUrl } = status().dataset;
  if (!pollUrl) return;
  try {
    const headers = etag ? { "If-None-Match": etag } : {};
    const answer = await fetch(pollUrl, { headers, cache: "no-store", redirect: "manual" });
    if (answer.type === "opaqueredirect" || [404, 410].includes(answer.status)) {   // signed out, deleted or revoked meanwhile
      location.reload();
      return;
    }
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      swap(await answer.text());
      etag = answer.headers.get("ETag") ?? "";
    }
    failures = 0;
  } catch {
    failures += 1;
  }
  showLost(failures > 0);
  plan();
}

function plan() {
  clearTimeout(timer);
  const { pollUrl, pollAfter } = status()?.dataset ?? {};
  if (!pollUrl || !pollAfter || document.hidden) return;
  const wait = Math.min(Number(pollAfter) * 2 ** failures, Math.max(LONGEST_WAIT_MS, Number(pollAfter)));
  timer = setTimeout(ask, wait * (0.9 + Math.random() * 0.2));
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && status()?.dataset.pollUrl) ask();
});
plan();
