// Moves the token of a personal link out of the address, into the body of a POST to our own site.
"use strict";
const token = window.location.hash.slice(1);
if (token) {
  window.history.replaceState(null, "", window.location.pathname);
  document.getElementById("link").value = token;
  document.getElementById("open").submit();
} else if (document.getElementById("come-again")) {
  // From here our own cookie is sent along.
  window.location.replace("/notes/new");
}
