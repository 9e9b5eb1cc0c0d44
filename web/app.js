// The page: forms, states, wiring. `client.js` has the connection, `messages.js` the messages of a
// room, `rooms.js` the list of rooms, `composer.js` the field to write in.
// A plain ES module: no build step. The policy of the page allows no inline script or style.

import { Client, JOIN_REFUSALS, LOBBY } from "./client.js";
import { composer, onTouch } from "./composer.js";
import { keepToken, takeLink, tokenText } from "./link.js";
import { RoomView, gapText } from "./messages.js";
import { banner, countDown, put, showPhase } from "./notices.js";
import { keepPlace, leavePlace, leftUnread, takePlace, wasThere } from "./place.js";
import { RoomList, capped, counted, label, nameClass, panel } from "./rooms.js";
import { recall, remember } from "./storage.js";
import { renamed, told, unsent } from "./words.js";

const LIST_EVERY_MS = 15_000;
const LIST_SOON_MS = 1_000;
const UNREAD_EVERY_MS = 100;
const RECHECK_MS = 3_000;

const $ = (id) => document.getElementById(id);
const views = new Map();
const listed = new Map();
let current = LOBBY;
/** The room to show once it is joined, and what tells if it cannot be. */
let wanted = null;
let roomOfLink = "";
let online = "";
let sent = 0;
let lobbyEpoch = "";
let restarted = false;
let asked = "";
let listSoon = 0;
let unreadSoon = 0;
const page = Math.random().toString(36).slice(2, 10);

const client = new Client(new URL(".", location.href), {
  phase: onPhase,
  welcome: onWelcome,
  count: onCount,
  message: onMessage,
  gap: onGap,
  joined: onJoined,
  left: onLeft,
  rooms: onRooms,
  ack: ({ room, id, seq }) => views.get(room ?? LOBBY)?.acked(id, seq),
  error: onError,
});

const roomList = new RoomList({
  open: enter,
  join: (room) => joinAndShow(room),
  leave: (room) => client.leave(room),
});

// The connection's states

function onPhase(phase, { text = "", code, delayMs = 0 }) {
  showPhase(phase);
  if (phase === "open") return;
  online = "";
  listed.clear();
  showUnread();
  showHead();
  for (const each of views.values()) each.unsure();
  if (phase === "waiting") countDown(text, Date.now() + delayMs, () => client.wake());
  else if (phase === "stopped") onStopped(text, code);
  showConnecting(phase);
}

function showConnecting(phase) {
  const busy = phase !== "stopped" && phase !== "idle";
  $("connect").textContent = busy ? "Cancel" : "Connect";
  $("username").readOnly = busy;
}

function onStopped(text, code) {
  banner.hide();
  put("entry-text", stoppedText(text, code));
  put("entry-count", "");
  $("token-part").hidden = code !== 401;
  $("username").value = client.username || $("username").value;
  keepPlace();
  panel.close();
  if (code === 401) $("token").select();
  else if (!onTouch()) $("username").focus();
}

function stoppedText(text, code) {
  if (code === 401) return tokenText();
  return code === 0 && document.body.dataset.entered === "yes" ? "You disconnected." : text;
}

function onWelcome({ username, epoch }) {
  restarted = lobbyEpoch !== "" && lobbyEpoch !== epoch;
  lobbyEpoch = epoch;
  document.body.dataset.entered = "yes";
  banner.hide();
  composer.error = "";
  showCreateError("");
  view(LOBBY).replay();
  $("who").textContent = username;
  $("who").title = username;
  showConnecting("open");
  for (const each of views.values()) each.recheck(RECHECK_MS);
  if (roomOfLink) joinAndShow(roomOfLink, tellInBanner);
  roomOfLink = "";
  client.listRooms();
  show(current);
  composer.focus();
  if (asked && asked !== username) tellInBanner(renamed(asked, username));
  asked = username;
}

// What the server tells

function onCount(text) {
  online = text;
  showHead();
  showRooms();
}

function onMessage(room, message, own) {
  const target = view(room);
  target.add(message, own);
  if (message.type === "system" && room !== LOBBY) listRoomsSoon();
  if (wasThere(room, client.rooms.get(room), message.seq)) return;
  if (message.type === "chat" && !own && (room !== current || document.hidden)) {
    target.unread += 1;
    showUnreadSoon();
  }
}

function onGap(room, gap) {
  view(room).note(gapText(gap, restarted ? "The server restarted" : "The room began anew"), gap.to);
}

function onJoined(room, { member_count: members }) {
  view(room).replay();
  listed.set(room, members);
  if (wanted?.room === room) {
    $("create-name").value = "";
    showCreateError("");
    wanted = null;
    show(room);
    panel.close();
    composer.focus();
  }
  showUnread();
  showHead();
  listRoomsSoon();
}

function onLeft(room, refused) {
  const focused = document.activeElement.dataset.key === `leave ${room}`;
  const draft = refused && room === current ? composer.text : "";
  views.get(room)?.element.remove();
  views.delete(room);
  if (current === room) show(LOBBY);
  if (draft && composer.text === "") composer.text = draft;
  showUnread();
  if (focused) roomList.focus();
  listRoomsSoon();
}

function onRooms(rooms) {
  listed.clear();
  for (const { room, members } of rooms) listed.set(room, members);
  showRooms();
  showHead();
}

function onError({ code, content, room, id }) {
  const text = told(code, content);
  if (id) return onRefusedMessage(text, room ?? LOBBY, id);
  if (!JOIN_REFUSALS.has(code) || !wanted) return tellInBanner(text);
  wanted.tell(text);
  wanted = null;
}

/** The text goes back to where it was written, unless the next one stands there already. */
function onRefusedMessage(text, room, id) {
  if (room === current && composer.text === "") composer.text = view(room).takeBack(id);
  else views.get(room)?.failed(id);
  if (room === current) composer.error = text;
  else tellInBanner(text);
}

function tellInBanner(text) {
  banner.show(text, "OK", banner.hide);
}

function showCreateError(text) {
  $("create-error").textContent = text;
}

// Rooms

function view(room) {
  let found = views.get(room);
  if (found) return found;
  const onScroll = () => room === current && showToEnd();
  found = new RoomView(label(room), { onRetry: (content) => say(room, content), onScroll });
  found.unread = leftUnread(room);
  views.set(room, found);
  $("to-end").before(found.element);
  return found;
}

function show(room) {
  if (room !== current) {
    const left = views.get(current);
    if (left) left.draft = composer.text;
    composer.text = view(room).draft;
    composer.error = "";
  }
  current = room;
  for (const [name, each] of views) each.show(name === room);
  view(room).show(true);
  view(room).unread = 0;
  composer.placeholder = `Message ${room === LOBBY ? "" : "#"}${label(room)}`;
  showHead();
  showUnread();
  showToEnd();
}

function showHead() {
  $("title").textContent = label(current);
  $("title").className = nameClass(current);
  const members = listed.get(current) ?? 0;
  const some = current === LOBBY ? online && `${online} online` : members && counted(members);
  $("count").textContent = some || "";
}

function showToEnd() {
  const { atEnd, below } = view(current);
  $("to-end").hidden = atEnd;
  $("to-end").textContent = below ? "New messages ↓" : "To the latest ↓";
}

function showRooms() {
  const isJoined = ([room, at]) => room === LOBBY || (!at.leaving && at.epoch !== null);
  const joined = [...client.rooms].filter(isJoined);
  const unreadOf = (room) => views.get(room)?.unread ?? 0;
  roomList.render({ joined: joined.map(([room]) => room), listed, current, online, unreadOf });
}

function enter(room) {
  show(room);
  panel.close();
  composer.focus();
}

function joinAndShow(room, tell = showCreateError) {
  const at = client.rooms.get(room);
  if (at?.joined) return enter(room);
  if (client.phase !== "open") return tell("Not connected: try again when the connection is back.");
  wanted = { room, tell };
  // One that is ours already is being joined again.
  if (!at || at.leaving) client.join(room);
}

function showUnread() {
  let all = 0;
  for (const each of views.values()) all += each.unread;
  document.title = all > 0 ? `(${all}) roomd` : "roomd";
  $("side-unread").hidden = all === 0;
  $("side-unread").textContent = capped(all);
  showRooms();
}

// What may come in floods is shown, and asked for, once in a while.

function showUnreadSoon() {
  unreadSoon ||= setTimeout(() => {
    unreadSoon = 0;
    showUnread();
  }, UNREAD_EVERY_MS);
}

function listRoomsSoon() {
  listSoon ||= setTimeout(() => {
    listSoon = 0;
    client.listRooms();
  }, LIST_SOON_MS);
}

// Writing

/** Sends a text and shows it on its way; returns whether it could be sent. */
function say(room, content) {
  sent += 1;
  const id = `${page}-${sent}`;
  const refusal = client.say(room, content, id);
  composer.error = refusal && unsent(refusal, client.limits.message_bytes);
  if (refusal) return false;
  view(room).sending(id, content);
  return true;
}

function connect() {
  const name = $("username").value.trim();
  asked = name;
  put("entry-text", "");
  remember("localStorage", "username", name);
  keepToken();
  client.connect({ name, token: $("token").value });
}

// Wiring

$("entry").addEventListener("submit", (event) => {
  event.preventDefault();
  if (client.phase === "idle" || client.phase === "stopped") connect();
  else client.disconnect();
});
composer.onSend((text) => say(current, text));
$("create").addEventListener("submit", (event) => {
  event.preventDefault();
  const room = $("create-name").value.trim();
  if (room) joinAndShow(room);
  else showCreateError("Give the room a name.");
});
$("create-name").addEventListener("input", () => showCreateError(""));
$("disconnect").addEventListener("click", () => client.disconnect());
$("to-end").addEventListener("click", () => {
  view(current).toEnd();
  view(current).element.focus();
});
$("side-open").addEventListener("click", () => {
  panel.open();
  client.listRooms();
});
$("side-close").addEventListener("click", () => panel.close());
$("shade").addEventListener("click", () => panel.close());
document.addEventListener("keydown", (event) => event.key === "Escape" && panel.close());
matchMedia("(min-width: 48rem)").addEventListener("change", () => panel.close());
window.addEventListener("hashchange", onLink);
window.addEventListener("online", () => client.wake());
window.addEventListener("pageshow", () => {
  keepPlace();
  client.wake();
});
document.addEventListener("visibilitychange", () => {
  // A phone ends what is out of sight without a word.
  if (document.hidden) return onTouch() && leave();
  keepPlace();
  client.wake();
  view(current).unread = 0;
  showUnread();
});
// Only a page that is gone leaves its place to the next one: a copied tab must not take it over.
window.addEventListener("pagehide", leave);
// iOS lays its keyboard over the page and tells only the visual viewport.
window.visualViewport?.addEventListener("resize", ({ target }) => {
  document.documentElement.style.setProperty("--visible", `${target.height * target.scale}px`);
  if (target.scale !== 1) return;
  window.scrollTo(0, 0);
  const { activeElement: focused } = document;
  if (focused.matches("input, textarea")) focused.scrollIntoView({ block: "nearest" });
});
new ResizeObserver(() => view(current).settle()).observe($("logs"));
setInterval(() => !document.hidden && client.listRooms(), LIST_EVERY_MS);

start();

function start() {
  const query = new URLSearchParams(location.search);
  const place = takePlace();
  roomOfLink = takeLink().room || (place ? "" : (query.get("room") ?? "").trim());
  $("username").value = query.get("username") ?? recall("localStorage", "username");
  showRooms();
  if (place) comeBack(place);
  else if (query.has("username")) connect();
  else if (client.phase === "idle") $("username").focus();
}

/** A link that differs in its fragment alone does not load the page anew. */
function onLink() {
  const { token, room } = takeLink();
  if (room && client.phase === "open") joinAndShow(room, tellInBanner);
  else roomOfLink = room;
  if (token !== null && !$("token-part").hidden && client.phase === "stopped") connect();
}

/** After a reload: the same name, the same rooms, without asking. */
function comeBack({ current: room, ...place }) {
  client.restore(place);
  $("username").value = place.username;
  asked = place.username;
  wanted = room && { room, tell: tellInBanner };
  client.connect({ name: place.username, token: $("token").value });
}

function leave() {
  if (client.phase === "idle" || client.phase === "stopped") return;
  leavePlace(client, (room) => views.get(room)?.unread ?? 0, { current });
}
