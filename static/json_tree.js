// JSON that can be read is a tree whose branches fold; a button shows it as text again. What cannot be read, or is only the
// beginning of something longer, stays the text that it is, and so does everything without script.

const MOST = 200;         // children of one branch that are shown at once
const OPEN_TO = 2;        // levels that are open at first

function made(name, className, ...inside) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...inside);
  return element;
}

const entriesOf = (value) => (Array.isArray(value) ? value.map((one, index) => [index, one]) : Object.entries(value));
const keyed = (key) => (key === null ? [] : [made("span", "tree-key", String(key)), ": "]);

// A number that a script cannot hold is shown as it was written; where a browser does not tell how, JSON stays text.
class Written {
  constructor(source) {
    if (source === undefined) throw new Error("this browser does not tell");
    this.source = source;
  }
}

function read(key, value, context) {
  const isHeld = typeof value !== "number" || Number.isSafeInteger(value) || String(value) === context?.source;
  return isHeld ? value : new Written(context?.source);
}

function leaf(key, value) {
  const text = value instanceof Written ? value.source : JSON.stringify(value);
  return made("div", "tree-leaf", ...keyed(key), made("span", value === null ? "tree-null" : "", text));
}

function more(branch, entries, from, depth) {
  for (const [key, value] of entries.slice(from, from + MOST)) branch.append(node(key, value, depth));
  if (entries.length <= from + MOST) return;
  const button = made("button", "btn btn-sm", `${entries.length - from - MOST} more`);
  button.type = "button";
  button.addEventListener("click", () => {
    button.remove();
    more(branch, entries, from + MOST, depth);
    branch.children[from]?.scrollIntoView({ block: "nearest" });
  });
  branch.append(button);
}

// A branch is filled when it is first opened, so that nothing is slow that nobody looks at.
function node(key, value, depth) {
  if (value === null || typeof value !== "object" || value instanceof Written) return leaf(key, value);
  const entries = entriesOf(value);
  if (entries.length === 0) return leaf(key, value);
  const told = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  const inside = made("div", "tree-inside");
  const branch = made("details", "", made("summary", "", ...keyed(key), made("span", "tree-count", told)), inside);
  const fill = () => inside.hasChildNodes() || more(inside, entries, 0, depth + 1);
  branch.addEventListener("toggle", fill);
  if (depth < OPEN_TO) {
    fill();
    branch.open = true;
  }
  return branch;
}

function grow(text) {
  text.dataset.tree = "";
  let value;
  try {
    value = JSON.parse(text.textContent, read);
  } catch {
    return;
  }
  if (value === null || typeof value !== "object") return;
  const tree = made("div", "tree code", node(null, value, 0));
  const button = made("button", "btn btn-sm tree-switch", "As text");
  button.type = "button";
  button.addEventListener("click", () => {
    tree.hidden = !tree.hidden;
    text.hidden = !tree.hidden;
    button.textContent = tree.hidden ? "As a tree" : "As text";
  });
  text.hidden = true;
  text.before(button, tree);
}

function growAll() {
  for (const text of document.querySelectorAll(".json[open] pre.code:not([data-tree])")) grow(text);
}

growAll();
document.addEventListener("parts", growAll);
document.addEventListener("toggle", growAll, true);
