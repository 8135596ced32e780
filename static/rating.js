// Whether the chat helped: sent without leaving the page, told politely, pressed again taken back.

const form = document.querySelector("form[data-rating]");
const buttons = [...document.querySelectorAll("[data-tools] button[name=rating]")];
const region = document.querySelector("[data-chat-announce]");
const WORDS = { 1: "Rated as helpful.", "-1": "Rated as not helpful." };

async function rate(value) {
  const body = new URLSearchParams(new FormData(form));
  body.set("rating", value);
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const { rating } = await answer.json();
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === String(rating)));
    region.textContent = WORDS[rating] ?? "The rating is taken back.";
  } catch {
    region.textContent = "The rating could not be stored. Try again.";
  }
}

document.addEventListener("submit", (event) => {
  if (event.target !== form) return;
  event.preventDefault();
  rate(event.submitter.value);
});
