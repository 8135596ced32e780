// Passkeys: asks the device, puts its answer into the form, and sends that as any other form.
// A form that cannot work in this browser stays hidden; the password way needs no script.

const canAsk = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);

function say(form, text) {
  const place = form.querySelector("[data-passkey-trouble]");
  place.textContent = text;
  place.hidden = false;
  place.focus();
}

async function fetchedOptions(form) {
  const answer = await fetch(form.dataset.passkeyOptions, { method: "POST", body: new FormData(form) });
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  return answer.json();
}

async function answerOf(form) {
  if (form.dataset.passkey === "create") {
    const options = JSON.parse(form.dataset.passkeyOptions);
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  const options = await fetchedOptions(form);
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

function reasonOf(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey for you already.";
  if (error.name === "NotAllowedError") return "Nothing was chosen, or it took too long. Try again.";
  return "The device did not answer. Try again, or sign in with your password.";
}

async function ask(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const credential = await answerOf(form);
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();   // not the event again
  } catch (error) {
    say(form, reasonOf(error));
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !canAsk;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}
