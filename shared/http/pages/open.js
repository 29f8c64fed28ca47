// Moves the token of a link out of the address, into the form that takes it to our own site in a body.
"use strict";
const token = window.location.hash.slice(1);
const comeAgain = document.getElementById("come-again");
if (token) {
  window.history.replaceState(null, "", window.location.pathname);
  document.getElementById("link").value = token;
  const form = document.getElementById("open");
  // One that asks for more than the link waits for it.
  if ("sendsItself" in form.dataset) {
    form.submit();
  }
} else if (comeAgain) {
  // From here our own cookie is sent along.
  window.location.replace(comeAgain.querySelector("a").href);
}
