// A chat server on `ws`, as its README broadcasts: every message to every open client of the room.
import { WebSocketServer, WebSocket } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), path: "/ws" });

server.on("connection", (socket, request) => {
    const name = new URL(request.url, "http://localhost").searchParams.get("room") ?? "";
    const room = rooms.get(name) ?? new Set();
    rooms.set(name, room);
    room.add(socket);
    socket.on("error", console.error);
    socket.on("message", (data, isBinary) => {
        for (const member of room) {
            if (member.readyState === WebSocket.OPEN) {
                member.send(data, { binary: isBinary });
            }
        }
    });
    socket.on("close", () => {
        room.delete(socket);
        if (room.size === 0) {
            rooms.delete(name);
        }
    });
});
