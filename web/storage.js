// What this browser remembers. Storage can be switched off: then nothing is remembered.
// A plain ES module: no build step.

const PREFIX = "roomd.";

/** The text kept under `key` in `localStorage` or `sessionStorage` (by name); "" when there is none. */
export function recall(storage, key) {
  try {
    return window[storage].getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a text; an empty one is forgotten. */
export function remember(storage, key, value) {
  try {
    if (value) window[storage].setItem(PREFIX + key, value);
    else window[storage].removeItem(PREFIX + key);
  } catch {
    // The page works without.
  }
}
