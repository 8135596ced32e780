// What every page has: theme, copy buttons, menus, dialogs, and where the focus goes after a post.
// Everything also works without it; listeners sit on the document, so swapped parts need no wiring.

const root = document.documentElement;
root.dataset.script = "on";

function announce(text) {
  const region = document.querySelector("[data-announce]");
  if (!region) return;
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = text; });
}

async function writeToClipboard(text) {
  if (await navigator.clipboard?.writeText(text).then(() => true, () => false)) return;
  const area = document.createElement("textarea");   // plain http on a name other than localhost, or in a frame
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error("not allowed");
}

async function copy(button) {
  if ("copied" in button.dataset) return;
  try {
    await writeToClipboard(button.dataset.copy || button.previousElementSibling.textContent);
  } catch {
    announce("The browser did not allow copying");
    return;
  }
  const before = [...button.childNodes];
  const label = button.getAttribute("aria-label");
  button.setAttribute("aria-label", `Copied: ${label}`);   // the name says what is read
  button.dataset.copied = "";
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => {
    button.replaceChildren(...before);
    button.setAttribute("aria-label", label);
    delete button.dataset.copied;
  }, 2000);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

function closeMenuAround(element) {
  const menu = element?.closest?.("details.menu[open]") ?? document.querySelector("details.menu[open]");
  if (!menu) return false;
  menu.open = false;
  menu.querySelector("summary").focus();
  return true;
}

async function switchTheme(form, button) {
  if (button.value) root.dataset.bsTheme = button.value;
  else delete root.dataset.bsTheme;
  for (const other of form.querySelectorAll("button")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  const body = new URLSearchParams(new FormData(form));
  body.set("theme", button.value);
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  if (!answer || answer.status >= 400) announce("The choice could not be stored");
}

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);
  if (event.target.closest("[data-print]")) print();
  const opener = event.target.closest("[data-open-dialog]");
  if (opener) {
    closeMenus(null);
    document.getElementById(opener.dataset.openDialog).showModal();
  }
  if (event.target.matches("dialog[open]")) event.target.close();   // the ground beside it
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-theme-form]")) return;
  event.preventDefault();
  switchTheme(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && closeMenuAround(document.activeElement)) event.preventDefault();
});

// Moving on with Tab closes the menu that was left behind.
document.addEventListener("focusin", (event) => closeMenus(event.target));

// After a post: the error summary, or the message that says what changed.
document.querySelector("[data-focus]")?.focus({ preventScroll: false });

// Where the tabs scroll, the present one is in view.
const present = document.querySelector(".tabs [aria-current]");
if (present) {
  const tabs = present.closest(".tabs");
  tabs.scrollLeft = present.offsetLeft - (tabs.clientWidth - present.offsetWidth) / 2;
}

// A select that filters needs no button where a script runs.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-filter] select")) event.target.form.requestSubmit();
});
