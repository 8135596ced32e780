// The form of an LLM client: the address while the name is typed, the chat page while its words are.
// Both stand on the page from the server already; this only keeps them current.

const form = document.querySelector("form[data-live]");
const field = (name) => form.elements.namedItem(name);

function debounced(action, milliseconds) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}

const hostname = form.querySelector("[data-live-hostname]");
let question = null;

async function askForHostname() {
  question?.abort();
  question = new AbortController();
  const url = new URL(hostname.dataset.url, location.href);
  url.searchParams.set("name", field("name").value);
  try {
    const answer = await fetch(url, { signal: question.signal, redirect: "error" });
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    hostname.replaceChildren(...part.body.childNodes);
  } catch {
    // Typed on, or no connection: the address stays as it was, saving checks it again.
  }
}

const preview = document.querySelector("[data-preview]");

function initials(words) {
  const parts = words.split(/[\s._-]+/).filter(Boolean);
  return (parts.length > 1 ? parts.slice(0, 2).map((word) => [...word][0]).join("") : words.slice(0, 2)).toUpperCase();
}

function showWords() {
  for (const element of preview.querySelectorAll("[data-from]")) {
    const [name, fallback] = [element.dataset.from, element.dataset.fallback ?? ""];
    element.textContent = field(name).value.trim() || fallback;
  }
  preview.querySelector("[data-initials]").textContent = initials(field("app_name").value || field("name").value);
}

function showExamples() {
  const lines = field("app_example_prompts").value.split("\n").map((line) => line.trim()).filter(Boolean).slice(0, 6);
  preview.querySelector("[data-examples]").replaceChildren(...lines.map((line) => {
    const chip = document.createElement("span");
    chip.className = "said-chip";
    chip.textContent = line;
    return chip;
  }));
}

// A file that was chosen goes before the one that is stored, and that before an address.
async function addressOf(image) {
  const [chosen] = field(image.dataset.file).files;
  if (chosen) return chosen.size > 2e6 ? "" : dataAddress(chosen);
  if (image.dataset.uploaded && !field(image.dataset.remove)?.checked) return new URL(image.dataset.uploaded, location.href).href;
  const typed = field(image.dataset.image).value.trim();
  return /^https:\/\/\S+\.\S+/.test(typed) ? typed : "";
}

function dataAddress(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => resolve("");
    reader.readAsDataURL(file);
  });
}

// An image shows once it has loaded; until then the initials or the plain ground stand.
async function showImage(image) {
  const address = await addressOf(image);
  image.hidden = true;
  if (!address) return image.removeAttribute("src");
  if (image.src === address && image.complete && image.naturalWidth) image.hidden = false;
  else image.src = address;
}

const showImages = debounced(() => preview.querySelectorAll("[data-image]").forEach(showImage), 500);
const updateHostname = debounced(askForHostname, 250);

preview.addEventListener("load", (event) => { event.target.hidden = false; }, true);
form.addEventListener("input", (event) => {
  form.querySelector("[data-save-note]").textContent = "Changed, not saved yet.";
  if (event.target.name === "name") updateHostname();
  showWords();
  if (event.target.name === "app_example_prompts") showExamples();
  if (/_(url|file|remove)$/.test(event.target.name)) showImages();
});

// Ctrl or Cmd with Enter saves from any field.
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

showImages();
document.querySelector("[data-live-note]").hidden = false;
