// The chat on somebody else's page: a button with a panel ("floating"), or a frame in a place ("inline"). One plain script without
// dependencies; it leaves no global name, writes no markup, and needs of the page's policy only script-src and frame-src for its own host.
(() => {
  "use strict";
  const script = document.currentScript ?? document.querySelector('script[src$="/embed.js"]');
  if (!script?.src) return;
  const { origin } = new URL(script.src);
  const { mode = "floating", target = "", label = "Chat", position = "bottom-right" } = script.dataset;

  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; font: 500 16px/1.25 system-ui, sans-serif; }
    [hidden] { display: none !important; }
    button { cursor: pointer; border: 0; padding: 0; }
    button:focus-visible { outline: 3px solid #0b5563; outline-offset: 2px; box-shadow: 0 0 0 2px #fff; }
    .open { position: fixed; bottom: 16px; right: 16px; z-index: 2147483000; display: flex; align-items: center; gap: 8px; min-height: 48px; max-width: calc(100vw - 32px);
      padding: 8px 18px 8px 14px; color: #fff; background: #0b5563; border: 1px solid #fff; border-radius: 99px; box-shadow: 0 2px 10px rgb(0 0 0 / .25); }
    .open:hover { background: #083f4a; }
    .left .open, .left .panel { right: auto; left: 16px; }
    .open::before { content: ""; flex: none; width: 22px; height: 16px; border: 2px solid currentColor; border-radius: 7px 7px 7px 0; }
    :host([data-chat-inline]) { display: block; height: 100%; min-height: 480px; }
    .inline { display: grid; height: 100%; min-height: inherit; }
    .panel { position: fixed; bottom: 80px; right: 16px; z-index: 2147483001; width: min(400px, calc(100vw - 32px)); height: min(640px, calc(100dvh - 96px)); overflow: hidden;
      color-scheme: light dark; background: Canvas; border: 1px solid rgb(128 128 128 / .5); border-radius: 14px; box-shadow: 0 8px 32px rgb(0 0 0 / .25); }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
    .close { position: absolute; top: 8px; right: 8px; display: grid; place-items: center; width: 44px; height: 44px; font-size: 18px; color: CanvasText; background: none; border-radius: 99px; }
    .close:hover { background: rgb(128 128 128 / .2); }
    @media (max-width: 480px), (max-height: 480px) { .panel, .left .panel { inset: 0; width: 100%; height: 100%; border: 0; border-radius: 0; } }
    @media print { .open, .panel { display: none; } }`;

  const element = (name, attributes, ...inner) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inner);
    return made;
  };

  const shadow = (host, ...inner) => {
    const [root, sheet] = [host.attachShadow({ mode: "open" }), new CSSStyleSheet()];
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append(...inner);
    return root;
  };

  const frame = (query) => element("iframe", { src: `${origin}/embed${query}`, title: label, allow: "clipboard-write", referrerpolicy: "strict-origin-when-cross-origin" });

  function float() {
    const panel = element("div", { class: "panel", id: "panel", role: "dialog", "aria-label": label });
    const close = element("button", { class: "close", type: "button", "aria-label": `Close ${label}` }, "✕");
    const open = element("button", { class: "open", type: "button", "aria-expanded": "false", "aria-controls": "panel", "aria-haspopup": "dialog" }, label);
    const host = element("div", { "data-chat-widget": origin });
    panel.hidden = true;
    panel.append(close);
    const root = shadow(host, element("div", { class: position === "bottom-left" ? "left" : "right" }, open, panel));

    let chat = null;
    const show = (isOpen) => {
      if (isOpen && !chat) panel.prepend((chat = frame("?panel=1")));
      panel.hidden = !isOpen;
      open.setAttribute("aria-expanded", String(isOpen));
      (isOpen ? chat : open).focus();
    };
    open.addEventListener("click", () => show(panel.hidden));
    close.addEventListener("click", () => show(false));
    root.addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) show(false); });
    addEventListener("message", (event) => {
      if (chat && event.source === chat.contentWindow && event.origin === origin && event.data === "chat:close") show(false);
    });
    if (!document.querySelector(`[data-chat-widget="${CSS.escape(origin)}"]`)) document.body.append(host);
  }

  function fill() {
    let place = null;
    try { place = target && document.querySelector(target); } catch { /* no selector: told below */ }
    if (target && !place) return console.warn(`The chat has no place: nothing on this page matches data-target="${target}".`);
    const host = element("div", { "data-chat-inline": origin });
    shadow(host, element("div", { class: "inline" }, frame("")));
    if (place) place.replaceChildren(host);
    else script.after(host);
  }

  const start = mode === "inline" ? fill : float;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
  else start();
})();
