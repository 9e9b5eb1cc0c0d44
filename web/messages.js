// The message list of one room. Everything foreign goes through `textContent`, never through HTML.
// A plain ES module: no build step.

import { composer } from "./composer.js";
import { announce } from "./notices.js";

const LINES_MAX = 500;
const LONG_TEXT = 1_500;
const LONG_LINES = 20;
const GROUP_S = 300;
const TINTS = 8;
const REPLAY_MS = 1_000;
const ACK_TIMEOUT_MS = 10_000;
const NEAR_END_PX = 80;
/** A board without a clock counts from 1970 until it has asked for the time: such times are not shown. */
const CLOCK_SET_S = 1_577_836_800;

/** Makes an element with a class and, as pure text, its content. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** The messages of one room: the lines, and below them what is still on its way out. */
export class RoomView {
  unread = 0;
  draft = "";

  #lines = make("ol", "lines");
  #outgoing = make("ol", "lines outgoing");
  #older = make("p", "older", "Older messages were removed from view.");
  #fresh = [];
  #arrivedLines = [];
  #flushing = false;
  #last = null;
  #lastDay = "";
  #waiting = new Map();
  #replaying = 0;
  #atEnd = true;
  #below = false;
  #onRetry;
  #onScroll;

  /** `onRetry(content)` is called for a message to be sent again, `onScroll()` when the end comes or goes. */
  constructor(label, { onRetry, onScroll }) {
    this.#onRetry = onRetry;
    this.#onScroll = onScroll;
    this.element = make("section", "log");
    this.element.tabIndex = 0;
    this.element.hidden = true;
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-label", `Messages in ${label}`);
    this.#outgoing.setAttribute("aria-live", "off");
    this.#older.hidden = true;
    this.element.append(this.#older, this.#lines, this.#outgoing);
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  get atEnd() {
    return this.#atEnd;
  }

  /** Whether something came in that lies below what is shown. */
  get below() {
    return this.#below;
  }

  show(visible) {
    this.element.hidden = !visible;
    if (!visible) return;
    this.#flush();
    this.settle();
  }

  /** After a change of size: stays at the end if it was there. */
  settle() {
    if (this.#atEnd) this.toEnd();
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
    this.#scrolled();
  }

  /** Takes in a `chat` or `system` message. */
  add(message, own) {
    this.#arrived(message, own);
    this.#queue({ message, own });
  }

  /** What was said before comes now, all at once: it is not read aloud. */
  replay() {
    clearTimeout(this.#replaying);
    this.element.ariaBusy = "true";
    this.#replaying = setTimeout(() => (this.element.ariaBusy = "false"), REPLAY_MS);
  }

  /** Takes in a line of the page's own, such as a gap up to `seq`. */
  note(text, seq = 0) {
    this.#pass(seq);
    this.#queue({ note: text });
  }

  /** Shows a message that is on its way. */
  sending(id, content) {
    const line = make("li", "line own");
    const bubble = make("div", "bubble");
    const state = make("span", "state", "Sending…");
    bubble.append(body(content), state);
    line.append(bubble);
    this.#outgoing.append(line);
    const timer = setTimeout(() => this.failed(id), ACK_TIMEOUT_MS);
    this.#waiting.set(id, { content, line, state, timer, seq: null });
    this.toEnd();
  }

  /** The server has given the message its place in the log, which is to bring it. */
  acked(id, seq) {
    const sent = this.#waiting.get(id);
    if (!sent || sent.failed) return;
    clearTimeout(sent.timer);
    sent.seq = seq;
    sent.state.textContent = "Sent";
  }

  /** The message was not taken: leaves it with a button to send it again. */
  failed(id) {
    const sent = this.#waiting.get(id);
    if (!sent || sent.failed) return;
    clearTimeout(sent.timer);
    sent.failed = true;
    const retry = make("button", "retry", "Not sent – send again");
    retry.type = "button";
    retry.addEventListener("click", () => {
      if (!this.#onRetry(sent.content)) return;
      this.takeBack(id);
      composer.focus();
    });
    sent.state.replaceWith(retry);
    sent.line.classList.add("failed");
    announce(`Not sent: ${sent.content}`);
    this.settle();
  }

  /** Takes a message that was refused out of the list; returns its text. */
  takeBack(id) {
    const sent = this.#settle(id);
    sent?.line.remove();
    return sent?.content ?? "";
  }

  /** The connection is gone: whether these arrived is known once the log was read again. */
  unsure() {
    for (const sent of this.#waiting.values()) {
      clearTimeout(sent.timer);
      if (!sent.failed) sent.state.textContent = "Waiting for the connection…";
    }
  }

  /** The connection is back: what the log does not bring within `delayMs` was not sent. */
  recheck(delayMs) {
    for (const [id, sent] of this.#waiting) {
      if (!sent.failed) sent.timer = setTimeout(() => this.failed(id), delayMs);
    }
  }

  /** The log has come to `seq`: what stood there or before is in it, or in a gap. */
  #pass(seq) {
    for (const [id, sent] of this.#waiting) if (sent.seq !== null && sent.seq <= seq) this.#replace(id);
  }

  /** Without an `ack` yet: messages keep their order, so the oldest with this text is the one that came. */
  #arrived({ seq, type, content }, own) {
    const acked = [...this.#waiting.values()].some((sent) => sent.seq === seq);
    this.#pass(seq);
    if (acked || !own || type !== "chat") return;
    for (const [id, sent] of this.#waiting) {
      if (sent.content === content && sent.seq === null) return this.#replace(id);
    }
  }

  /** Its line goes when that of the log comes: a message is never out of view between the two. */
  #replace(id) {
    this.#arrivedLines.push(this.#settle(id).line);
  }

  #settle(id) {
    const sent = this.#waiting.get(id);
    clearTimeout(sent?.timer);
    this.#waiting.delete(id);
    return sent;
  }

  // Lines are put in together, once per frame: a flood costs one layout, and at most what is kept.

  #queue(entry) {
    this.#fresh.push(entry);
    if (this.#fresh.length > LINES_MAX) {
      this.#fresh.shift();
      this.#older.hidden = false;
    }
    if (this.#flushing) return;
    this.#flushing = true;
    setTimeout(() => this.#flush(), 16);
  }

  #flush() {
    this.#flushing = false;
    if (this.#fresh.length === 0) return;
    const lines = document.createDocumentFragment();
    for (const entry of this.#fresh) lines.append(...this.#day(entry), this.#line(entry));
    this.#fresh = [];
    this.#lines.append(lines);
    for (const line of this.#arrivedLines.splice(0)) line.remove();
    while (this.#lines.childElementCount > LINES_MAX) {
      this.#lines.firstElementChild.remove();
      this.#older.hidden = false;
    }
    this.#below = !this.#atEnd;
    if (this.#atEnd && !this.element.hidden) this.toEnd();
    else this.#onScroll();
  }

  /** The line that a new day begins with: a page may stand open over midnight, and a log over weeks. */
  #day({ message }) {
    if (!message || message.timestamp <= CLOCK_SET_S) return [];
    const at = new Date(message.timestamp * 1_000);
    if (at.toDateString() === this.#lastDay) return [];
    this.#lastDay = at.toDateString();
    this.#last = null;
    const day = at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
    return [make("li", "line day", day)];
  }

  #line({ message, own, note }) {
    const last = this.#last;
    this.#last = message?.type === "chat" ? message : null;
    if (note) return make("li", "line note", note);
    if (message.type === "system") return systemLine(message.content);
    const grouped = last?.client_id === message.client_id && message.timestamp - last.timestamp < GROUP_S;
    return chatLine(message, own, grouped);
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    if (clientHeight === 0) return;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.#atEnd) this.#below = false;
    this.#onScroll();
  }
}

/** The line for messages that are missing; `restarted` says what began anew, if anything did. */
export function gapText({ missed, reason }, restarted) {
  const messages = missed === 1 ? "1 message" : `${missed} messages`;
  if (reason === "slow") return `${messages} dropped: this connection was too slow.`;
  if (reason === "expired") return `${messages} missed while you were away: no longer kept.`;
  if (reason !== "restart") return `${messages} missing here.`;
  const since = missed ? ` ${messages} since then are no longer kept.` : "";
  return `${restarted}: earlier messages are gone.${since}`;
}

/** What a system line says of a name: the name may be written from right to left, the rest is not. */
const EVENT = /^(.*)( connected| disconnected| joined the room| left the room)$/s;

function systemLine(content) {
  const [, name, event] = EVENT.exec(content) ?? [content, content, ""];
  const line = make("li", "line system");
  const text = make("span");
  text.append(make("bdi", "", name), event);
  line.append(text);
  return line;
}

function chatLine(message, own, grouped) {
  const line = make("li", `line chat ${own ? "own" : "other"}${grouped ? " grouped" : ""}`);
  const sender = make("bdi", `sender tint-${tint(message.sender)}`, own ? "You" : message.sender);
  const bubble = make("div", "bubble");
  bubble.append(body(message.content));
  const meta = make("span", "meta");
  if (message.timestamp > CLOCK_SET_S) meta.append(time(message.timestamp));
  if (own) meta.append(make("span", "state", "Sent"));
  if (meta.hasChildNodes()) bubble.append(meta);
  line.append(sender, bubble);
  return line;
}

/** A text of any length and direction; a very long one is folded. */
function body(content) {
  const text = make("p", "text", content);
  text.dir = "auto";
  if (content.length < LONG_TEXT && content.split("\n", LONG_LINES).length < LONG_LINES) return text;
  const whole = make("div", "long");
  const button = make("button", "unfold", "Show all");
  button.type = "button";
  button.addEventListener("click", () => {
    whole.classList.add("unfolded");
    button.remove();
    text.tabIndex = -1;
    text.focus({ preventScroll: true });
  });
  whole.append(text, button);
  return whole;
}

function time(seconds) {
  const at = new Date(seconds * 1_000);
  const element = make("time");
  element.dateTime = at.toISOString();
  element.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return element;
}

/** The same name always has the same colour. */
function tint(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 9_973;
  return hash % TINTS;
}
