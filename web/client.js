// The connection to `/ws`: reconnecting, resuming, positions and gaps. Knows nothing of the page.
// A plain ES module: no build step, nothing that needs a secure context (HTTPS).

import { told } from "./words.js";

/** The key of the room that everyone is in. */
export const LOBBY = "";

const CONNECT_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 5_000;
const TICK_MS = 5_000;
const LATE_MS = 2_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 20_000;
const STABLE_MS = 10_000;
const REJOIN_MS = 1_500;
const HEARTBEAT_S = 20;
const HISTORY_MESSAGES = 50;

/** Close codes after which coming back by itself would be wrong, with what to tell. */
const FINAL = {
  1000: "The server ended the connection.",
  1008: "The server ended the connection: too much came from here too fast.",
  4001: "This name is now used by another window or device.",
};

/** Close codes after which the client comes back, with what to tell meanwhile. */
const PASSING = {
  1009: "The last message was larger than the server takes.",
  1012: "The server is restarting.",
  1013: "The server is busy.",
  4002: "This device could not be reached for too long.",
  4003: "This device gave no sign of life for too long.",
};

/** Errors that answer a `join_room`. */
export const JOIN_REFUSALS = new Set(["bad_room_name", "rooms_full", "too_many_rooms"]);

const encoder = new TextEncoder();

/**
 * One client of the hub. `on` holds the callbacks: `phase`, `welcome`, `count`, `message`, `gap`,
 * `joined`, `left`, `rooms`, `ack`, `error`.
 *
 * `phase(name, {text, code, delayMs})` has the names `idle`, `connecting`, `open`, `waiting` (it
 * will try again in `delayMs`) and `stopped` (only the user can go on; code 0: by `disconnect`,
 * 401: a token is needed).
 */
export class Client {
  /** Name as the server has confirmed it, and the token to come back with. */
  username = "";
  resume = "";
  /** Where we stand in each room: `{epoch, seq, joined, leaving}`; `seq` null: nothing read yet. */
  rooms = new Map();
  /** Every `client_id` that was ours: what we sent before a reconnect stays our own. */
  ownIds = new Set();
  phase = "idle";
  limits = {};

  #on;
  #base;
  #token = "";
  #socket = null;
  #opened = false;
  #attempts = 0;
  #retryAfterMs = null;
  #heartbeatMs = HEARTBEAT_S * 1_000;
  #heardAt = 0;
  #openSince = 0;
  #alarm = 0;
  #retry = 0;
  #rejoin = 0;
  #ticker = 0;
  #probing = false;

  constructor(base, on) {
    this.#base = base;
    this.#on = on;
    this.#forget(LOBBY);
  }

  /** Takes up what a page that is gone had: its name, the token to come back with, its rooms. */
  restore({ username, resume, rooms, ownIds }) {
    Object.assign(this, { username, resume, ownIds: new Set(ownIds) });
    for (const room of rooms) this.#forget(room);
  }

  /** Connects as `name` (empty: the server chooses one); comes back by itself until `disconnect`. */
  connect({ name, token }) {
    if (name !== this.username) this.resume = "";
    this.username = name;
    this.#token = token;
    this.#attempts = 0;
    this.#open();
  }

  /** Ends the connection for good. */
  disconnect() {
    this.#stop(0, "");
  }

  /** To be called when the page is shown, comes back from sleep, or the network does. */
  wake() {
    if (this.phase === "waiting") {
      this.#attempts = 0;
      this.#open();
    } else if (this.phase === "open") {
      this.#probe();
    }
  }

  /** Sends a message. Returns "" or why it was not sent: `offline`, `too_large`. */
  say(room, content, id) {
    const text = JSON.stringify({ type: "chat", room: room || undefined, content, id });
    if (encoder.encode(text).length > (this.limits.message_bytes ?? Infinity)) return "too_large";
    return this.#send(text) ? "" : "offline";
  }

  /** Joins a room, or takes up a membership that was lost where it ended. */
  join(room) {
    let at = this.rooms.get(room);
    if (!at || at.leaving) at = this.#forget(room);
    at.joined = false;
    const replay = at.seq === null ? { history: HISTORY_MESSAGES } : { since: `${at.epoch}:${at.seq}` };
    this.#send(JSON.stringify({ type: "join_room", room, ...replay }));
  }

  /** Leaves a room; without a connection it is only struck from the list. */
  leave(room) {
    const at = this.rooms.get(room);
    if (at && this.#send(JSON.stringify({ type: "leave_room", room }))) {
      Object.assign(at, { leaving: true, joined: false });
    } else {
      this.#gone(room);
    }
  }

  /** Asks for the list of rooms. */
  listRooms() {
    this.#send('{"type":"list_rooms"}');
  }

  #forget(room) {
    const at = { epoch: null, seq: null, joined: room === LOBBY, leaving: false };
    this.rooms.set(room, at);
    return at;
  }

  #gone(room, refused = false) {
    this.rooms.delete(room);
    this.#on.left(room, refused);
  }

  #send(text) {
    if (this.phase !== "open") return false;
    this.#socket.send(text);
    return true;
  }

  // Connecting

  #open() {
    this.#release();
    this.#setPhase("connecting");
    const socket = new WebSocket(this.#url());
    this.#socket = socket;
    this.#opened = false;
    socket.onopen = () => {
      this.#opened = true;
      this.#setAlarm(CONNECT_TIMEOUT_MS, () => this.#lost(1006));
    };
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#lost(event.code);
    this.#setAlarm(CONNECT_TIMEOUT_MS, () => this.#lost(1006));
  }

  #url() {
    const url = new URL("ws", this.#base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const { epoch, seq } = this.rooms.get(LOBBY);
    const replay = seq === null ? { history: HISTORY_MESSAGES } : { since: `${epoch}:${seq}` };
    const query = { username: this.username, resume: this.resume, token: this.#token, ...replay };
    for (const [key, value] of Object.entries(query)) if (value !== "") url.searchParams.set(key, value);
    return url;
  }

  /** Lets go of the socket at once: a half-open one can take minutes to report its own end. */
  #release() {
    for (const timer of [this.#alarm, this.#retry, this.#rejoin]) clearTimeout(timer);
    clearInterval(this.#ticker);
    this.#probing = false;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #setAlarm(delayMs, action) {
    clearTimeout(this.#alarm);
    this.#alarm = setTimeout(action, delayMs);
  }

  #setPhase(name, detail = {}) {
    this.phase = name;
    this.#on.phase(name, detail);
  }

  #stop(code, text) {
    this.#release();
    this.#setPhase("stopped", { code, text });
  }

  #lost(code) {
    const opened = this.#opened;
    if (this.phase === "open" && Date.now() - this.#openSince > STABLE_MS) this.#attempts = 0;
    this.#release();
    if (code === 4001) this.resume = "";
    if (FINAL[code]) this.#stop(code, FINAL[code]);
    else if (opened) this.#wait(PASSING[code] ?? "The connection was lost.", code);
    else this.#askWhy();
  }

  /** A refused handshake shows no status to a page; the same request as plain HTTP says why. */
  async #askWhy() {
    this.#wait("The server cannot be reached.", 1006);
    const retry = this.#retry;
    const url = new URL("ws", this.#base);
    if (this.#token) url.searchParams.set("token", this.#token);
    try {
      const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
      const { error, content = "" } = await answer.json();
      if (this.phase !== "waiting" || this.#retry !== retry) return;
      if (answer.status === 401 || answer.status === 403) this.#stop(answer.status, told(error, content));
      else if (answer.status === 429 || answer.status === 503) {
        this.#retryAfterMs = Number(answer.headers.get("retry-after")) * 1_000 || null;
        this.#wait(told(error, content), answer.status);
      } else this.#wait("The server answers, but did not take the connection.", answer.status);
    } catch {
      // No answer, or none that is ours: the text above stands.
    }
  }

  #wait(text, code) {
    clearTimeout(this.#retry);
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#attempts);
    const delayMs = Math.round(this.#retryAfterMs ?? ceilingMs * (0.5 + Math.random() / 2));
    this.#retryAfterMs = null;
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#open(), delayMs);
    this.#setPhase("waiting", { text, code, delayMs });
  }

  // Signs of life: pages cannot see the protocol's own pings, and a phone that slept may hold a
  // socket that looks open and is dead.

  #startTicker() {
    let last = Date.now();
    this.#ticker = setInterval(() => {
      const now = Date.now();
      const slept = now - last > TICK_MS + LATE_MS;
      last = now;
      if (slept || now - this.#heardAt > this.#heartbeatMs) this.#probe();
    }, TICK_MS);
  }

  #probe() {
    if (this.#probing || !this.#send('{"type":"ping"}')) return;
    this.#probing = true;
    const due = Date.now() + PROBE_TIMEOUT_MS;
    this.#setAlarm(PROBE_TIMEOUT_MS, () => {
      this.#probing = false;
      // A timer that fires late shows that this page slept: the answer may still be in the queue.
      if (Date.now() - due > LATE_MS) this.#probe();
      else this.#lost(1006);
    });
  }

  #heard() {
    this.#heardAt = Date.now();
    if (!this.#probing) return;
    this.#probing = false;
    clearTimeout(this.#alarm);
  }

  // Receiving

  #receive(data) {
    this.#heard();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    this.#handlers[message?.type]?.(message);
  }

  #handlers = {
    __proto__: null,
    welcome: (message) => this.#welcomed(message),
    client_count: (message) => this.#on.count(message.content),
    chat: (message) => this.#sequenced(message),
    system: (message) => this.#sequenced(message),
    gap: (message) => this.#gap(message),
    joined: (message) => this.#joined(message),
    left: (message) => this.rooms.get(message.room)?.leaving && this.#gone(message.room),
    rooms: (message) => this.#on.rooms(message.rooms),
    ack: (message) => this.#on.ack(message),
    error: (message) => this.#error(message),
    restarting: (message) => {
      this.#retryAfterMs = message.retry_ms;
    },
  };

  #welcomed(message) {
    clearTimeout(this.#alarm);
    const lobby = this.rooms.get(LOBBY);
    // After `since` with another epoch the log is told from its start: a `gap`, then what is kept.
    if (lobby.epoch !== message.epoch && lobby.seq !== null) lobby.seq = 0;
    lobby.epoch = message.epoch;
    this.username = message.username;
    this.resume = message.resume;
    this.limits = message.limits ?? {};
    this.#heartbeatMs = (message.heartbeat_s || HEARTBEAT_S) * 1_000;
    this.ownIds.add(message.client_id);
    this.#openSince = Date.now();
    this.#setPhase("open");
    this.#startTicker();
    for (const [room, at] of this.rooms) at.joined = room === LOBBY;
    this.#joinAgain();
    this.#on.welcome(message);
  }

  #joinAgain() {
    for (const [room, at] of this.rooms) {
      if (at.leaving) this.#gone(room);
      else if (!at.joined) this.join(room);
    }
  }

  #joined(message) {
    const at = this.rooms.get(message.room) ?? this.#forget(message.room);
    if (at.joined || at.leaving) return;
    if (at.epoch !== message.epoch && at.seq !== null) at.seq = 0;
    at.epoch = message.epoch;
    at.joined = true;
    this.#on.joined(message.room, message);
  }

  #sequenced(message) {
    const room = message.room ?? LOBBY;
    const at = this.rooms.get(room);
    if (!at?.joined) return;
    if (at.seq !== null && message.seq <= at.seq) return;
    const missed = at.seq === null ? 0 : message.seq - at.seq - 1;
    if (missed > 0) this.#on.gap(room, { missed, reason: "unknown" });
    at.seq = message.seq;
    this.#on.message(room, message, this.ownIds.has(message.client_id));
  }

  #gap(message) {
    const room = message.room ?? LOBBY;
    const at = this.rooms.get(room);
    if (!at?.joined) return;
    at.seq = Math.max(at.seq ?? 0, message.to);
    this.#on.gap(room, message);
  }

  #error(message) {
    const at = this.rooms.get(message.room);
    if (message.code === "rate_limited" && !message.id) {
      clearTimeout(this.#rejoin);
      this.#rejoin = setTimeout(() => this.#joinAgain(), REJOIN_MS);
    } else if (message.code === "not_in_room" && at) {
      if (at.leaving) return this.#gone(message.room);
      this.join(message.room);
    } else if (JOIN_REFUSALS.has(message.code)) {
      this.#refused(message.room);
    }
    this.#on.error(message);
  }

  /** Gives up the join that was refused; an error that names no room means one never joined yet. */
  #refused(refused) {
    for (const [room, at] of this.rooms) {
      if (!at.joined && (refused ? room === refused : at.epoch === null)) this.#gone(room, true);
    }
  }
}
