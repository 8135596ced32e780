// Text files that go with a message: chosen in one or several goes, shown as chips, taken away again.
// The form's own field always holds exactly those that are shown.

const form = document.querySelector("form[data-chat]");
const [field, list] = [form.querySelector("[data-files]"), form.querySelector("[data-chips]")];
const chip = form.querySelector("template[data-chip]");
const problem = form.querySelector("[data-files-problem]");
const [MOST, LARGEST] = [3, 100_000];
let chosen = [];

function chipOf(file) {
  const item = chip.content.firstElementChild.cloneNode(true);
  const button = item.querySelector("button");
  item.querySelector("span").textContent = file.name;
  button.setAttribute("aria-label", `Remove ${file.name}`);
  button.addEventListener("click", () => {
    const place = chosen.indexOf(file);
    show(chosen.filter((other) => other !== file));
    (list.querySelectorAll("button")[Math.min(place, chosen.length - 1)] ?? field).focus();
  });
  return item;
}

function show(files, sentence = "") {
  chosen = files;
  const held = new DataTransfer();
  for (const file of chosen) held.items.add(file);
  field.files = held.files;
  list.replaceChildren(...chosen.map(chipOf));
  list.hidden = !chosen.length;
  problem.textContent = sentence;
}

const isSame = (one) => (other) => one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;

field.addEventListener("change", () => {
  const added = [...field.files].filter((file) => !chosen.some(isSame(file)));
  const large = added.filter((file) => file.size > LARGEST);
  const fitting = [...chosen, ...added.filter((file) => file.size <= LARGEST)];
  const sentences = large.map((file) => `${file.name} is larger than 100 KB.`);
  if (fitting.length > MOST) sentences.push(`At most ${MOST} files go with one message.`);
  show(fitting.slice(0, MOST), sentences.join(" "));
});

form.addEventListener("chat:answered", () => show([]));
