// What the page says to people where the server's own sentence is for those who write programs.
// A plain ES module: no build step.

const SENTENCES = {
  __proto__: null,
  clients_full: "The chat is full.",
  too_many_connections: "There are too many connections from this device or network.",
  too_many_attempts: "This device or network has tried too often.",
  stopping: "The server is stopping.",
  no_randomness: "The server is not ready yet.",
  bad_room_name: "This name is too long, or has characters that cannot be used.",
  rooms_full: "There is no place for another room. Join one that is there.",
  too_many_rooms: "You are in as many rooms as you may be. Leave one first.",
  rate_limited: "Too fast. Wait a second, then send again.",
  too_large: "This message is too large. Send it in parts.",
};

/** What to say of a refusal; one that only whoever runs the server can mend is told as the server does. */
export function told(code, content) {
  const sentence = content.charAt(0).toUpperCase() + content.slice(1);
  return SENTENCES[code] ?? sentence.replace(/[^.!?]$/, "$&.");
}

/** Why a message was not sent; `limit` is how many bytes one may have. */
export function unsent(refusal, limit) {
  if (refusal === "offline") return "Not connected. Your text is kept: send it when the connection is back.";
  return `This message is too large: the server takes ${limit} bytes. Shorten it and send it again.`;
}

/** What to say to somebody who `asked` for a name and got another one. */
export function renamed(asked, name) {
  const why = asked.startsWith(name) ? "too long" : "in use or not allowed";
  return `You are ${quoted(name)} here: ${quoted(asked)} is ${why}.`;
}

/** A foreign word within a sentence of ours, kept from turning it round (Unicode's FSI and PDI). */
function quoted(name) {
  return `“\u2068${name}\u2069”`;
}
