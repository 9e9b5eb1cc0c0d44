// The list of rooms, and the panel that holds it where the screen is narrow.
// A plain ES module: no build step.

import { LOBBY } from "./client.js";
import { make } from "./messages.js";

const LOBBY_NAME = "Global Chat";
const UNREAD_SHOWN_MAX = 99;

const $ = (id) => document.getElementById(id);

/** What a room is called on the page. */
export function label(room) {
  return room === LOBBY ? LOBBY_NAME : room;
}

/** The class that puts a sign before the name of a room: one may be called as the lobby is. */
export function nameClass(room) {
  return room === LOBBY ? "" : "signed";
}

/** How many are in a room, in words. */
export function counted(members) {
  return members === 1 ? "1 member" : `${members} members`;
}

/** A count of unread messages as a badge shows it. */
export function capped(unread) {
  return unread > UNREAD_SHOWN_MAX ? `${UNREAD_SHOWN_MAX}+` : String(unread);
}

/** The rooms, ours first; `open`, `join` and `leave` are called with a room when its button is pressed. */
export class RoomList {
  #on;
  #rows = new Map();

  constructor(on) {
    this.#on = on;
  }

  /**
   * Shows `joined` (names), `listed` (name to member count), the `current` room, the number of
   * clients `online` (text) and, by `unreadOf(room)`, what was not read. A row that stays is kept:
   * a finger may be on it, or the focus.
   */
  render(state) {
    const others = [...state.listed.keys()].filter((room) => !state.joined.includes(room));
    others.sort((a, b) => state.listed.get(b) - state.listed.get(a) || a.localeCompare(b));
    const rows = new Map();
    for (const room of state.joined) this.#keep(rows, room, true, state);
    for (const room of others) this.#keep(rows, room, false, state);
    this.#rows = rows;
    const all = [...rows.values()];
    arrange($("rooms"), all.slice(0, state.joined.length));
    arrange($("others"), all.slice(state.joined.length));
    $("others-part").hidden = others.length === 0;
  }

  /** Puts the focus on the room that is open. */
  focus() {
    $("rooms").querySelector(".current .open").focus();
  }

  #keep(rows, room, joined, state) {
    const key = `${joined} ${room}`;
    const row = this.#rows.get(key) ?? this.#row(room, joined);
    const here = joined && room === state.current;
    row.classList.toggle("current", here);
    row.firstChild.ariaCurrent = here ? "true" : null;
    const name = make("bdi", `name ${nameClass(room)}`, label(room));
    row.firstChild.replaceChildren(name, ...marks(room, joined, state));
    rows.set(key, row);
  }

  #row(room, joined) {
    const row = make("li", "room");
    row.append(button("open", `open ${room}`, () => (joined ? this.#on.open(room) : this.#on.join(room))));
    if (joined && room !== LOBBY) row.append(this.#leave(room));
    return row;
  }

  #leave(room) {
    const leave = button("leave quiet", `leave ${room}`, () => this.#on.leave(room));
    leave.textContent = "Leave";
    leave.setAttribute("aria-label", `Leave ${room}`);
    return leave;
  }
}

/** Puts the rows in order, touching the list only where it differs. */
function arrange(list, rows) {
  for (const old of [...list.children]) if (!rows.includes(old)) old.remove();
  rows.forEach((row, index) => {
    if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null);
  });
}

function button(className, key, onClick) {
  const element = make("button", className);
  element.type = "button";
  element.dataset.key = key;
  element.addEventListener("click", onClick);
  return element;
}

function marks(room, joined, { listed, online, unreadOf }) {
  const found = [];
  const members = listed.get(room);
  const unread = unreadOf(room);
  if (unread > 0) found.push(mark("badge", capped(unread), `${unread} unread`));
  if (room === LOBBY && online) found.push(mark("members", online, `${online} online`));
  else if (members !== undefined) found.push(mark("members", String(members), counted(members)));
  if (!joined) found.push(make("span", "hint", "Join"));
  return found;
}

/** A figure that reads well aloud too. */
function mark(className, text, spoken) {
  const element = make("span", className);
  const figure = make("span", "", text);
  figure.setAttribute("aria-hidden", "true");
  element.append(figure, make("span", "unseen", `, ${spoken}`));
  element.title = spoken;
  return element;
}

/** Told of whatever a device has for closing things, such as Back on a phone; a newcomer among browsers' means. */
let closeWatcher = null;

/** The panel: beside the messages where there is room, else over them. */
export const panel = {
  open() {
    if ("CloseWatcher" in window) {
      closeWatcher = new CloseWatcher();
      closeWatcher.onclose = () => panel.close();
    }
    document.body.classList.add("side-shown");
    $("side-open").setAttribute("aria-expanded", "true");
    $("main").inert = true;
    $("side-close").focus();
  },
  close() {
    if (!document.body.classList.contains("side-shown")) return;
    closeWatcher?.destroy();
    document.body.classList.remove("side-shown");
    $("side-open").setAttribute("aria-expanded", "false");
    $("main").inert = false;
    $("side-open").focus();
  },
};
