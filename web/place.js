// What a page that goes leaves to the one that comes after it in its tab: its name, its rooms, what was
// read of them. A plain ES module: no build step.

import { LOBBY } from "./client.js";
import { recall, remember } from "./storage.js";

/** What the page before had read: by room `{epoch, seq, unread}`. */
let before = new Map();

/** Leaves the place of `client`; `more` is what to find there again, `unreadOf(room)` counts. */
export function leavePlace(client, unreadOf, more) {
  const { username, resume, ownIds } = client;
  const staying = [...client.rooms].filter(([, at]) => !at.leaving);
  const rooms = staying.map(([room]) => room).filter((room) => room !== LOBBY);
  const read = staying.map(([room, { epoch, seq }]) => [room, { epoch, seq, unread: unreadOf(room) }]);
  const place = { username, resume, rooms, ownIds: [...ownIds], read, ...more };
  remember("sessionStorage", "page", JSON.stringify(place));
}

/** Nobody is to take this place: its page is here. */
export function keepPlace() {
  remember("sessionStorage", "page", "");
}

/** Takes the place that a page has left; null where there is none. */
export function takePlace() {
  const saved = recall("sessionStorage", "page");
  keepPlace();
  if (!saved) return null;
  const place = JSON.parse(saved);
  before = new Map(place.read);
  return place;
}

/** How many messages of a room the page before had not read; told once. */
export function leftUnread(room) {
  const read = before.get(room);
  const unread = read?.unread ?? 0;
  if (read) read.unread = 0;
  return unread;
}

/** Whether the page before had this message, and counted it if it was not read. */
export function wasThere(room, { epoch }, seq) {
  const read = before.get(room);
  return read !== undefined && read.epoch === epoch && seq <= read.seq;
}
