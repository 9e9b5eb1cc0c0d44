// What the page tells above the messages, and aloud to those who listen.
// A plain ES module: no build step.

import { composer } from "./composer.js";

const STATES = {
  idle: "Disconnected",
  connecting: "Connecting…",
  open: "Connected",
  waiting: "Reconnecting…",
  stopped: "Disconnected",
};

const $ = (id) => document.getElementById(id);

let countdown = 0;

/** Sets a text where it differs: what is written again may be read aloud again. */
export function put(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

/** Has a sentence read aloud, to those who listen. */
export function announce(text) {
  $("aloud").textContent = text;
}

export const banner = {
  /** Shows a sentence with a button that says `action`; the sentence is read aloud once. */
  show(text, action, onAction) {
    if ($("banner-text").textContent !== text) announce(text);
    put("banner-text", text);
    put("banner-count", "");
    put("banner-action", action);
    $("banner-action").onclick = onAction;
    $("banner").hidden = $("banner-action").hidden = false;
  },

  /** There is nothing to press for now. */
  busy(text) {
    put("banner-count", text);
    letGo($("banner-action"));
    $("banner-action").hidden = true;
  },

  hide() {
    letGo($("banner"));
    $("banner").hidden = true;
    put("banner-text", "");
  },
};

/** Shows the state of the connection; several attempts in a row are one. */
export function showPhase(phase) {
  clearInterval(countdown);
  const again = phase === "connecting" && document.body.dataset.phase === "waiting";
  document.body.dataset.phase = phase;
  put("status", STATES[again ? "waiting" : phase]);
  if (phase !== "connecting") return;
  // A network that answers nothing holds up each attempt for a while.
  if (again && entered()) banner.busy("Connecting…");
  else if (!entered()) put("entry-count", "Connecting…");
}

/** Shows why there is no connection, and when the next attempt is; `onNow` makes it at once. */
export function countDown(text, until, onNow) {
  const tell = () => {
    const seconds = Math.ceil((until - Date.now()) / 1_000);
    const left = seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…";
    put(entered() ? "banner-count" : "entry-count", left);
  };
  if (entered()) banner.show(text, "Try now", onNow);
  else put("entry-text", text);
  tell();
  countdown = setInterval(tell, 1_000);
}

/** Whether this page has been in the chat: what it tells is above the messages then, not in the form. */
function entered() {
  return document.body.dataset.entered === "yes";
}

/** What goes from view does not take the focus along. */
function letGo(element) {
  if (element.contains(document.activeElement)) composer.focus();
}
