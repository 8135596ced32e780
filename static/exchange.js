// What an exchange looks like on the page, filled from the <template>. While it comes the model's text is
// only ever text. At its end the server's own renderer made HTML of it, in which every word is escaped;
// that alone is put in as HTML, by a parser that runs nothing, under a policy without inline script.

const form = document.querySelector("form[data-chat]");
const talk = document.querySelector("[data-talk]");
const template = document.querySelector("template[data-exchange]");
const scroller = document.querySelector("[data-scroll]");
const tools = document.querySelector("[data-tools]");   // those of the last answer, only on the chat page

const seconds = (milliseconds) => (milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`);

function showNames(list, names) {
  const [blank] = list.children;
  list.replaceChildren(...names.map((name) => {
    const item = blank.cloneNode(true);
    item.lastElementChild.textContent = name;
    return item;
  }));
  list.hidden = !names.length;
}

export function newExchange(question, replaced, names) {
  const parts = Object.create(null);
  const fragment = template.content.cloneNode(true);
  for (const element of fragment.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  parts.question.textContent = question;
  if (parts.files) showNames(parts.files, names);
  if (replaced) parts.question.closest("li").remove();
  if (replaced) replaced.after(fragment);
  else talk.append(fragment);
  document.querySelector("[data-new-chat]")?.removeAttribute("hidden");
  scroller.scrollTop = scroller.scrollHeight;
  return parts;
}

const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
const toEnd = () => { scroller.scrollTop = scroller.scrollHeight; };

export function followed(change) {
  const atEnd = isAtEnd();
  const outcome = change();
  if (atEnd) toEnd();
  return outcome;
}

// A composer that grows, or a keyboard that opens, does not cover the last words.
let follows = true;
scroller.addEventListener("scroll", () => { follows = isAtEnd(); }, { passive: true });
new ResizeObserver(() => { if (follows) toEnd(); }).observe(scroller);

// Calm is what is no fault: the visitor stopped it, or its owner's words say that the budget is used.
export function fail(parts, sentence, isCalm = false) {
  followed(() => {
    parts.error.classList.toggle("is-calm", isCalm);
    parts.error.hidden = false;
    parts.error.querySelector("[data-sentence]").textContent = sentence;
    parts.answer.hidden = !parts.answer.textContent;
  });
  return sentence;
}

// The words of the answer for those who listen, without its buttons.
function showAnswer(parts, html) {
  const words = new DOMParser().parseFromString(html, "text/html").body;
  parts.answer.classList.remove("pre-line");
  parts.answer.replaceChildren(...words.cloneNode(true).childNodes);
  for (const button of words.querySelectorAll("button")) button.remove();
  return words.textContent.trim();
}

export function finish(parts, data) {
  const words = showAnswer(parts, data.html);
  for (const field of document.querySelectorAll("input[name=session_key]")) field.value = data.session_key;
  if (parts.under) {
    parts.copy.dataset.copy = data.answer;
    parts.under.append(tools);
    parts.under.hidden = false;
  }
  if (parts.timing) {
    parts.timing.hidden = false;
    parts.latency.textContent = seconds(data.latency_ms);
    parts.first.textContent = data.first_token_ms === null ? "–" : seconds(data.first_token_ms);
    parts.tokens.textContent = `${data.tokens_in.toLocaleString("en")} in, ${data.tokens_out.toLocaleString("en")} out`;
  }
  return words;
}

export function showSent(parts, json) {
  if (!parts.sent) return;
  parts.sent.textContent = typeof json === "string" ? json : JSON.stringify(json, null, 2);
  parts.sentBox.hidden = false;
}
