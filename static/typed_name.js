// What a typed domain becomes, while it is typed. Without script the answer to the form says it.

const form = document.querySelector("[data-name-form]");
const preview = form.querySelector("[data-name-preview]");
let timer = 0;
let question = null;

async function ask(text) {
  question?.abort();
  question = new AbortController();
  const url = new URL(preview.dataset.url, location.href);
  url.searchParams.set("name", text);
  try {
    const answer = await fetch(url, { signal: question.signal, redirect: "error" });
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    preview.replaceChildren(...part.body.childNodes);
    preview.hidden = false;
  } catch {
    // Typed on, or no connection: adding the domain checks it again.
  }
}

// Typed before this script was there.
const field = form.elements.namedItem("domain_name");
if (field.value !== field.defaultValue) ask(field.value);

form.addEventListener("input", (event) => {
  if (event.target.name !== "domain_name") return;
  clearTimeout(timer);
  timer = setTimeout(ask, 250, event.target.value);
});
