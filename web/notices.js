// What the page tells above the messages, and aloud to those who listen.
// A plain ES module: no build step.

import { composer } from "./composer.js";

const $ = (id) => document.getElementById(id);

/** Sets a text where it differs: what is written again may be read aloud again. */
export function put(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

/** Has a sentence read aloud, to those who listen. */
export function announce(text) {
  $("aloud").textContent = text;
}

export const banner = {
  get shown() {
    return !$("banner").hidden;
  },

  /** Shows a sentence with a button that says `action`; the sentence is read aloud once. */
  show(text, action, onAction) {
    if ($("banner-text").textContent !== text) announce(text);
    put("banner-text", text);
    put("banner-count", "");
    put("banner-action", action);
    $("banner-action").onclick = onAction;
    $("banner").hidden = $("banner-action").hidden = false;
  },

  /** Shows how long it takes still, which is not read aloud. */
  set count(text) {
    put("banner-count", text);
  },

  /** There is nothing to press for now. */
  hideAction() {
    letGo($("banner-action"));
    $("banner-action").hidden = true;
  },

  hide() {
    letGo($("banner"));
    $("banner").hidden = true;
    put("banner-text", "");
  },
};

/** What goes from view does not take the focus along. */
function letGo(element) {
  if (element.contains(document.activeElement)) composer.focus();
}
