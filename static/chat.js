// One conversation: sends the form by fetch and shows the answer while it streams. Used by the chat page
// and by the sandbox; what they show differs only in the <template>. Text of the model is only ever text.

const form = document.querySelector("form[data-chat]");
const talk = document.querySelector("[data-talk]");
const template = document.querySelector("template[data-exchange]");
const scroller = document.querySelector("[data-scroll]");
const [send, stop] = [form.querySelector("[data-send]"), form.querySelector("[data-stop]")];
const message = form.querySelector("textarea");
let running = null;

const seconds = (milliseconds) => (milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`);

function newExchange(question) {
  const parts = {};
  const fragment = template.content.cloneNode(true);
  for (const element of fragment.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  parts.question.textContent = question;
  talk.append(fragment);
  document.querySelector("[data-new-chat]")?.removeAttribute("hidden");
  scroller.scrollTop = scroller.scrollHeight;
  return parts;
}

function followed(change) {
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  const outcome = change();
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  return outcome;
}

function fail(parts, sentence) {
  followed(() => {
    parts.error.hidden = false;
    parts.error.querySelector("[data-sentence]").textContent = sentence;
    parts.answer.hidden = !parts.answer.textContent;
  });
  return sentence;
}

function finish(parts, data) {
  parts.answer.textContent = data.answer;
  form.elements.namedItem("session_key").value = data.session_key;
  if (parts.timing) {
    parts.timing.hidden = false;
    parts.latency.textContent = seconds(data.latency_ms);
    parts.first.textContent = data.first_token_ms === null ? "–" : seconds(data.first_token_ms);
    parts.tokens.textContent = `${data.tokens_in.toLocaleString("en")} in, ${data.tokens_out.toLocaleString("en")} out`;
  }
  return data.answer;
}

function showSent(parts, json) {
  if (!parts.sent) return;
  parts.sent.textContent = typeof json === "string" ? json : JSON.stringify(json, null, 2);
  parts.sentBox.hidden = false;
}

async function refusal(answer) {
  if (answer.status === 401) return "Your session has ended. Reload the page and sign in.";
  const body = await answer.json().catch(() => ({}));
  return body.error?.message ?? body.message ?? `No answer came (status ${answer.status}). Send it again.`;
}

async function stream(parts, body, signal) {
  const token = document.querySelector("meta[name=csrf-token]")?.content;
  const headers = { Accept: "text/event-stream", ...(token && { "X-CSRFToken": token }) };
  const answer = await fetch(form.dataset.streamUrl, { method: "POST", body, headers, signal, redirect: "error" });
  if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("text/event-stream")) return fail(parts, await refusal(answer));
  const { eventsOf } = await import(form.dataset.eventStream);   // its address carries its mark
  for await (const { name, data } of eventsOf(answer.body)) {
    if (name === "sent") followed(() => showSent(parts, data.json));
    if (name === "delta") followed(() => parts.answer.append(data.text));
    if (name === "done") return followed(() => finish(parts, data));
    if (name === "error") return fail(parts, data.message);
  }
  return fail(parts, "The answer broke off. Send the question again.");
}

function show(isRunning, sentence = "") {
  [send.hidden, stop.hidden] = [isRunning, !isRunning];
  form.querySelector("[data-chat-status]").textContent = isRunning ? form.dataset.answering : "";
  document.querySelector("[data-chat-announce]").textContent = sentence;
}

async function ask(question) {
  const body = new URLSearchParams(new FormData(form));
  body.set("message", question);
  message.value = "";
  running = new AbortController();
  const parts = newExchange(question);
  show(true);
  let sentence = "";
  try {
    sentence = await stream(parts, body, running.signal);
  } catch (error) {
    sentence = fail(parts, error.name === "AbortError" ? "Stopped." : "The connection was lost. Send the question again.");
  }
  if (!parts.error.hidden && !message.value && sentence !== "Stopped.") message.value = question;
  parts.bubble.removeAttribute("aria-busy");
  parts.caret.remove();
  running = null;
  if (document.activeElement === stop) message.focus();
  show(false, sentence);
}

document.addEventListener("submit", (event) => {
  if (event.target !== form) return;
  event.preventDefault();
  const question = (event.submitter?.value || message.value).trim();
  if (question && !running) ask(question);
});

stop.addEventListener("click", () => running?.abort());
message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
  event.preventDefault();
  form.requestSubmit();
});
scroller.scrollTop = scroller.scrollHeight;
