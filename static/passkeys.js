// Asks the browser for a passkey when a button with data-passkey is pressed, and sends its answer
// with the button's form. Without JavaScript these buttons stay hidden.
"use strict";

const isAble = window.PublicKeyCredential?.parseCreationOptionsFromJSON !== undefined;

async function answer({ passkey, options }) {
  const asked = await fetch(options);
  if (!asked.ok || asked.redirected) {
    location.reload(); // the log-in or the confirmation is over, and the page says so
    return null;
  }
  const json = await asked.json();
  const made =
    passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) });
  return JSON.stringify(made);
}

async function press(button) {
  const { form, dataset } = button;
  const complaint = document.getElementById(button.getAttribute("aria-describedby"));
  complaint.textContent = "";
  button.disabled = true;
  try {
    const credential = await answer(dataset);
    if (credential === null) return;
    form.elements.credential.value = credential;
    form.action = dataset.action;
    form.submit();
  } catch (error) {
    complaint.textContent = error.name === "InvalidStateError" ? dataset.exists : dataset.failed;
    button.disabled = false;
    button.focus();
  }
}

for (const button of document.querySelectorAll("button[data-passkey]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (isAble) press(button);
    else document.getElementById(button.getAttribute("aria-describedby")).textContent = button.dataset.unable;
  });
}
