// The token, and what a link to the page brings along in its fragment, which browsers send to nobody.
// A plain ES module: no build step.

import { recall, remember } from "./storage.js";

const field = document.getElementById("token");

/** Takes what the fragment of the address brings; it goes from there, so as to be taken once. */
export function takeLink() {
  const link = new URLSearchParams(location.hash.slice(1));
  const token = link.get("token");
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  field.value = token ?? (field.value || recall("sessionStorage", "token"));
  keepToken();
  return { token, room: (link.get("room") ?? "").trim() };
}

/** Keeps the token for as long as the tab is there, over reloads. */
export function keepToken() {
  remember("sessionStorage", "token", field.value);
}

/** What to tell somebody who was not let in; the server's own sentence is for those who write programs. */
export function tokenText() {
  if (field.value) return "This access token is not the right one. Check it and try again.";
  return (
    "You need an access token to enter. Ask whoever runs this server: " +
    "it is a word to type, or a code to scan."
  );
}
