// A part of the page that is not there yet is a link to the page with it. Here that page is fetched, and every part that it
// was asked for put in the place of its link: folded, but for the one that was clicked.

const asked = new Map();
const bare = (href) => href.split("#")[0];

async function put(address) {
  const answer = await fetch(address, { redirect: "error", headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const link of document.querySelectorAll("a[data-part]")) {
    if (bare(link.href) !== address) continue;
    const place = link.closest("[id]");
    const found = page.getElementById(place.id);
    if (!found) continue;   // that page has become another one
    const part = document.importNode(found, true);
    part.open = false;
    place.replaceWith(part);
  }
  document.dispatchEvent(new Event("parts"));
}

// Once for each address, however often it is wanted: after a failure the link still leads there.
function bring(link) {
  const address = bare(link.href);
  if (!asked.has(address)) asked.set(address, put(address));
  return asked.get(address);
}

// Another script can do without it: the link is still there.
document.addEventListener("wanted", (event) => bring(event.target).catch(() => {}));

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-part]");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain) return;
  event.preventDefault();
  const { id } = link.closest("[id]");
  try {
    await bring(link);
  } catch {
    location.assign(link.href);
    return;
  }
  const summary = document.getElementById(id).querySelector("summary");
  if (!summary) return location.assign(link.href);
  summary.parentElement.open = true;
  summary.focus();
});
