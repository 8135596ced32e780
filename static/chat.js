// One conversation: sends the form by fetch and shows the answer while it streams. Used by the chat page
// and by the sandbox; what they show differs only in the <template>.

const form = document.querySelector("form[data-chat]");
const scroller = document.querySelector("[data-scroll]");
const [send, stop] = [form.querySelector("[data-send]"), form.querySelector("[data-stop]")];
const message = form.querySelector("textarea");
const tools = document.querySelector("[data-tools]");   // those of the last answer, only on the chat page
const isTouched = matchMedia("(pointer: coarse)").matches;
let running = null;
const { eventsOf } = await import(form.dataset.eventStream);   // their addresses carry their marks
const { newExchange, followed, fail, finish, showSent } = await import(form.dataset.exchange);

async function refusal(answer) {
  if (answer.status === 401) return "Your session has ended. Reload the page and sign in.";
  const body = await answer.json().catch(() => ({}));
  return body.error?.message ?? body.message ?? `No answer came (status ${answer.status}). Send it again.`;
}

async function stream(parts, sent, url, signal) {
  const token = document.querySelector("meta[name=csrf-token]")?.content;
  const headers = { Accept: "text/event-stream", ...(token && { "X-CSRFToken": token }) };
  const body = form.enctype === "multipart/form-data" ? sent : new URLSearchParams(sent);
  const answer = await fetch(url, { method: "POST", body, headers, signal, redirect: "error" });
  if (!answer.ok || !answer.headers.get("Content-Type")?.startsWith("text/event-stream")) return fail(parts, await refusal(answer));
  for await (const { name, data } of eventsOf(answer.body)) {
    if (name === "sent") followed(() => showSent(parts, data.json));
    if (name === "delta") followed(() => parts.answer.append(data.text));
    if (name === "done") return followed(() => finish(parts, data));
    if (name === "error") return fail(parts, data.message, data.reason === "budget_reached");
  }
  return fail(parts, "The answer broke off. Send the question again.");
}

function show(isRunning, sentence = "") {
  [send.hidden, stop.hidden] = [isRunning, !isRunning];
  form.toggleAttribute("data-running", isRunning);
  if (tools) tools.hidden = isRunning || !tools.closest("li");
  form.querySelector("[data-chat-status]").textContent = isRunning ? form.dataset.answering : "";
  document.querySelector("[data-chat-announce]").textContent = sentence;
}

async function ask(question, again = null) {
  const sent = new FormData(again ?? form);
  const replaced = again && tools.closest("li");
  if (!again) sent.set("message", question);
  if (!again) message.value = "";
  running = new AbortController();
  const held = document.activeElement;
  const names = sent.getAll("files").map((file) => file.name).filter(Boolean);
  const parts = newExchange(question, replaced, names);
  show(true);
  if (held.closest("[hidden]") && !isTouched) stop.focus();
  if (replaced) replaced.hidden = true;
  let sentence = "";
  try {
    sentence = await stream(parts, sent, again?.action ?? form.dataset.streamUrl, running.signal);
  } catch (error) {
    const isStopped = error.name === "AbortError";
    sentence = fail(parts, isStopped ? "Stopped." : "The connection was lost. Send the question again.", isStopped);
  }
  if (parts.error.hidden) replaced?.remove();
  else if (replaced) replaced.hidden = false;
  if (parts.error.hidden || sentence === "Stopped.") form.dispatchEvent(new CustomEvent("chat:answered"));
  else if (!message.value) message.value = question;
  parts.bubble.removeAttribute("aria-busy");
  parts.caret.remove();
  running = null;
  const isOnStop = document.activeElement === stop;
  show(false, sentence);
  if (isOnStop) (tools?.contains(held) ? held : message).focus();
}

document.addEventListener("submit", (event) => {
  const again = event.target.matches("[data-again]") ? event.target : null;
  if (event.target !== form && !again) return;
  event.preventDefault();
  const question = again ? "" : (event.submitter?.value || message.value).trim();
  if ((question || again) && !running) ask(question, again);
});

stop.addEventListener("click", () => running?.abort());
message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || isTouched) return;
  event.preventDefault();
  form.requestSubmit();
});
scroller.scrollTop = scroller.scrollHeight;
