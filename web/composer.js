// The field that messages are written in. A plain ES module: no build step.

const form = document.getElementById("composer");
const field = document.getElementById("text");
const error = document.getElementById("composer-error");

/** Whether fingers are what points here: then the focus in a field brings up a keyboard. */
export function onTouch() {
  return matchMedia("(pointer: coarse)").matches;
}

export const composer = {
  get text() {
    return field.value;
  },

  set text(text) {
    field.value = text;
    fit();
  },

  /** Says below what is being written why it was not sent; "" takes the sentence back. */
  set error(text) {
    error.textContent = text;
  },

  set placeholder(text) {
    field.placeholder = text;
  },

  /** Not on a phone. */
  focus() {
    if (!onTouch()) field.focus();
  },

  /** Calls `send(text)` for what is written; what it returns true for is gone from the field. */
  onSend(send) {
    const submit = (event) => {
      event.preventDefault();
      if (field.value.trim() !== "" && send(field.value)) composer.text = "";
    };
    form.addEventListener("submit", submit);
    field.addEventListener("keydown", (event) => {
      // Enter also ends the writing of a Japanese or Chinese word: that must not send.
      const writing = event.isComposing || event.keyCode === 229;
      if (event.key === "Enter" && !event.shiftKey && !writing) submit(event);
    });
  },
};

field.addEventListener("input", fit);

/** As high as the text, within the bounds that the style sets. */
function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}
