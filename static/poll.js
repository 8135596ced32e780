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
  const wanted = [...fresh.childNodes];
  if (wanted.some((node) => node.id)) dropGone(old, wanted);
  let present = old.firstChild;
  for (const node of wanted) {
    if (present && sameKind(present, node)) {
      const next = present.nextSibling;
      morph(present, node);
      present = next;
    } else if (present && node.id && wanted.some((other) => other.id && other.id === present.id)) {
      old.insertBefore(node, present);   // a new row above one that stays
    } else if (present) {
      const next = present.nextSibling;
      present.replaceWith(node);
      present = next;
    } else old.append(node);
  }
  while (present) {
    const next = present.nextSibling;
    present.remove();
    present = next;
  }
}

// Rows with ids keep their elements, and with them the focus: only those that are gone are taken out.
function dropGone(old, wanted) {
  const kept = new Set(wanted.map((node) => node.id).filter(Boolean));
  for (const child of [...old.childNodes]) {
    if (child.id ? !kept.has(child.id) : child.nodeType === Node.TEXT_NODE) child.remove();
  }
  for (let index = wanted.length - 1; index >= 0; index -= 1) {
    if (wanted[index].nodeType === Node.TEXT_NODE) wanted.splice(index, 1);
  }
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
