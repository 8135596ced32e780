// The chat page in a frame of another page: Escape closes the panel around it, links open beside it, the message takes the focus.

const message = document.querySelector("textarea");
const isInPanel = document.body.classList.contains("is-in-panel");

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isInPanel && !event.defaultPrevented) parent.postMessage("chat:close", "*");   // says nothing but that
});

addEventListener("focus", () => {
  if (isInPanel && document.activeElement === document.body && matchMedia("(pointer: fine)").matches) message?.focus();
});

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='http']");
  if (link && !link.target) [link.target, link.rel] = ["_blank", "noopener"];
});
